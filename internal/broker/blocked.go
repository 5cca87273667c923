package broker

import "sync/atomic"

// blockedState is whether publishing is blocked, and why.
type blockedState struct{ why atomic.Pointer[string] }

func (s *blockedState) reason() string {
	if p := s.why.Load(); p != nil {
		return *p
	}
	return ""
}

// onBlocked is told by the store that the disk is full or has room again.
func (b *Broker) onBlocked(reason string, blocked bool) {
	if !blocked {
		b.blocked.why.Store(nil)
		b.logger.Info("publishing goes on: the disk has room again")
		return
	}
	b.blocked.why.Store(&reason)
	b.logger.Error("publishing is blocked", "reason", reason)
}

// Blocked returns why publishing is blocked, or "". Throttle waits until it is
// not.
func (b *Broker) Blocked() string { return b.blocked.reason() }
