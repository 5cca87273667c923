package conformance

import (
	"encoding/binary"
	"fmt"
	"strings"
)

type Args map[string]any // string, int64/uint64, bool, Table

func encodeMethod(m *methodSpec, a Args) []byte {
	b := binary.BigEndian.AppendUint16(nil, m.class)
	b = binary.BigEndian.AppendUint16(b, m.id)
	return append(b, encodeFields(m.fields, a)...)
}

func num(v any) uint64 {
	switch x := v.(type) {
	case uint64:
		return x
	case int64:
		return uint64(x)
	case int:
		return uint64(x)
	}
	return 0
}

func encodeFields(fs []field, a Args) []byte {
	var b []byte
	bit := -1
	for _, f := range fs {
		v := a[f.name]
		if f.typ == "bit" {
			if bit < 0 || bit > 7 {
				b = append(b, 0)
				bit = 0
			}
			if x, _ := v.(bool); x {
				b[len(b)-1] |= 1 << bit
			}
			bit++
			continue
		}
		bit = -1
		switch f.typ {
		case "octet":
			b = append(b, byte(num(v)))
		case "short":
			b = binary.BigEndian.AppendUint16(b, uint16(num(v)))
		case "long":
			b = binary.BigEndian.AppendUint32(b, uint32(num(v)))
		case "longlong":
			b = binary.BigEndian.AppendUint64(b, num(v))
		case "shortstr":
			s, _ := v.(string)
			b = append(b, byte(len(s)))
			b = append(b, s...)
		case "longstr":
			s, _ := v.(string)
			b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
			b = append(b, s...)
		case "table":
			t, _ := v.(Table)
			b = encTable(b, t)
		}
	}
	return b
}

func decodeFields(fs []field, b []byte) (Args, error) {
	d := &dec{b: b}
	a := Args{}
	for _, f := range fs {
		switch f.typ {
		case "bit":
			a[f.name] = d.bit()
		case "octet":
			a[f.name] = uint64(d.u8())
		case "short":
			a[f.name] = uint64(d.u16())
		case "long":
			a[f.name] = uint64(d.u32())
		case "longlong":
			a[f.name] = d.u64()
		case "shortstr":
			a[f.name] = d.sstr()
		case "longstr":
			a[f.name] = d.lstr()
		case "table":
			a[f.name] = d.table()
			d.bits = 0
		}
	}
	if d.err == nil && len(d.b) > 0 {
		d.err = fmt.Errorf("%d trailing bytes", len(d.b))
	}
	return a, d.err
}

func encodeProps(a Args) []byte {
	var flags uint16
	var fs []field
	for i, f := range propFields {
		if _, ok := a[f.name]; ok {
			flags |= 1 << (15 - i)
			fs = append(fs, f)
		}
	}
	return append(binary.BigEndian.AppendUint16(nil, flags), encodeFields(fs, a)...)
}

func decodeProps(b []byte) (Args, error) {
	d := &dec{b: b}
	flags := d.u16()
	if d.err != nil {
		return nil, d.err
	}
	var fs []field
	for i, f := range propFields {
		if flags&(1<<(15-i)) != 0 {
			fs = append(fs, f)
		}
	}
	return decodeFields(fs, d.b)
}

func fmtArgs(fs []field, a Args, skip string) string {
	var s []string
	for _, f := range fs {
		v, ok := a[f.name]
		if !ok || f.name == skip {
			continue
		}
		switch x := v.(type) {
		case string:
			s = append(s, f.name+"="+qs(x))
		case Table:
			s = append(s, f.name+"="+x.String())
		default:
			s = append(s, fmt.Sprintf("%s=%v", f.name, x))
		}
	}
	return strings.Join(s, " ")
}
