package sealed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/warrenmq/warren/internal/term"
)

// Erlang's external term format, as far as configuration values go.
const (
	etfFloat    = 70
	etfSmallInt = 97
	etfInt      = 98
	etfAtom     = 100 // Latin-1, of old releases
	etfTuple    = 104
	etfNil      = 106
	etfString   = 107
	etfList     = 108
	etfBinary   = 109
	etfSmallBig = 110
	etfAtomUTF8 = 118
	etfSmallUTF = 119
)

var errTerm = errors.New("not a term of the external format")

func appendTerm(b []byte, t term.Term) ([]byte, error) {
	switch t := t.(type) {
	case term.Atom:
		if len(t) > 255 {
			return nil, fmt.Errorf("an atom of %d characters is too long", len(t))
		}
		return append(append(b, etfSmallUTF, byte(len(t))), t...), nil
	case term.Binary:
		return append(binary.BigEndian.AppendUint32(append(b, etfBinary), uint32(len(t))), t...), nil
	case term.String:
		return appendString(b, string(t))
	case term.Int:
		return appendInt(b, int64(t)), nil
	case term.Float:
		return binary.BigEndian.AppendUint64(append(b, etfFloat), math.Float64bits(float64(t))), nil
	case term.List:
		if len(t) == 0 {
			return append(b, etfNil), nil
		}
		b, err := appendTerms(binary.BigEndian.AppendUint32(append(b, etfList), uint32(len(t))), t)
		return append(b, etfNil), err
	case term.Tuple:
		if len(t) > 255 {
			return nil, errors.New("a tuple of more than 255 elements is too long")
		}
		return appendTerms(append(b, etfTuple, byte(len(t))), t)
	}
	return nil, fmt.Errorf("%s cannot be encoded", t)
}

func appendTerms(b []byte, ts []term.Term) ([]byte, error) {
	var err error
	for _, t := range ts {
		if b, err = appendTerm(b, t); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// appendString writes a list of characters: bytes, if they fit.
func appendString(b []byte, s string) ([]byte, error) {
	if s == "" {
		return append(b, etfNil), nil
	}
	var chars term.List
	small := len(s) < 1<<16
	for _, r := range s {
		chars = append(chars, term.Int(r))
		small = small && r < 256
	}
	if !small {
		return appendTerm(b, chars)
	}
	b = binary.BigEndian.AppendUint16(append(b, etfString), uint16(len(chars)))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b, nil
}

func appendInt(b []byte, n int64) []byte {
	switch {
	case n >= 0 && n < 256:
		return append(b, etfSmallInt, byte(n))
	case n >= math.MinInt32 && n <= math.MaxInt32:
		return binary.BigEndian.AppendUint32(append(b, etfInt), uint32(n))
	}
	sign, u := byte(0), uint64(n)
	if n < 0 {
		sign, u = 1, -u
	}
	return binary.LittleEndian.AppendUint64(append(b, etfSmallBig, 8, sign), u)
}

// maxNesting bounds how deep a term may be.
const maxNesting = 64

func readTerm(b []byte, depth int) (term.Term, []byte, error) {
	if len(b) == 0 || depth > maxNesting {
		return nil, nil, errTerm
	}
	tag, b := b[0], b[1:]
	switch tag {
	case etfSmallInt:
		if len(b) < 1 {
			return nil, nil, errTerm
		}
		return term.Int(b[0]), b[1:], nil
	case etfInt:
		if len(b) < 4 {
			return nil, nil, errTerm
		}
		return term.Int(int32(binary.BigEndian.Uint32(b))), b[4:], nil
	case etfFloat:
		if len(b) < 8 {
			return nil, nil, errTerm
		}
		return term.Float(math.Float64frombits(binary.BigEndian.Uint64(b))), b[8:], nil
	case etfSmallBig:
		return readBig(b)
	case etfNil:
		return term.List{}, b, nil
	case etfSmallUTF:
		s, rest, err := take(b, 1)
		return term.Atom(s), rest, err
	case etfAtom, etfAtomUTF8:
		s, rest, err := take(b, 2)
		return term.Atom(s), rest, err
	case etfString:
		s, rest, err := take(b, 2)
		runes := make([]rune, len(s))
		for i := range s {
			runes[i] = rune(s[i])
		}
		return term.String(runes), rest, err
	case etfBinary:
		s, rest, err := take(b, 4)
		return term.Binary(s), rest, err
	case etfTuple:
		if len(b) < 1 {
			return nil, nil, errTerm
		}
		ts, rest, err := readTerms(b[1:], int(b[0]), depth)
		return term.Tuple(ts), rest, err
	case etfList:
		if len(b) < 4 {
			return nil, nil, errTerm
		}
		n := binary.BigEndian.Uint32(b)
		ts, rest, err := readTerms(b[4:], int(n), depth)
		if err != nil || len(rest) == 0 || rest[0] != etfNil {
			return nil, nil, errTerm
		}
		return term.List(ts), rest[1:], nil
	}
	return nil, nil, errTerm
}

func readTerms(b []byte, n, depth int) ([]term.Term, []byte, error) {
	if n > len(b) {
		return nil, nil, errTerm
	}
	out := make([]term.Term, n)
	for i := range out {
		var err error
		if out[i], b, err = readTerm(b, depth+1); err != nil {
			return nil, nil, err
		}
	}
	return out, b, nil
}

// take reads a length of so many bytes and then as many.
func take(b []byte, size int) ([]byte, []byte, error) {
	if len(b) < size {
		return nil, nil, errTerm
	}
	n := 0
	for _, c := range b[:size] {
		n = n<<8 | int(c)
	}
	b = b[size:]
	if n > len(b) {
		return nil, nil, errTerm
	}
	return b[:n], b[n:], nil
}

func readBig(b []byte) (term.Term, []byte, error) {
	if len(b) < 2 || int(b[0]) > 8 || len(b) < 2+int(b[0]) {
		return nil, nil, errTerm
	}
	n, sign := int(b[0]), b[1]
	var u uint64
	for i := n - 1; i >= 0; i-- {
		u = u<<8 | uint64(b[2+i])
	}
	if u > math.MaxInt64 {
		return nil, nil, errTerm
	}
	if sign != 0 {
		return term.Int(-int64(u)), b[2+n:], nil
	}
	return term.Int(u), b[2+n:], nil
}
