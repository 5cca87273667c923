package conformance

import (
	"fmt"
	"strings"
)

// Diff tells how a trace differs from the golden one, in lines to compare and
// to keep: "@n" is a line number of the golden trace, "-" lines are in it, "+"
// lines instead in ours. "" if the traces are equal.
func Diff(golden, ours []Ev) string {
	g, o := flatten(golden), flatten(ours)
	common := lcs(g, o)
	var sb strings.Builder
	var minus, plus []string
	at := 0
	flush := func(i int) {
		if len(minus)+len(plus) > 0 {
			fmt.Fprintf(&sb, "@%d\n", at+1)
			for _, l := range minus {
				sb.WriteString("- " + l + "\n")
			}
			for _, l := range plus {
				sb.WriteString("+ " + l + "\n")
			}
		}
		minus, plus, at = nil, nil, i
	}
	i, j := 0, 0
	for i < len(g) || j < len(o) {
		switch {
		case i < len(g) && j < len(o) && g[i] == o[j]:
			flush(i + 1)
			i, j = i+1, j+1
			at = i
		case j >= len(o) || i < len(g) && common[i+1][j] >= common[i][j+1]:
			minus = append(minus, g[i])
			i++
		default:
			plus = append(plus, o[j])
			j++
		}
	}
	flush(i)
	return sb.String()
}

// flatten drops the remark that something came only after the last wait.
func flatten(t []Ev) []string {
	var out []string
	for _, e := range noMarks(t) {
		out = append(out, flat(e))
	}
	return out
}

// lcs has, for every pair of positions, how many lines the rests have in common.
func lcs(a, b []string) [][]int {
	n := make([][]int, len(a)+1)
	for i := range n {
		n[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				n[i][j] = n[i+1][j+1] + 1
			} else {
				n[i][j] = max(n[i+1][j], n[i][j+1])
			}
		}
	}
	return n
}
