package wire

import (
	"encoding/binary"
	"math/bits"
)

// PropertyFlags is a set of content properties, as the flag word that opens a property list.
type PropertyFlags uint16

// ParseProperties decodes flags and property list, headers table and all. Empty props stand for no
// properties. The error is a *PropertiesError.
func ParseProperties(props []byte) (Properties, error) {
	var p Properties
	if len(props) == 0 {
		return p, nil
	}
	flags, err := propertyFlags(props)
	if err != nil {
		return p, err
	}
	p.Flags = flags
	r := reader{b: props[2:]}
	p.parse(&r)
	if err := r.finish(); err != nil {
		return Properties{}, &PropertiesError{Err: err}
	}
	return p, nil
}

// Has says whether all of the properties are present.
func (p *Properties) Has(flags PropertyFlags) bool { return p.Present()&flags == flags }

// ValidateProperties checks flags and property list without allocating: every property in bounds, nothing
// left over. The headers table is skipped by its length; ValidatePropertiesDeep looks into it. Empty props
// stand for no properties. The error is a *PropertiesError.
func ValidateProperties(props []byte) error {
	if len(props) == 0 {
		return nil
	}
	flags, err := propertyFlags(props)
	if err != nil {
		return err
	}
	at := 2
	for flags != 0 {
		var flag PropertyFlags
		flag, flags = firstProperty(flags)
		if at = skipProperty(props, at, flag); at < 0 {
			return &PropertiesError{Err: ErrTruncated}
		}
	}
	if at != len(props) {
		return &PropertiesError{Err: ErrTrailingBytes}
	}
	return nil
}

// ValidatePropertiesDeep is ValidateProperties with the headers table to its bottom. A session calls it for
// every publish: what it lets through reaches consumers unread, and RabbitMQ refuses it too.
func ValidatePropertiesDeep(props []byte) error {
	var v PropertiesView
	if err := v.Parse(props); err != nil {
		return err
	}
	if t, ok := v.Headers(); ok {
		if err := ValidateTable(t); err != nil {
			return &PropertiesError{Err: err}
		}
	}
	return nil
}

// propertyFlags reads the flag word. Class basic has 14 properties, so one word holds them all: the lowest
// bit, which would announce another word (section 4.2.6.1), and the unused one above it are refused, because
// no property could follow from them.
func propertyFlags(props []byte) (PropertyFlags, error) {
	if len(props) < 2 {
		return 0, &PropertiesError{Err: ErrTruncated}
	}
	flags := PropertyFlags(binary.BigEndian.Uint16(props))
	if flags&^allProperties != 0 {
		return 0, &PropertiesError{Err: ErrUnknownProperty}
	}
	return flags, nil
}

// firstProperty splits the highest flag, the first in wire order, off a set that is not empty.
func firstProperty(flags PropertyFlags) (first, others PropertyFlags) {
	first = 1 << (15 - propertyPlace(flags))
	return first, flags &^ first
}

// propertyPlace is the place in wire order of the first property in a set.
func propertyPlace(flags PropertyFlags) int { return bits.LeadingZeros16(uint16(flags)) }

// skipProperty is where the property that begins at a place ends, -1 when that is past the end.
func skipProperty(props []byte, at int, flag PropertyFlags) int {
	rest := uint64(len(props) - at)
	n := uint64(1)
	switch {
	case flag&shortstrProperties != 0:
		if rest != 0 {
			n += uint64(props[at])
		}
	case flag&octetProperties != 0:
	case flag&timestampProperties != 0:
		n = 8
	default: // tableProperties
		n = 4
		if rest >= n {
			n += uint64(binary.BigEndian.Uint32(props[at:]))
		}
	}
	if n > rest {
		return -1
	}
	return at + int(n)
}
