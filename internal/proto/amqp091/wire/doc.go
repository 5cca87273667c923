// Package wire turns the bytes of AMQP 0-9-1 into Go values and back. It knows bytes and nothing else: no
// sockets, no goroutines, no imports of ours, and no opinion on what a method means.
//
// Inbound, a session fills a buffer and calls ParseFrame until it says that more bytes are needed. A method
// frame's payload begins with the number that PeekMethod reads: basic.publish, ack, nack and reject have
// parsers of their own that allocate nothing (ParseBasicPublish and its neighbours); everything else goes
// through ParseMethod, which returns a pointer to the method's struct. A header frame's payload goes to
// ParseContentHeader, whose Props are looked at through a PropertiesView and kept as the raw bytes they are;
// body frames are payload only.
//
// Outbound, Append functions add whole frames to a buffer that the caller owns and reuses:
// AppendBasicDeliverFrames and its neighbours for content, AppendBasicAckFrame for confirms,
// AppendMethodFrame for the rest.
//
// Everything parsed by a View points into the caller's buffer and lives as long as that does; structs own
// their strings. Any bytes may come in: parsers check each length against what is left before they allocate,
// nesting is bounded by MaxTableDepth, and none of them panics. Encoders cut short strings at 255 bytes,
// because that is all the format can say.
//
// The numbers, structs and property lists in *_gen.go come from spec/amqp0-9-1.json.
package wire

//go:generate go run ../gen
