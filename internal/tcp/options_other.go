//go:build !linux

package tcp

// set leaves it to Accept: here connections have nothing of their listener's.
func (o *Options) set(uintptr) error { return nil }
