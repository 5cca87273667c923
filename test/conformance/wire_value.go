package conformance

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
)

type Value struct {
	T byte // AMQP type letter
	I int64
	U uint64
	F float64
	S string
	A []Value
	M Table
	E byte // decimal scale
}
type KV struct {
	K string
	V Value
}
type Table []KV

func (v Value) enc(b []byte) []byte {
	b = append(b, v.T)
	switch v.T {
	case 't', 'b', 'B':
		b = append(b, byte(v.I))
	case 's', 'u':
		b = binary.BigEndian.AppendUint16(b, uint16(v.I))
	case 'I', 'i':
		b = binary.BigEndian.AppendUint32(b, uint32(v.I))
	case 'l', 'L':
		b = binary.BigEndian.AppendUint64(b, uint64(v.I))
	case 'T':
		b = binary.BigEndian.AppendUint64(b, uint64(v.I))
	case 'f':
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(float32(v.F)))
	case 'd':
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(v.F))
	case 'D':
		b = append(b, v.E)
		b = binary.BigEndian.AppendUint32(b, uint32(v.I))
	case 'S', 'x':
		b = binary.BigEndian.AppendUint32(b, uint32(len(v.S)))
		b = append(b, v.S...)
	case 'A':
		var in []byte
		for _, e := range v.A {
			in = e.enc(in)
		}
		b = binary.BigEndian.AppendUint32(b, uint32(len(in)))
		b = append(b, in...)
	case 'F':
		b = encTable(b, v.M)
	case 'V':
	}
	return b
}

func encTable(b []byte, t Table) []byte {
	var in []byte
	for _, kv := range t {
		in = append(in, byte(len(kv.K)))
		in = append(in, kv.K...)
		in = kv.V.enc(in)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(in)))
	return append(b, in...)
}

func (v Value) String() string {
	switch v.T {
	case 't':
		if v.I == 0 {
			return "false"
		}
		return "true"
	case 'f', 'd':
		return string(v.T) + strconv.FormatFloat(v.F, 'g', -1, 64)
	case 'D':
		return fmt.Sprintf("D%d/%d", v.I, v.E)
	case 'S':
		return qs(v.S)
	case 'x':
		return "x" + qs(v.S)
	case 'A':
		var s []string
		for _, e := range v.A {
			s = append(s, e.String())
		}
		return "[" + strings.Join(s, ", ") + "]"
	case 'F':
		return v.M.String()
	case 'V':
		return "V"
	case 'L':
		return fmt.Sprintf("L%d", uint64(v.I))
	}
	return fmt.Sprintf("%c%d", v.T, v.I)
}

func qs(s string) string {
	if len(s) > 300 {
		return fmt.Sprintf("<%d bytes fnv %08x %s...>", len(s), fnv32(s), strconv.Quote(s[:16]))
	}
	return strconv.Quote(s)
}
func fnv32(s string) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

func (t Table) String() string {
	c := append(Table(nil), t...)
	sort.SliceStable(c, func(i, j int) bool { return c[i].K < c[j].K })
	var s []string
	for _, kv := range c {
		s = append(s, kv.K+":"+kv.V.String())
	}
	return "{" + strings.Join(s, ", ") + "}"
}
