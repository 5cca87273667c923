package conformance

import (
	"sync"
)

// runSeq runs a sequence; it stops at the first difference.
func runSeq(eps []*Endpoint, ops []string, want []Ev) (a, b []Ev, diff int) {
	fs := make([]*fuzzer, len(eps))
	for i, ep := range eps {
		fs[i] = newFuzzer(ep, ep.prefix("f"))
	}
	defer func() {
		for _, f := range fs {
			f.end()
		}
	}()
	for _, op := range ops {
		outs := make([][]Ev, len(eps))
		var wg sync.WaitGroup
		for i := range fs {
			wg.Add(1)
			go func() { defer wg.Done(); outs[i] = fs[i].step(op) }()
		}
		wg.Wait()
		a = append(a, outs[0]...)
		switch {
		case len(eps) > 1:
			b = append(b, outs[1]...)
			if d := compare(outs[0], outs[1]); d > diff {
				diff = d
			}
		case want != nil:
			k := min(len(a), len(want))
			b = want[:k]
			if d := compare(a, b); d > diff {
				diff = d
			}
		}
		if diff == 2 {
			return
		}
	}
	if len(eps) == 1 && want != nil && len(want) != len(a) {
		return a, want, 2
	}
	if len(eps) == 1 && want == nil {
		b = a
	}
	return
}

func shrink(eps []*Endpoint, ops []string) []string {
	cur := ops
	bad := func(o []string) bool {
		_, _, d := runSeq(eps, o, nil)
		return d == 2
	}
	for size := len(cur) / 2; size >= 1; {
		done := false
		for i := 0; i < len(cur); {
			j := min(i+size, len(cur))
			try := append(append([]string(nil), cur[:i]...), cur[j:]...)
			if len(try) > 0 && bad(try) {
				cur = try
				done = true
			} else {
				i = j
			}
		}
		if !done || size > 1 {
			size /= 2
		}
	}
	return cur
}

// fuzzLength is how many operations the recorded sequences have.
const fuzzLength = 60
