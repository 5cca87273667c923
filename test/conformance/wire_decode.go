package conformance

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

var errShort = errors.New("short data")

type dec struct {
	b    []byte
	err  error
	bits int
	bitv byte
}

func (d *dec) take(n int) []byte {
	d.bits = 0
	if d.err != nil || n < 0 || n > len(d.b) {
		d.err = errShort
		return make([]byte, min(max(n, 0), 16))
	}
	r := d.b[:n]
	d.b = d.b[n:]
	return r
}
func (d *dec) u8() byte    { return d.take(1)[0] }
func (d *dec) u16() uint16 { return binary.BigEndian.Uint16(d.take(2)) }
func (d *dec) u32() uint32 { return binary.BigEndian.Uint32(d.take(4)) }
func (d *dec) u64() uint64 { return binary.BigEndian.Uint64(d.take(8)) }
func (d *dec) sstr() string {
	n := int(d.u8())
	if d.err != nil {
		return ""
	}
	return string(d.take(n))
}
func (d *dec) lstr() string {
	n := int(d.u32())
	if d.err != nil {
		return ""
	}
	return string(d.take(n))
}
func (d *dec) bit() bool {
	if d.bits == 0 {
		v := d.u8()
		d.bitv = v
		d.bits = 8
	}
	r := d.bitv&1 == 1
	d.bitv >>= 1
	d.bits--
	return r
}
func (d *dec) value() Value {
	v := Value{T: d.u8()}
	switch v.T {
	case 't', 'B':
		v.I = int64(d.u8())
	case 'b':
		v.I = int64(int8(d.u8()))
	case 's':
		v.I = int64(int16(d.u16()))
	case 'u':
		v.I = int64(d.u16())
	case 'I':
		v.I = int64(int32(d.u32()))
	case 'i':
		v.I = int64(d.u32())
	case 'l', 'L', 'T':
		v.I = int64(d.u64())
	case 'f':
		v.F = float64(math.Float32frombits(d.u32()))
	case 'd':
		v.F = math.Float64frombits(d.u64())
	case 'D':
		v.E = d.u8()
		v.I = int64(int32(d.u32()))
	case 'S', 'x':
		v.S = d.lstr()
	case 'A':
		n := int(d.u32())
		if d.err != nil {
			return v
		}
		in := &dec{b: d.take(n)}
		for d.err == nil && in.err == nil && len(in.b) > 0 {
			v.A = append(v.A, in.value())
		}
		if in.err != nil {
			d.err = in.err
		}
	case 'F':
		v.M = d.table()
	case 'V':
	default:
		d.err = fmt.Errorf("unknown field type %q", v.T)
	}
	return v
}
func (d *dec) table() Table {
	n := int(d.u32())
	if d.err != nil {
		return nil
	}
	in := &dec{b: d.take(n)}
	var t Table
	for d.err == nil && in.err == nil && len(in.b) > 0 {
		k := in.sstr()
		t = append(t, KV{k, in.value()})
	}
	if in.err != nil {
		d.err = in.err
	}
	return t
}
