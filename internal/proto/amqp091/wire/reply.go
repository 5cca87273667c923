package wire

import "fmt"

// ReplyCode is the number in connection.close, channel.close and basic.return.
type ReplyCode uint16

// Text is the reply text that RabbitMQ sends for an error: the constant's name and the detail, as in
// "NOT_FOUND - no queue 'q' in vhost '/'". A text that does not fit into a short string ends in "...".
func (c ReplyCode) Text(detail string) string {
	s := c.String()
	if detail != "" {
		s += " - " + detail
	}
	if len(s) > maxShortstr {
		s = s[:maxShortstr-3] + "..."
	}
	return s
}

func unknownReplyName(c ReplyCode) string { return fmt.Sprintf("reply code %d", uint16(c)) }
