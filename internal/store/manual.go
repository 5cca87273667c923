package store

// In manual mode (tests) no goroutine runs; the steps of the committer, the
// preparer and the keeper are taken by whoever needs them. What happens is
// then a function of the calls alone.

func (l *Log) syncManual(pos Position, forced bool) error {
	if pos >= l.End() {
		pos = l.End() - 1
	}
	for range 3 {
		if forced && Position(l.synced.Load()) > pos || !forced && l.Durable() > pos {
			return nil
		}
		w := make(syncWaiter, 1)
		l.notify(w, forced)
		if err := l.commit(); err != nil {
			return err
		}
		select {
		case err := <-w:
			if err != nil {
				return err
			}
		default:
		}
	}
	return ErrNoSpace
}
