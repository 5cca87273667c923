package wire

import "fmt"

// ChannelID numbers a channel of a connection; 0 is the connection itself (section 4.2.3).
type ChannelID uint16

// DeliveryTag numbers a delivery, or a publish in confirm mode, within its channel. 0 stands for "all so far"
// in an acknowledgement with multiple.
type DeliveryTag uint64

// ClassID numbers a class of methods.
type ClassID uint16

// MethodID numbers a method: the class in the upper 16 bits, the method within the class in the lower.
type MethodID uint32

// FrameType says what a frame's payload is.
type FrameType uint8

// Timestamp is a moment in seconds since 1970 (section 4.2.5.4): a property, or a table value of type T.
type Timestamp uint64

// Class is the class that the method belongs to.
func (id MethodID) Class() ClassID { return ClassID(id >> 16) }

// Method is the method's number within its class, as connection.close and channel.close carry it.
func (id MethodID) Method() uint16 { return uint16(id) }

// Known says whether the protocol has this type of frame.
func (t FrameType) Known() bool {
	return t == FrameMethod || t == FrameHeader || t == FrameBody || t == FrameHeartbeat
}

func unknownClassName(id ClassID) string { return fmt.Sprintf("class %d", uint16(id)) }

func unknownMethodName(id MethodID) string {
	return fmt.Sprintf("method %d.%d", uint16(id.Class()), id.Method())
}
