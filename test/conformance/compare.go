package conformance

import (
	"fmt"
	"strings"
)

// noMarks drops the remark that something came only after the last wait.
func noMarks(t []Ev) []Ev {
	var out []Ev
	for _, e := range t {
		if e[0] != "(at the end)" {
			out = append(out, e)
		}
	}
	return out
}

// compare returns 0 equal, 1 only reply texts differ, 2 differ.
func compare(a, b []Ev) int {
	a, b = noMarks(a), noMarks(b)
	r := 0
	if len(a) != len(b) {
		return 2
	}
	for i := range a {
		if a[i][0] != b[i][0] {
			return 2
		}
		if a[i][1] != b[i][1] {
			r = 1
		}
	}
	return r
}

func wrap(s string, w int) []string {
	var out []string
	for len(s) > w {
		out = append(out, s[:w])
		s = "    " + s[w:]
	}
	return append(out, s)
}

func flat(e Ev) string {
	if e[1] != "" {
		return e[0] + "  «" + e[1] + "»"
	}
	return e[0]
}

func sideBySide(a, b []Ev, la, lb string, w int) string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "  %-*s   %s\n", w, la, lb)
	// align on a longest common subsequence of lines
	n, m := len(a), len(b)
	L := make([][]int, n+1)
	for i := range L {
		L[i] = make([]int, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if a[i][0] == b[j][0] {
				L[i][j] = L[i+1][j+1] + 1
			} else {
				L[i][j] = max(L[i+1][j], L[i][j+1])
			}
		}
	}
	row := func(mark, x, y string) {
		xs, ys := wrap(x, w), wrap(y, w)
		for k := 0; k < max(len(xs), len(ys)); k++ {
			p, q := "", ""
			if k < len(xs) {
				p = xs[k]
			}
			if k < len(ys) {
				q = ys[k]
			}
			fmt.Fprintf(&sb, "%s %-*s | %s\n", mark, w, p, q)
			mark = " "
		}
	}
	i, j := 0, 0
	for i < n || j < m {
		switch {
		case i < n && j < m && a[i][0] == b[j][0]:
			mk := " "
			if a[i][1] != b[j][1] {
				mk = "t"
			}
			row(mk, flat(a[i]), flat(b[j]))
			i++
			j++
		case i < n && j < m && L[i+1][j] == L[i][j+1] && L[i+1][j+1] == L[i+1][j]:
			row("*", flat(a[i]), flat(b[j]))
			i++
			j++
		case j >= m || i < n && L[i+1][j] >= L[i][j+1]:
			row("<", flat(a[i]), "")
			i++
		default:
			row(">", "", flat(b[j]))
			j++
		}
	}
	return sb.String()
}
