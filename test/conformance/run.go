package conformance

// RunCase runs a case that needs no restart and returns its trace.
func RunCase(ep *Endpoint, c *Case) []Ev {
	r := newRun(ep, ep.prefix("t"))
	r.steps(c.lines)
	r.finish()
	return r.trace
}
