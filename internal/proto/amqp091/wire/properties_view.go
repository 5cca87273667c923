package wire

import "encoding/binary"

// PropertiesView finds single properties in a raw property list. Parse walks the list once, checks it and
// notes where each property stands; nothing is copied or allocated. It lives as long as the bytes do, and can
// be used again for other bytes.
type PropertiesView struct {
	raw   []byte
	flags PropertyFlags
	at    [propertyCount]uint32 // where each present property begins
}

// ParsePropertiesView is Parse into a new view.
func ParsePropertiesView(props []byte) (PropertiesView, error) {
	var v PropertiesView
	err := v.Parse(props)
	return v, err
}

// Parse makes v the view of props, after the checks of ValidateProperties. After an error v has no property.
func (v *PropertiesView) Parse(props []byte) error {
	v.raw, v.flags = props, 0
	if len(props) == 0 {
		return nil
	}
	flags, err := propertyFlags(props)
	if err != nil {
		return err
	}
	at := 2
	for left := flags; left != 0; {
		place := propertyPlace(left)
		flag := PropertyFlags(1) << (15 - place)
		v.at[place] = uint32(at)
		if at = skipProperty(props, at, flag); at < 0 {
			return &PropertiesError{Err: ErrTruncated}
		}
		left &^= flag
	}
	if at != len(props) {
		return &PropertiesError{Err: ErrTrailingBytes}
	}
	v.flags = flags
	return nil
}

// Flags is the set of properties that are present.
func (v *PropertiesView) Flags() PropertyFlags { return v.flags }

// Has says whether all of the properties are present.
func (v *PropertiesView) Has(flags PropertyFlags) bool { return v.flags&flags == flags }

// Raw are the bytes that were parsed.
func (v *PropertiesView) Raw() []byte { return v.raw }

// Persistent says whether the delivery mode asks for the message to survive a restart.
func (v *PropertiesView) Persistent() bool {
	mode, ok := v.DeliveryMode()
	return ok && mode == 2
}

func (v *PropertiesView) shortstr(place int) []byte {
	at := int(v.at[place])
	end := at + 1 + int(v.raw[at])
	return v.raw[at+1 : end : end]
}

func (v *PropertiesView) octet(place int) uint8 { return v.raw[v.at[place]] }

func (v *PropertiesView) timestamp(place int) Timestamp {
	return Timestamp(binary.BigEndian.Uint64(v.raw[v.at[place]:]))
}

func (v *PropertiesView) table(place int) TableView {
	at := int(v.at[place])
	end := at + 4 + int(binary.BigEndian.Uint32(v.raw[at:]))
	return TableView(v.raw[at+4 : end : end])
}
