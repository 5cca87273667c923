package store

// For the tests in package store_test: the steps of the goroutines.

func Manual(o Options) Options { o.manual = true; return o }

func (l *Log) StepCommit() error     { return l.commit() }
func (l *Log) StepPrepare() error    { return l.prepare() }
func (l *Log) StepKeep() error       { return l.keep() }
func (l *Log) StepIdle() error       { l.idle.Store(true); return l.commit() }
func (l *Log) StepCheckpoint() error { l.ckptWanted.Store(true); return l.keep() }

func (l *Log) FreeChunks() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.free)
}
