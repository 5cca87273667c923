package main

import "strings"

// goName turns a name of the specification into an exported Go identifier: "consumer-tag" is ConsumerTag.
func goName(s string) string {
	var b strings.Builder
	for _, w := range strings.Split(s, "-") {
		switch w {
		case "id":
			b.WriteString("ID")
		case "nowait": // confirm.select spells it so, every other method no-wait
			b.WriteString("NoWait")
		default:
			b.WriteString(strings.ToUpper(w[:1]) + w[1:])
		}
	}
	return b.String()
}

// localName is goName for a local variable or an unexported function.
func localName(s string) string {
	n := goName(s)
	return strings.ToLower(n[:1]) + n[1:]
}

// replyName is the spelling that RabbitMQ puts before an error's text: NOT_FOUND.
func replyName(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "_")) }

// domainTypes are the domains that have a Go type of their own.
var domainTypes = map[string]string{
	"delivery-tag": "DeliveryTag",
	"reply-code":   "ReplyCode",
	"class-id":     "ClassID",
}

// wireTypes maps the types of section 4.2.1 to Go types.
var wireTypes = map[string]string{
	"bit":       "bool",
	"octet":     "uint8",
	"short":     "uint16",
	"long":      "uint32",
	"longlong":  "uint64",
	"shortstr":  "string",
	"longstr":   "string",
	"timestamp": "Timestamp",
	"table":     "Table",
}

// zeros are the literals that reserved fields are sent as.
var zeros = map[string]string{
	"octet": "0", "short": "0", "long": "0", "longlong": "0", "timestamp": "0",
	"shortstr": `""`, "longstr": `""`, "table": "nil",
}

// goType is the Go type of a field. check has resolved every domain before.
func (f *Facts) goType(x Field) string {
	if t, ok := domainTypes[x.Domain]; ok {
		return t
	}
	t, _ := f.wireType(x.Domain)
	return wireTypes[t]
}
