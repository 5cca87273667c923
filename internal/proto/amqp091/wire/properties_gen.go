// Code generated from spec/amqp0-9-1.json by internal/proto/amqp091/gen. DO NOT EDIT.

package wire

// Flags of the basic properties, in wire order from the highest bit (section 4.2.6.1).
const (
	FlagContentType     PropertyFlags = 1 << 15
	FlagContentEncoding PropertyFlags = 1 << 14
	FlagHeaders         PropertyFlags = 1 << 13
	FlagDeliveryMode    PropertyFlags = 1 << 12
	FlagPriority        PropertyFlags = 1 << 11
	FlagCorrelationID   PropertyFlags = 1 << 10
	FlagReplyTo         PropertyFlags = 1 << 9
	FlagExpiration      PropertyFlags = 1 << 8
	FlagMessageID       PropertyFlags = 1 << 7
	FlagTimestamp       PropertyFlags = 1 << 6
	FlagType            PropertyFlags = 1 << 5
	FlagUserID          PropertyFlags = 1 << 4
	FlagAppID           PropertyFlags = 1 << 3
	FlagClusterID       PropertyFlags = 1 << 2
)

const propertyCount = 14

// Places of the properties in wire order.
const (
	atContentType     = 0
	atContentEncoding = 1
	atHeaders         = 2
	atDeliveryMode    = 3
	atPriority        = 4
	atCorrelationID   = 5
	atReplyTo         = 6
	atExpiration      = 7
	atMessageID       = 8
	atTimestamp       = 9
	atType            = 10
	atUserID          = 11
	atAppID           = 12
	atClusterID       = 13
)

// The properties by how they are laid out.
const (
	shortstrProperties  = FlagContentType | FlagContentEncoding | FlagCorrelationID | FlagReplyTo | FlagExpiration | FlagMessageID | FlagType | FlagUserID | FlagAppID | FlagClusterID
	octetProperties     = FlagDeliveryMode | FlagPriority
	timestampProperties = FlagTimestamp
	tableProperties     = FlagHeaders
	allProperties       = shortstrProperties | octetProperties | timestampProperties | tableProperties
)

// Properties are the basic properties, decoded.
//
// A property is present when its flag is set, or when its field is not the zero value; so an empty string
// that was sent stays an empty string, and setting a field is enough to send it. Remove makes one absent.
type Properties struct {
	Flags           PropertyFlags
	ContentType     string
	ContentEncoding string
	Headers         Table
	DeliveryMode    uint8
	Priority        uint8
	CorrelationID   string
	ReplyTo         string
	Expiration      string
	MessageID       string
	Timestamp       Timestamp
	Type            string
	UserID          string
	AppID           string
	ClusterID       string
}

// Present is the set of properties that Append will write.
func (p *Properties) Present() PropertyFlags {
	flags := p.Flags & allProperties
	if p.ContentType != "" {
		flags |= FlagContentType
	}
	if p.ContentEncoding != "" {
		flags |= FlagContentEncoding
	}
	if p.Headers != nil {
		flags |= FlagHeaders
	}
	if p.DeliveryMode != 0 {
		flags |= FlagDeliveryMode
	}
	if p.Priority != 0 {
		flags |= FlagPriority
	}
	if p.CorrelationID != "" {
		flags |= FlagCorrelationID
	}
	if p.ReplyTo != "" {
		flags |= FlagReplyTo
	}
	if p.Expiration != "" {
		flags |= FlagExpiration
	}
	if p.MessageID != "" {
		flags |= FlagMessageID
	}
	if p.Timestamp != 0 {
		flags |= FlagTimestamp
	}
	if p.Type != "" {
		flags |= FlagType
	}
	if p.UserID != "" {
		flags |= FlagUserID
	}
	if p.AppID != "" {
		flags |= FlagAppID
	}
	if p.ClusterID != "" {
		flags |= FlagClusterID
	}
	return flags
}

// Remove makes the properties absent.
func (p *Properties) Remove(flags PropertyFlags) {
	p.Flags &^= flags
	if flags&FlagContentType != 0 {
		p.ContentType = ""
	}
	if flags&FlagContentEncoding != 0 {
		p.ContentEncoding = ""
	}
	if flags&FlagHeaders != 0 {
		p.Headers = nil
	}
	if flags&FlagDeliveryMode != 0 {
		p.DeliveryMode = 0
	}
	if flags&FlagPriority != 0 {
		p.Priority = 0
	}
	if flags&FlagCorrelationID != 0 {
		p.CorrelationID = ""
	}
	if flags&FlagReplyTo != 0 {
		p.ReplyTo = ""
	}
	if flags&FlagExpiration != 0 {
		p.Expiration = ""
	}
	if flags&FlagMessageID != 0 {
		p.MessageID = ""
	}
	if flags&FlagTimestamp != 0 {
		p.Timestamp = 0
	}
	if flags&FlagType != 0 {
		p.Type = ""
	}
	if flags&FlagUserID != 0 {
		p.UserID = ""
	}
	if flags&FlagAppID != 0 {
		p.AppID = ""
	}
	if flags&FlagClusterID != 0 {
		p.ClusterID = ""
	}
}

// Append adds the flag word and the property list to dst.
func (p *Properties) Append(dst []byte) []byte {
	flags := p.Present()
	dst = appendShort(dst, uint16(flags))
	if flags&FlagContentType != 0 {
		dst = appendShortstr(dst, p.ContentType)
	}
	if flags&FlagContentEncoding != 0 {
		dst = appendShortstr(dst, p.ContentEncoding)
	}
	if flags&FlagHeaders != 0 {
		dst = appendTable(dst, p.Headers)
	}
	if flags&FlagDeliveryMode != 0 {
		dst = appendOctet(dst, p.DeliveryMode)
	}
	if flags&FlagPriority != 0 {
		dst = appendOctet(dst, p.Priority)
	}
	if flags&FlagCorrelationID != 0 {
		dst = appendShortstr(dst, p.CorrelationID)
	}
	if flags&FlagReplyTo != 0 {
		dst = appendShortstr(dst, p.ReplyTo)
	}
	if flags&FlagExpiration != 0 {
		dst = appendShortstr(dst, p.Expiration)
	}
	if flags&FlagMessageID != 0 {
		dst = appendShortstr(dst, p.MessageID)
	}
	if flags&FlagTimestamp != 0 {
		dst = appendTimestamp(dst, p.Timestamp)
	}
	if flags&FlagType != 0 {
		dst = appendShortstr(dst, p.Type)
	}
	if flags&FlagUserID != 0 {
		dst = appendShortstr(dst, p.UserID)
	}
	if flags&FlagAppID != 0 {
		dst = appendShortstr(dst, p.AppID)
	}
	if flags&FlagClusterID != 0 {
		dst = appendShortstr(dst, p.ClusterID)
	}
	return dst
}

// appendOne adds the value of one property to dst.
func (p *Properties) appendOne(dst []byte, flag PropertyFlags) []byte {
	switch flag {
	case FlagContentType:
		return appendShortstr(dst, p.ContentType)
	case FlagContentEncoding:
		return appendShortstr(dst, p.ContentEncoding)
	case FlagHeaders:
		return appendTable(dst, p.Headers)
	case FlagDeliveryMode:
		return appendOctet(dst, p.DeliveryMode)
	case FlagPriority:
		return appendOctet(dst, p.Priority)
	case FlagCorrelationID:
		return appendShortstr(dst, p.CorrelationID)
	case FlagReplyTo:
		return appendShortstr(dst, p.ReplyTo)
	case FlagExpiration:
		return appendShortstr(dst, p.Expiration)
	case FlagMessageID:
		return appendShortstr(dst, p.MessageID)
	case FlagTimestamp:
		return appendTimestamp(dst, p.Timestamp)
	case FlagType:
		return appendShortstr(dst, p.Type)
	case FlagUserID:
		return appendShortstr(dst, p.UserID)
	case FlagAppID:
		return appendShortstr(dst, p.AppID)
	case FlagClusterID:
		return appendShortstr(dst, p.ClusterID)
	}
	return dst
}

func (p *Properties) parse(r *reader) {
	if p.Flags&FlagContentType != 0 {
		p.ContentType = r.shortstr()
	}
	if p.Flags&FlagContentEncoding != 0 {
		p.ContentEncoding = r.shortstr()
	}
	if p.Flags&FlagHeaders != 0 {
		p.Headers = r.table()
	}
	if p.Flags&FlagDeliveryMode != 0 {
		p.DeliveryMode = r.octet()
	}
	if p.Flags&FlagPriority != 0 {
		p.Priority = r.octet()
	}
	if p.Flags&FlagCorrelationID != 0 {
		p.CorrelationID = r.shortstr()
	}
	if p.Flags&FlagReplyTo != 0 {
		p.ReplyTo = r.shortstr()
	}
	if p.Flags&FlagExpiration != 0 {
		p.Expiration = r.shortstr()
	}
	if p.Flags&FlagMessageID != 0 {
		p.MessageID = r.shortstr()
	}
	if p.Flags&FlagTimestamp != 0 {
		p.Timestamp = r.timestamp()
	}
	if p.Flags&FlagType != 0 {
		p.Type = r.shortstr()
	}
	if p.Flags&FlagUserID != 0 {
		p.UserID = r.shortstr()
	}
	if p.Flags&FlagAppID != 0 {
		p.AppID = r.shortstr()
	}
	if p.Flags&FlagClusterID != 0 {
		p.ClusterID = r.shortstr()
	}
}

// ContentType is the content-type property, and whether it is present. Bytes point into the content header.
func (v *PropertiesView) ContentType() ([]byte, bool) {
	if v.flags&FlagContentType == 0 {
		return nil, false
	}
	return v.shortstr(atContentType), true
}

// ContentEncoding is the content-encoding property, and whether it is present. Bytes point into the content header.
func (v *PropertiesView) ContentEncoding() ([]byte, bool) {
	if v.flags&FlagContentEncoding == 0 {
		return nil, false
	}
	return v.shortstr(atContentEncoding), true
}

// Headers is the headers property, and whether it is present. Bytes point into the content header.
func (v *PropertiesView) Headers() (TableView, bool) {
	if v.flags&FlagHeaders == 0 {
		return nil, false
	}
	return v.table(atHeaders), true
}

// DeliveryMode is the delivery-mode property, and whether it is present. Bytes point into the content header.
func (v *PropertiesView) DeliveryMode() (uint8, bool) {
	if v.flags&FlagDeliveryMode == 0 {
		return 0, false
	}
	return v.octet(atDeliveryMode), true
}

// Priority is the priority property, and whether it is present. Bytes point into the content header.
func (v *PropertiesView) Priority() (uint8, bool) {
	if v.flags&FlagPriority == 0 {
		return 0, false
	}
	return v.octet(atPriority), true
}

// CorrelationID is the correlation-id property, and whether it is present. Bytes point into the content header.
func (v *PropertiesView) CorrelationID() ([]byte, bool) {
	if v.flags&FlagCorrelationID == 0 {
		return nil, false
	}
	return v.shortstr(atCorrelationID), true
}

// ReplyTo is the reply-to property, and whether it is present. Bytes point into the content header.
func (v *PropertiesView) ReplyTo() ([]byte, bool) {
	if v.flags&FlagReplyTo == 0 {
		return nil, false
	}
	return v.shortstr(atReplyTo), true
}

// Expiration is the expiration property, and whether it is present. Bytes point into the content header.
func (v *PropertiesView) Expiration() ([]byte, bool) {
	if v.flags&FlagExpiration == 0 {
		return nil, false
	}
	return v.shortstr(atExpiration), true
}

// MessageID is the message-id property, and whether it is present. Bytes point into the content header.
func (v *PropertiesView) MessageID() ([]byte, bool) {
	if v.flags&FlagMessageID == 0 {
		return nil, false
	}
	return v.shortstr(atMessageID), true
}

// Timestamp is the timestamp property, and whether it is present. Bytes point into the content header.
func (v *PropertiesView) Timestamp() (Timestamp, bool) {
	if v.flags&FlagTimestamp == 0 {
		return 0, false
	}
	return v.timestamp(atTimestamp), true
}

// Type is the type property, and whether it is present. Bytes point into the content header.
func (v *PropertiesView) Type() ([]byte, bool) {
	if v.flags&FlagType == 0 {
		return nil, false
	}
	return v.shortstr(atType), true
}

// UserID is the user-id property, and whether it is present. Bytes point into the content header.
func (v *PropertiesView) UserID() ([]byte, bool) {
	if v.flags&FlagUserID == 0 {
		return nil, false
	}
	return v.shortstr(atUserID), true
}

// AppID is the app-id property, and whether it is present. Bytes point into the content header.
func (v *PropertiesView) AppID() ([]byte, bool) {
	if v.flags&FlagAppID == 0 {
		return nil, false
	}
	return v.shortstr(atAppID), true
}

// ClusterID is the cluster-id property, and whether it is present. Bytes point into the content header.
func (v *PropertiesView) ClusterID() ([]byte, bool) {
	if v.flags&FlagClusterID == 0 {
		return nil, false
	}
	return v.shortstr(atClusterID), true
}
