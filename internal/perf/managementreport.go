package perf

import (
	"fmt"
	"io"
	"strings"
)

func (rep *ManagementReport) rows() (views, figures [][]string) {
	views = [][]string{{"view", "ms", "bytes"}}
	for _, v := range rep.Views {
		views = append(views, []string{v.Name, v.Took.String(), thousands(v.Bytes)})
	}
	figures = [][]string{{"figure", "value"}}
	if rep.IdleCPU > 0 || rep.WatchedCPU > 0 {
		figures = append(figures, []string{"CPU of the broker at rest, % of a core", number(rep.IdleCPU)},
			[]string{"the same with a scrape every second and the page's requests every five, %", number(rep.WatchedCPU)})
	}
	if rep.Rate != (Spread{}) {
		figures = append(figures, []string{"throughput (16 B) with them, times that without", rep.Rate.String()})
	}
	if rep.Cost != (Spread{}) {
		figures = append(figures, []string{"CPU per message with them, times that without", rep.Cost.String()})
	}
	return views, figures
}

// WriteMarkdown prints the report for a document.
func (rep *ManagementReport) WriteMarkdown(w io.Writer) error {
	return rep.write(w, markdown)
}

// WriteText prints the report for a terminal.
func (rep *ManagementReport) WriteText(w io.Writer) error {
	return rep.write(w, align)
}

func (rep *ManagementReport) write(w io.Writer, table func([][]string) string) error {
	views, figures := rep.rows()
	var b strings.Builder
	fmt.Fprintf(&b, "%s durable queues, %s connections with a channel each\n\n%s", thousands(int64(rep.Queues)), thousands(int64(rep.Connections)), table(views))
	if len(figures) > 1 {
		b.WriteString("\n" + table(figures))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
