package wire

// ProtocolHeader opens a connection (section 4.2.2); a server that wants another version answers with it.
const ProtocolHeader = "AMQP\x00\x00\x09\x01"

// ProtocolHeaderSize is how many bytes a client sends before its first frame.
const ProtocolHeaderSize = len(ProtocolHeader)
