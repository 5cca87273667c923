package wire

// PropertyEdit is a change to a raw property list that leaves every other property as it was sent: what
// dead-lettering does to expiration and headers, or direct reply-to to reply-to.
type PropertyEdit struct {
	// Remove lists properties to leave out.
	Remove PropertyFlags
	// Set has properties to add or to replace; it wins over Remove. Nil sets nothing.
	Set *Properties
	// Headers, when not nil, is the content of the new headers table; it wins over Set.
	Headers TableView
}

// AppendEditedProperties adds props with the edit applied to dst. Empty props stand for no properties. dst must
// not share its spare room with props. The error is a *PropertiesError; dst is then returned as it was.
func AppendEditedProperties(dst, props []byte, edit PropertyEdit) ([]byte, error) {
	var v PropertiesView
	if err := v.Parse(props); err != nil {
		return dst, err
	}
	var set PropertyFlags
	if edit.Set != nil {
		set = edit.Set.Present()
	}
	if edit.Headers != nil {
		set |= FlagHeaders
	}
	flags := v.flags&^edit.Remove | set
	dst = appendShort(dst, uint16(flags))
	for flags != 0 {
		place := propertyPlace(flags)
		flag := PropertyFlags(1) << (15 - place)
		switch {
		case flag == FlagHeaders && edit.Headers != nil:
			dst = appendLong(dst, uint32(len(edit.Headers)))
			dst = append(dst, edit.Headers...)
		case set&flag != 0:
			dst = edit.Set.appendOne(dst, flag)
		default:
			at := int(v.at[place])
			dst = append(dst, props[at:skipProperty(props, at, flag)]...)
		}
		flags &^= flag
	}
	return dst, nil
}
