// Code generated from spec/amqp0-9-1.json by internal/proto/amqp091/gen. DO NOT EDIT.

package wire

// newMethod is an empty struct for a method, nil when the protocol has no such method.
func newMethod(id MethodID) parsable {
	switch id {
	case MethodConnectionStart:
		return new(ConnectionStart)
	case MethodConnectionStartOk:
		return new(ConnectionStartOk)
	case MethodConnectionSecure:
		return new(ConnectionSecure)
	case MethodConnectionSecureOk:
		return new(ConnectionSecureOk)
	case MethodConnectionTune:
		return new(ConnectionTune)
	case MethodConnectionTuneOk:
		return new(ConnectionTuneOk)
	case MethodConnectionOpen:
		return new(ConnectionOpen)
	case MethodConnectionOpenOk:
		return new(ConnectionOpenOk)
	case MethodConnectionClose:
		return new(ConnectionClose)
	case MethodConnectionCloseOk:
		return new(ConnectionCloseOk)
	case MethodConnectionBlocked:
		return new(ConnectionBlocked)
	case MethodConnectionUnblocked:
		return new(ConnectionUnblocked)
	case MethodConnectionUpdateSecret:
		return new(ConnectionUpdateSecret)
	case MethodConnectionUpdateSecretOk:
		return new(ConnectionUpdateSecretOk)
	case MethodChannelOpen:
		return new(ChannelOpen)
	case MethodChannelOpenOk:
		return new(ChannelOpenOk)
	case MethodChannelFlow:
		return new(ChannelFlow)
	case MethodChannelFlowOk:
		return new(ChannelFlowOk)
	case MethodChannelClose:
		return new(ChannelClose)
	case MethodChannelCloseOk:
		return new(ChannelCloseOk)
	case MethodAccessRequest:
		return new(AccessRequest)
	case MethodAccessRequestOk:
		return new(AccessRequestOk)
	case MethodExchangeDeclare:
		return new(ExchangeDeclare)
	case MethodExchangeDeclareOk:
		return new(ExchangeDeclareOk)
	case MethodExchangeDelete:
		return new(ExchangeDelete)
	case MethodExchangeDeleteOk:
		return new(ExchangeDeleteOk)
	case MethodExchangeBind:
		return new(ExchangeBind)
	case MethodExchangeBindOk:
		return new(ExchangeBindOk)
	case MethodExchangeUnbind:
		return new(ExchangeUnbind)
	case MethodExchangeUnbindOk:
		return new(ExchangeUnbindOk)
	case MethodQueueDeclare:
		return new(QueueDeclare)
	case MethodQueueDeclareOk:
		return new(QueueDeclareOk)
	case MethodQueueBind:
		return new(QueueBind)
	case MethodQueueBindOk:
		return new(QueueBindOk)
	case MethodQueuePurge:
		return new(QueuePurge)
	case MethodQueuePurgeOk:
		return new(QueuePurgeOk)
	case MethodQueueDelete:
		return new(QueueDelete)
	case MethodQueueDeleteOk:
		return new(QueueDeleteOk)
	case MethodQueueUnbind:
		return new(QueueUnbind)
	case MethodQueueUnbindOk:
		return new(QueueUnbindOk)
	case MethodBasicQos:
		return new(BasicQos)
	case MethodBasicQosOk:
		return new(BasicQosOk)
	case MethodBasicConsume:
		return new(BasicConsume)
	case MethodBasicConsumeOk:
		return new(BasicConsumeOk)
	case MethodBasicCancel:
		return new(BasicCancel)
	case MethodBasicCancelOk:
		return new(BasicCancelOk)
	case MethodBasicPublish:
		return new(BasicPublish)
	case MethodBasicReturn:
		return new(BasicReturn)
	case MethodBasicDeliver:
		return new(BasicDeliver)
	case MethodBasicGet:
		return new(BasicGet)
	case MethodBasicGetOk:
		return new(BasicGetOk)
	case MethodBasicGetEmpty:
		return new(BasicGetEmpty)
	case MethodBasicAck:
		return new(BasicAck)
	case MethodBasicReject:
		return new(BasicReject)
	case MethodBasicRecoverAsync:
		return new(BasicRecoverAsync)
	case MethodBasicRecover:
		return new(BasicRecover)
	case MethodBasicRecoverOk:
		return new(BasicRecoverOk)
	case MethodBasicNack:
		return new(BasicNack)
	case MethodConfirmSelect:
		return new(ConfirmSelect)
	case MethodConfirmSelectOk:
		return new(ConfirmSelectOk)
	case MethodTxSelect:
		return new(TxSelect)
	case MethodTxSelectOk:
		return new(TxSelectOk)
	case MethodTxCommit:
		return new(TxCommit)
	case MethodTxCommitOk:
		return new(TxCommitOk)
	case MethodTxRollback:
		return new(TxRollback)
	case MethodTxRollbackOk:
		return new(TxRollbackOk)
	}
	return nil
}

// ConnectionStart is connection.start (10, 10).
type ConnectionStart struct {
	VersionMajor     uint8
	VersionMinor     uint8
	ServerProperties Table
	Mechanisms       string
	Locales          string
}

// ID is MethodConnectionStart.
func (ConnectionStart) ID() MethodID { return MethodConnectionStart }

// Append adds the method frame's payload to dst.
func (m ConnectionStart) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConnectionStart)
	dst = appendOctet(dst, m.VersionMajor)
	dst = appendOctet(dst, m.VersionMinor)
	dst = appendTable(dst, m.ServerProperties)
	dst = appendLongstr(dst, m.Mechanisms)
	dst = appendLongstr(dst, m.Locales)
	return dst
}

func (m *ConnectionStart) parse(r *reader) {
	m.VersionMajor = r.octet()
	m.VersionMinor = r.octet()
	m.ServerProperties = r.table()
	m.Mechanisms = r.longstr()
	m.Locales = r.longstr()
}

// ConnectionStartOk is connection.start-ok (10, 11).
type ConnectionStartOk struct {
	ClientProperties Table
	Mechanism        string
	Response         string
	Locale           string
}

// ID is MethodConnectionStartOk.
func (ConnectionStartOk) ID() MethodID { return MethodConnectionStartOk }

// Append adds the method frame's payload to dst.
func (m ConnectionStartOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConnectionStartOk)
	dst = appendTable(dst, m.ClientProperties)
	dst = appendShortstr(dst, m.Mechanism)
	dst = appendLongstr(dst, m.Response)
	dst = appendShortstr(dst, m.Locale)
	return dst
}

func (m *ConnectionStartOk) parse(r *reader) {
	m.ClientProperties = r.table()
	m.Mechanism = r.shortstr()
	m.Response = r.longstr()
	m.Locale = r.shortstr()
}

// ConnectionSecure is connection.secure (10, 20).
type ConnectionSecure struct {
	Challenge string
}

// ID is MethodConnectionSecure.
func (ConnectionSecure) ID() MethodID { return MethodConnectionSecure }

// Append adds the method frame's payload to dst.
func (m ConnectionSecure) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConnectionSecure)
	dst = appendLongstr(dst, m.Challenge)
	return dst
}

func (m *ConnectionSecure) parse(r *reader) {
	m.Challenge = r.longstr()
}

// ConnectionSecureOk is connection.secure-ok (10, 21).
type ConnectionSecureOk struct {
	Response string
}

// ID is MethodConnectionSecureOk.
func (ConnectionSecureOk) ID() MethodID { return MethodConnectionSecureOk }

// Append adds the method frame's payload to dst.
func (m ConnectionSecureOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConnectionSecureOk)
	dst = appendLongstr(dst, m.Response)
	return dst
}

func (m *ConnectionSecureOk) parse(r *reader) {
	m.Response = r.longstr()
}

// ConnectionTune is connection.tune (10, 30).
type ConnectionTune struct {
	ChannelMax uint16
	FrameMax   uint32
	Heartbeat  uint16
}

// ID is MethodConnectionTune.
func (ConnectionTune) ID() MethodID { return MethodConnectionTune }

// Append adds the method frame's payload to dst.
func (m ConnectionTune) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConnectionTune)
	dst = appendShort(dst, m.ChannelMax)
	dst = appendLong(dst, m.FrameMax)
	dst = appendShort(dst, m.Heartbeat)
	return dst
}

func (m *ConnectionTune) parse(r *reader) {
	m.ChannelMax = r.short()
	m.FrameMax = r.long()
	m.Heartbeat = r.short()
}

// ConnectionTuneOk is connection.tune-ok (10, 31).
type ConnectionTuneOk struct {
	ChannelMax uint16
	FrameMax   uint32
	Heartbeat  uint16
}

// ID is MethodConnectionTuneOk.
func (ConnectionTuneOk) ID() MethodID { return MethodConnectionTuneOk }

// Append adds the method frame's payload to dst.
func (m ConnectionTuneOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConnectionTuneOk)
	dst = appendShort(dst, m.ChannelMax)
	dst = appendLong(dst, m.FrameMax)
	dst = appendShort(dst, m.Heartbeat)
	return dst
}

func (m *ConnectionTuneOk) parse(r *reader) {
	m.ChannelMax = r.short()
	m.FrameMax = r.long()
	m.Heartbeat = r.short()
}

// ConnectionOpen is connection.open (10, 40).
type ConnectionOpen struct {
	VirtualHost string
}

// ID is MethodConnectionOpen.
func (ConnectionOpen) ID() MethodID { return MethodConnectionOpen }

// Append adds the method frame's payload to dst.
func (m ConnectionOpen) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConnectionOpen)
	dst = appendShortstr(dst, m.VirtualHost)
	dst = appendShortstr(dst, "")
	dst = append(dst, 0)
	return dst
}

func (m *ConnectionOpen) parse(r *reader) {
	m.VirtualHost = r.shortstr()
	r.shortstr()
	r.octet()
}

// ConnectionOpenOk is connection.open-ok (10, 41).
type ConnectionOpenOk struct {
}

// ID is MethodConnectionOpenOk.
func (ConnectionOpenOk) ID() MethodID { return MethodConnectionOpenOk }

// Append adds the method frame's payload to dst.
func (ConnectionOpenOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConnectionOpenOk)
	dst = appendShortstr(dst, "")
	return dst
}

func (*ConnectionOpenOk) parse(r *reader) {
	r.shortstr()
}

// ConnectionClose is connection.close (10, 50).
type ConnectionClose struct {
	ReplyCode ReplyCode
	ReplyText string
	ClassID   ClassID
	MethodID  uint16
}

// ID is MethodConnectionClose.
func (ConnectionClose) ID() MethodID { return MethodConnectionClose }

// Append adds the method frame's payload to dst.
func (m ConnectionClose) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConnectionClose)
	dst = appendShort(dst, uint16(m.ReplyCode))
	dst = appendShortstr(dst, m.ReplyText)
	dst = appendShort(dst, uint16(m.ClassID))
	dst = appendShort(dst, m.MethodID)
	return dst
}

func (m *ConnectionClose) parse(r *reader) {
	m.ReplyCode = ReplyCode(r.short())
	m.ReplyText = r.shortstr()
	m.ClassID = ClassID(r.short())
	m.MethodID = r.short()
}

// ConnectionCloseOk is connection.close-ok (10, 51).
type ConnectionCloseOk struct {
}

// ID is MethodConnectionCloseOk.
func (ConnectionCloseOk) ID() MethodID { return MethodConnectionCloseOk }

// Append adds the method frame's payload to dst.
func (ConnectionCloseOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConnectionCloseOk)
	return dst
}

func (*ConnectionCloseOk) parse(*reader) {}

// ConnectionBlocked is connection.blocked (10, 60), a RabbitMQ extension.
type ConnectionBlocked struct {
	Reason string
}

// ID is MethodConnectionBlocked.
func (ConnectionBlocked) ID() MethodID { return MethodConnectionBlocked }

// Append adds the method frame's payload to dst.
func (m ConnectionBlocked) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConnectionBlocked)
	dst = appendShortstr(dst, m.Reason)
	return dst
}

func (m *ConnectionBlocked) parse(r *reader) {
	m.Reason = r.shortstr()
}

// ConnectionUnblocked is connection.unblocked (10, 61), a RabbitMQ extension.
type ConnectionUnblocked struct {
}

// ID is MethodConnectionUnblocked.
func (ConnectionUnblocked) ID() MethodID { return MethodConnectionUnblocked }

// Append adds the method frame's payload to dst.
func (ConnectionUnblocked) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConnectionUnblocked)
	return dst
}

func (*ConnectionUnblocked) parse(*reader) {}

// ConnectionUpdateSecret is connection.update-secret (10, 70), a RabbitMQ extension.
type ConnectionUpdateSecret struct {
	NewSecret string
	Reason    string
}

// ID is MethodConnectionUpdateSecret.
func (ConnectionUpdateSecret) ID() MethodID { return MethodConnectionUpdateSecret }

// Append adds the method frame's payload to dst.
func (m ConnectionUpdateSecret) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConnectionUpdateSecret)
	dst = appendLongstr(dst, m.NewSecret)
	dst = appendShortstr(dst, m.Reason)
	return dst
}

func (m *ConnectionUpdateSecret) parse(r *reader) {
	m.NewSecret = r.longstr()
	m.Reason = r.shortstr()
}

// ConnectionUpdateSecretOk is connection.update-secret-ok (10, 71), a RabbitMQ extension.
type ConnectionUpdateSecretOk struct {
}

// ID is MethodConnectionUpdateSecretOk.
func (ConnectionUpdateSecretOk) ID() MethodID { return MethodConnectionUpdateSecretOk }

// Append adds the method frame's payload to dst.
func (ConnectionUpdateSecretOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConnectionUpdateSecretOk)
	return dst
}

func (*ConnectionUpdateSecretOk) parse(*reader) {}

// ChannelOpen is channel.open (20, 10).
type ChannelOpen struct {
}

// ID is MethodChannelOpen.
func (ChannelOpen) ID() MethodID { return MethodChannelOpen }

// Append adds the method frame's payload to dst.
func (ChannelOpen) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodChannelOpen)
	dst = appendShortstr(dst, "")
	return dst
}

func (*ChannelOpen) parse(r *reader) {
	r.shortstr()
}

// ChannelOpenOk is channel.open-ok (20, 11).
type ChannelOpenOk struct {
}

// ID is MethodChannelOpenOk.
func (ChannelOpenOk) ID() MethodID { return MethodChannelOpenOk }

// Append adds the method frame's payload to dst.
func (ChannelOpenOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodChannelOpenOk)
	dst = appendLongstr(dst, "")
	return dst
}

func (*ChannelOpenOk) parse(r *reader) {
	r.longstr()
}

// ChannelFlow is channel.flow (20, 20).
type ChannelFlow struct {
	Active bool
}

// ID is MethodChannelFlow.
func (ChannelFlow) ID() MethodID { return MethodChannelFlow }

// Append adds the method frame's payload to dst.
func (m ChannelFlow) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodChannelFlow)
	dst = append(dst, bit(m.Active, 0))
	return dst
}

func (m *ChannelFlow) parse(r *reader) {
	bits := r.octet()
	m.Active = bits&1 != 0
}

// ChannelFlowOk is channel.flow-ok (20, 21).
type ChannelFlowOk struct {
	Active bool
}

// ID is MethodChannelFlowOk.
func (ChannelFlowOk) ID() MethodID { return MethodChannelFlowOk }

// Append adds the method frame's payload to dst.
func (m ChannelFlowOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodChannelFlowOk)
	dst = append(dst, bit(m.Active, 0))
	return dst
}

func (m *ChannelFlowOk) parse(r *reader) {
	bits := r.octet()
	m.Active = bits&1 != 0
}

// ChannelClose is channel.close (20, 40).
type ChannelClose struct {
	ReplyCode ReplyCode
	ReplyText string
	ClassID   ClassID
	MethodID  uint16
}

// ID is MethodChannelClose.
func (ChannelClose) ID() MethodID { return MethodChannelClose }

// Append adds the method frame's payload to dst.
func (m ChannelClose) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodChannelClose)
	dst = appendShort(dst, uint16(m.ReplyCode))
	dst = appendShortstr(dst, m.ReplyText)
	dst = appendShort(dst, uint16(m.ClassID))
	dst = appendShort(dst, m.MethodID)
	return dst
}

func (m *ChannelClose) parse(r *reader) {
	m.ReplyCode = ReplyCode(r.short())
	m.ReplyText = r.shortstr()
	m.ClassID = ClassID(r.short())
	m.MethodID = r.short()
}

// ChannelCloseOk is channel.close-ok (20, 41).
type ChannelCloseOk struct {
}

// ID is MethodChannelCloseOk.
func (ChannelCloseOk) ID() MethodID { return MethodChannelCloseOk }

// Append adds the method frame's payload to dst.
func (ChannelCloseOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodChannelCloseOk)
	return dst
}

func (*ChannelCloseOk) parse(*reader) {}

// AccessRequest is access.request (30, 10), a RabbitMQ extension, deprecated.
type AccessRequest struct {
	Realm     string
	Exclusive bool
	Passive   bool
	Active    bool
	Write     bool
	Read      bool
}

// ID is MethodAccessRequest.
func (AccessRequest) ID() MethodID { return MethodAccessRequest }

// Append adds the method frame's payload to dst.
func (m AccessRequest) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodAccessRequest)
	dst = appendShortstr(dst, m.Realm)
	dst = append(dst, bit(m.Exclusive, 0)|bit(m.Passive, 1)|bit(m.Active, 2)|bit(m.Write, 3)|bit(m.Read, 4))
	return dst
}

func (m *AccessRequest) parse(r *reader) {
	m.Realm = r.shortstr()
	bits := r.octet()
	m.Exclusive = bits&1 != 0
	m.Passive = bits&2 != 0
	m.Active = bits&4 != 0
	m.Write = bits&8 != 0
	m.Read = bits&16 != 0
}

// AccessRequestOk is access.request-ok (30, 11), a RabbitMQ extension, deprecated.
type AccessRequestOk struct {
	Ticket uint16
}

// ID is MethodAccessRequestOk.
func (AccessRequestOk) ID() MethodID { return MethodAccessRequestOk }

// Append adds the method frame's payload to dst.
func (m AccessRequestOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodAccessRequestOk)
	dst = appendShort(dst, m.Ticket)
	return dst
}

func (m *AccessRequestOk) parse(r *reader) {
	m.Ticket = r.short()
}

// ExchangeDeclare is exchange.declare (40, 10).
type ExchangeDeclare struct {
	Exchange   string
	Type       string
	Passive    bool
	Durable    bool
	AutoDelete bool
	Internal   bool
	NoWait     bool
	Arguments  Table
}

// ID is MethodExchangeDeclare.
func (ExchangeDeclare) ID() MethodID { return MethodExchangeDeclare }

// Append adds the method frame's payload to dst.
func (m ExchangeDeclare) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodExchangeDeclare)
	dst = appendShort(dst, 0)
	dst = appendShortstr(dst, m.Exchange)
	dst = appendShortstr(dst, m.Type)
	dst = append(dst, bit(m.Passive, 0)|bit(m.Durable, 1)|bit(m.AutoDelete, 2)|bit(m.Internal, 3)|bit(m.NoWait, 4))
	dst = appendTable(dst, m.Arguments)
	return dst
}

func (m *ExchangeDeclare) parse(r *reader) {
	r.short()
	m.Exchange = r.shortstr()
	m.Type = r.shortstr()
	bits := r.octet()
	m.Passive = bits&1 != 0
	m.Durable = bits&2 != 0
	m.AutoDelete = bits&4 != 0
	m.Internal = bits&8 != 0
	m.NoWait = bits&16 != 0
	m.Arguments = r.table()
}

// ExchangeDeclareOk is exchange.declare-ok (40, 11).
type ExchangeDeclareOk struct {
}

// ID is MethodExchangeDeclareOk.
func (ExchangeDeclareOk) ID() MethodID { return MethodExchangeDeclareOk }

// Append adds the method frame's payload to dst.
func (ExchangeDeclareOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodExchangeDeclareOk)
	return dst
}

func (*ExchangeDeclareOk) parse(*reader) {}

// ExchangeDelete is exchange.delete (40, 20).
type ExchangeDelete struct {
	Exchange string
	IfUnused bool
	NoWait   bool
}

// ID is MethodExchangeDelete.
func (ExchangeDelete) ID() MethodID { return MethodExchangeDelete }

// Append adds the method frame's payload to dst.
func (m ExchangeDelete) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodExchangeDelete)
	dst = appendShort(dst, 0)
	dst = appendShortstr(dst, m.Exchange)
	dst = append(dst, bit(m.IfUnused, 0)|bit(m.NoWait, 1))
	return dst
}

func (m *ExchangeDelete) parse(r *reader) {
	r.short()
	m.Exchange = r.shortstr()
	bits := r.octet()
	m.IfUnused = bits&1 != 0
	m.NoWait = bits&2 != 0
}

// ExchangeDeleteOk is exchange.delete-ok (40, 21).
type ExchangeDeleteOk struct {
}

// ID is MethodExchangeDeleteOk.
func (ExchangeDeleteOk) ID() MethodID { return MethodExchangeDeleteOk }

// Append adds the method frame's payload to dst.
func (ExchangeDeleteOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodExchangeDeleteOk)
	return dst
}

func (*ExchangeDeleteOk) parse(*reader) {}

// ExchangeBind is exchange.bind (40, 30), a RabbitMQ extension.
type ExchangeBind struct {
	Destination string
	Source      string
	RoutingKey  string
	NoWait      bool
	Arguments   Table
}

// ID is MethodExchangeBind.
func (ExchangeBind) ID() MethodID { return MethodExchangeBind }

// Append adds the method frame's payload to dst.
func (m ExchangeBind) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodExchangeBind)
	dst = appendShort(dst, 0)
	dst = appendShortstr(dst, m.Destination)
	dst = appendShortstr(dst, m.Source)
	dst = appendShortstr(dst, m.RoutingKey)
	dst = append(dst, bit(m.NoWait, 0))
	dst = appendTable(dst, m.Arguments)
	return dst
}

func (m *ExchangeBind) parse(r *reader) {
	r.short()
	m.Destination = r.shortstr()
	m.Source = r.shortstr()
	m.RoutingKey = r.shortstr()
	bits := r.octet()
	m.NoWait = bits&1 != 0
	m.Arguments = r.table()
}

// ExchangeBindOk is exchange.bind-ok (40, 31), a RabbitMQ extension.
type ExchangeBindOk struct {
}

// ID is MethodExchangeBindOk.
func (ExchangeBindOk) ID() MethodID { return MethodExchangeBindOk }

// Append adds the method frame's payload to dst.
func (ExchangeBindOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodExchangeBindOk)
	return dst
}

func (*ExchangeBindOk) parse(*reader) {}

// ExchangeUnbind is exchange.unbind (40, 40), a RabbitMQ extension.
type ExchangeUnbind struct {
	Destination string
	Source      string
	RoutingKey  string
	NoWait      bool
	Arguments   Table
}

// ID is MethodExchangeUnbind.
func (ExchangeUnbind) ID() MethodID { return MethodExchangeUnbind }

// Append adds the method frame's payload to dst.
func (m ExchangeUnbind) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodExchangeUnbind)
	dst = appendShort(dst, 0)
	dst = appendShortstr(dst, m.Destination)
	dst = appendShortstr(dst, m.Source)
	dst = appendShortstr(dst, m.RoutingKey)
	dst = append(dst, bit(m.NoWait, 0))
	dst = appendTable(dst, m.Arguments)
	return dst
}

func (m *ExchangeUnbind) parse(r *reader) {
	r.short()
	m.Destination = r.shortstr()
	m.Source = r.shortstr()
	m.RoutingKey = r.shortstr()
	bits := r.octet()
	m.NoWait = bits&1 != 0
	m.Arguments = r.table()
}

// ExchangeUnbindOk is exchange.unbind-ok (40, 51), a RabbitMQ extension.
type ExchangeUnbindOk struct {
}

// ID is MethodExchangeUnbindOk.
func (ExchangeUnbindOk) ID() MethodID { return MethodExchangeUnbindOk }

// Append adds the method frame's payload to dst.
func (ExchangeUnbindOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodExchangeUnbindOk)
	return dst
}

func (*ExchangeUnbindOk) parse(*reader) {}

// QueueDeclare is queue.declare (50, 10).
type QueueDeclare struct {
	Queue      string
	Passive    bool
	Durable    bool
	Exclusive  bool
	AutoDelete bool
	NoWait     bool
	Arguments  Table
}

// ID is MethodQueueDeclare.
func (QueueDeclare) ID() MethodID { return MethodQueueDeclare }

// Append adds the method frame's payload to dst.
func (m QueueDeclare) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodQueueDeclare)
	dst = appendShort(dst, 0)
	dst = appendShortstr(dst, m.Queue)
	dst = append(dst, bit(m.Passive, 0)|bit(m.Durable, 1)|bit(m.Exclusive, 2)|bit(m.AutoDelete, 3)|bit(m.NoWait, 4))
	dst = appendTable(dst, m.Arguments)
	return dst
}

func (m *QueueDeclare) parse(r *reader) {
	r.short()
	m.Queue = r.shortstr()
	bits := r.octet()
	m.Passive = bits&1 != 0
	m.Durable = bits&2 != 0
	m.Exclusive = bits&4 != 0
	m.AutoDelete = bits&8 != 0
	m.NoWait = bits&16 != 0
	m.Arguments = r.table()
}

// QueueDeclareOk is queue.declare-ok (50, 11).
type QueueDeclareOk struct {
	Queue         string
	MessageCount  uint32
	ConsumerCount uint32
}

// ID is MethodQueueDeclareOk.
func (QueueDeclareOk) ID() MethodID { return MethodQueueDeclareOk }

// Append adds the method frame's payload to dst.
func (m QueueDeclareOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodQueueDeclareOk)
	dst = appendShortstr(dst, m.Queue)
	dst = appendLong(dst, m.MessageCount)
	dst = appendLong(dst, m.ConsumerCount)
	return dst
}

func (m *QueueDeclareOk) parse(r *reader) {
	m.Queue = r.shortstr()
	m.MessageCount = r.long()
	m.ConsumerCount = r.long()
}

// QueueBind is queue.bind (50, 20).
type QueueBind struct {
	Queue      string
	Exchange   string
	RoutingKey string
	NoWait     bool
	Arguments  Table
}

// ID is MethodQueueBind.
func (QueueBind) ID() MethodID { return MethodQueueBind }

// Append adds the method frame's payload to dst.
func (m QueueBind) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodQueueBind)
	dst = appendShort(dst, 0)
	dst = appendShortstr(dst, m.Queue)
	dst = appendShortstr(dst, m.Exchange)
	dst = appendShortstr(dst, m.RoutingKey)
	dst = append(dst, bit(m.NoWait, 0))
	dst = appendTable(dst, m.Arguments)
	return dst
}

func (m *QueueBind) parse(r *reader) {
	r.short()
	m.Queue = r.shortstr()
	m.Exchange = r.shortstr()
	m.RoutingKey = r.shortstr()
	bits := r.octet()
	m.NoWait = bits&1 != 0
	m.Arguments = r.table()
}

// QueueBindOk is queue.bind-ok (50, 21).
type QueueBindOk struct {
}

// ID is MethodQueueBindOk.
func (QueueBindOk) ID() MethodID { return MethodQueueBindOk }

// Append adds the method frame's payload to dst.
func (QueueBindOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodQueueBindOk)
	return dst
}

func (*QueueBindOk) parse(*reader) {}

// QueuePurge is queue.purge (50, 30).
type QueuePurge struct {
	Queue  string
	NoWait bool
}

// ID is MethodQueuePurge.
func (QueuePurge) ID() MethodID { return MethodQueuePurge }

// Append adds the method frame's payload to dst.
func (m QueuePurge) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodQueuePurge)
	dst = appendShort(dst, 0)
	dst = appendShortstr(dst, m.Queue)
	dst = append(dst, bit(m.NoWait, 0))
	return dst
}

func (m *QueuePurge) parse(r *reader) {
	r.short()
	m.Queue = r.shortstr()
	bits := r.octet()
	m.NoWait = bits&1 != 0
}

// QueuePurgeOk is queue.purge-ok (50, 31).
type QueuePurgeOk struct {
	MessageCount uint32
}

// ID is MethodQueuePurgeOk.
func (QueuePurgeOk) ID() MethodID { return MethodQueuePurgeOk }

// Append adds the method frame's payload to dst.
func (m QueuePurgeOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodQueuePurgeOk)
	dst = appendLong(dst, m.MessageCount)
	return dst
}

func (m *QueuePurgeOk) parse(r *reader) {
	m.MessageCount = r.long()
}

// QueueDelete is queue.delete (50, 40).
type QueueDelete struct {
	Queue    string
	IfUnused bool
	IfEmpty  bool
	NoWait   bool
}

// ID is MethodQueueDelete.
func (QueueDelete) ID() MethodID { return MethodQueueDelete }

// Append adds the method frame's payload to dst.
func (m QueueDelete) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodQueueDelete)
	dst = appendShort(dst, 0)
	dst = appendShortstr(dst, m.Queue)
	dst = append(dst, bit(m.IfUnused, 0)|bit(m.IfEmpty, 1)|bit(m.NoWait, 2))
	return dst
}

func (m *QueueDelete) parse(r *reader) {
	r.short()
	m.Queue = r.shortstr()
	bits := r.octet()
	m.IfUnused = bits&1 != 0
	m.IfEmpty = bits&2 != 0
	m.NoWait = bits&4 != 0
}

// QueueDeleteOk is queue.delete-ok (50, 41).
type QueueDeleteOk struct {
	MessageCount uint32
}

// ID is MethodQueueDeleteOk.
func (QueueDeleteOk) ID() MethodID { return MethodQueueDeleteOk }

// Append adds the method frame's payload to dst.
func (m QueueDeleteOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodQueueDeleteOk)
	dst = appendLong(dst, m.MessageCount)
	return dst
}

func (m *QueueDeleteOk) parse(r *reader) {
	m.MessageCount = r.long()
}

// QueueUnbind is queue.unbind (50, 50).
type QueueUnbind struct {
	Queue      string
	Exchange   string
	RoutingKey string
	Arguments  Table
}

// ID is MethodQueueUnbind.
func (QueueUnbind) ID() MethodID { return MethodQueueUnbind }

// Append adds the method frame's payload to dst.
func (m QueueUnbind) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodQueueUnbind)
	dst = appendShort(dst, 0)
	dst = appendShortstr(dst, m.Queue)
	dst = appendShortstr(dst, m.Exchange)
	dst = appendShortstr(dst, m.RoutingKey)
	dst = appendTable(dst, m.Arguments)
	return dst
}

func (m *QueueUnbind) parse(r *reader) {
	r.short()
	m.Queue = r.shortstr()
	m.Exchange = r.shortstr()
	m.RoutingKey = r.shortstr()
	m.Arguments = r.table()
}

// QueueUnbindOk is queue.unbind-ok (50, 51).
type QueueUnbindOk struct {
}

// ID is MethodQueueUnbindOk.
func (QueueUnbindOk) ID() MethodID { return MethodQueueUnbindOk }

// Append adds the method frame's payload to dst.
func (QueueUnbindOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodQueueUnbindOk)
	return dst
}

func (*QueueUnbindOk) parse(*reader) {}

// BasicQos is basic.qos (60, 10).
type BasicQos struct {
	PrefetchSize  uint32
	PrefetchCount uint16
	Global        bool
}

// ID is MethodBasicQos.
func (BasicQos) ID() MethodID { return MethodBasicQos }

// Append adds the method frame's payload to dst.
func (m BasicQos) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicQos)
	dst = appendLong(dst, m.PrefetchSize)
	dst = appendShort(dst, m.PrefetchCount)
	dst = append(dst, bit(m.Global, 0))
	return dst
}

func (m *BasicQos) parse(r *reader) {
	m.PrefetchSize = r.long()
	m.PrefetchCount = r.short()
	bits := r.octet()
	m.Global = bits&1 != 0
}

// BasicQosOk is basic.qos-ok (60, 11).
type BasicQosOk struct {
}

// ID is MethodBasicQosOk.
func (BasicQosOk) ID() MethodID { return MethodBasicQosOk }

// Append adds the method frame's payload to dst.
func (BasicQosOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicQosOk)
	return dst
}

func (*BasicQosOk) parse(*reader) {}

// BasicConsume is basic.consume (60, 20).
type BasicConsume struct {
	Queue       string
	ConsumerTag string
	NoLocal     bool
	NoAck       bool
	Exclusive   bool
	NoWait      bool
	Arguments   Table
}

// ID is MethodBasicConsume.
func (BasicConsume) ID() MethodID { return MethodBasicConsume }

// Append adds the method frame's payload to dst.
func (m BasicConsume) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicConsume)
	dst = appendShort(dst, 0)
	dst = appendShortstr(dst, m.Queue)
	dst = appendShortstr(dst, m.ConsumerTag)
	dst = append(dst, bit(m.NoLocal, 0)|bit(m.NoAck, 1)|bit(m.Exclusive, 2)|bit(m.NoWait, 3))
	dst = appendTable(dst, m.Arguments)
	return dst
}

func (m *BasicConsume) parse(r *reader) {
	r.short()
	m.Queue = r.shortstr()
	m.ConsumerTag = r.shortstr()
	bits := r.octet()
	m.NoLocal = bits&1 != 0
	m.NoAck = bits&2 != 0
	m.Exclusive = bits&4 != 0
	m.NoWait = bits&8 != 0
	m.Arguments = r.table()
}

// BasicConsumeOk is basic.consume-ok (60, 21).
type BasicConsumeOk struct {
	ConsumerTag string
}

// ID is MethodBasicConsumeOk.
func (BasicConsumeOk) ID() MethodID { return MethodBasicConsumeOk }

// Append adds the method frame's payload to dst.
func (m BasicConsumeOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicConsumeOk)
	dst = appendShortstr(dst, m.ConsumerTag)
	return dst
}

func (m *BasicConsumeOk) parse(r *reader) {
	m.ConsumerTag = r.shortstr()
}

// BasicCancel is basic.cancel (60, 30).
type BasicCancel struct {
	ConsumerTag string
	NoWait      bool
}

// ID is MethodBasicCancel.
func (BasicCancel) ID() MethodID { return MethodBasicCancel }

// Append adds the method frame's payload to dst.
func (m BasicCancel) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicCancel)
	dst = appendShortstr(dst, m.ConsumerTag)
	dst = append(dst, bit(m.NoWait, 0))
	return dst
}

func (m *BasicCancel) parse(r *reader) {
	m.ConsumerTag = r.shortstr()
	bits := r.octet()
	m.NoWait = bits&1 != 0
}

// BasicCancelOk is basic.cancel-ok (60, 31).
type BasicCancelOk struct {
	ConsumerTag string
}

// ID is MethodBasicCancelOk.
func (BasicCancelOk) ID() MethodID { return MethodBasicCancelOk }

// Append adds the method frame's payload to dst.
func (m BasicCancelOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicCancelOk)
	dst = appendShortstr(dst, m.ConsumerTag)
	return dst
}

func (m *BasicCancelOk) parse(r *reader) {
	m.ConsumerTag = r.shortstr()
}

// BasicPublish is basic.publish (60, 40).
type BasicPublish struct {
	Exchange   string
	RoutingKey string
	Mandatory  bool
	Immediate  bool
}

// ID is MethodBasicPublish.
func (BasicPublish) ID() MethodID { return MethodBasicPublish }

// Append adds the method frame's payload to dst.
func (m BasicPublish) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicPublish)
	dst = appendShort(dst, 0)
	dst = appendShortstr(dst, m.Exchange)
	dst = appendShortstr(dst, m.RoutingKey)
	dst = append(dst, bit(m.Mandatory, 0)|bit(m.Immediate, 1))
	return dst
}

func (m *BasicPublish) parse(r *reader) {
	r.short()
	m.Exchange = r.shortstr()
	m.RoutingKey = r.shortstr()
	bits := r.octet()
	m.Mandatory = bits&1 != 0
	m.Immediate = bits&2 != 0
}

// BasicReturn is basic.return (60, 50).
type BasicReturn struct {
	ReplyCode  ReplyCode
	ReplyText  string
	Exchange   string
	RoutingKey string
}

// ID is MethodBasicReturn.
func (BasicReturn) ID() MethodID { return MethodBasicReturn }

// Append adds the method frame's payload to dst.
func (m BasicReturn) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicReturn)
	dst = appendShort(dst, uint16(m.ReplyCode))
	dst = appendShortstr(dst, m.ReplyText)
	dst = appendShortstr(dst, m.Exchange)
	dst = appendShortstr(dst, m.RoutingKey)
	return dst
}

func (m *BasicReturn) parse(r *reader) {
	m.ReplyCode = ReplyCode(r.short())
	m.ReplyText = r.shortstr()
	m.Exchange = r.shortstr()
	m.RoutingKey = r.shortstr()
}

// BasicDeliver is basic.deliver (60, 60).
type BasicDeliver struct {
	ConsumerTag string
	DeliveryTag DeliveryTag
	Redelivered bool
	Exchange    string
	RoutingKey  string
}

// ID is MethodBasicDeliver.
func (BasicDeliver) ID() MethodID { return MethodBasicDeliver }

// Append adds the method frame's payload to dst.
func (m BasicDeliver) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicDeliver)
	dst = appendShortstr(dst, m.ConsumerTag)
	dst = appendLonglong(dst, uint64(m.DeliveryTag))
	dst = append(dst, bit(m.Redelivered, 0))
	dst = appendShortstr(dst, m.Exchange)
	dst = appendShortstr(dst, m.RoutingKey)
	return dst
}

func (m *BasicDeliver) parse(r *reader) {
	m.ConsumerTag = r.shortstr()
	m.DeliveryTag = DeliveryTag(r.longlong())
	bits := r.octet()
	m.Redelivered = bits&1 != 0
	m.Exchange = r.shortstr()
	m.RoutingKey = r.shortstr()
}

// BasicGet is basic.get (60, 70).
type BasicGet struct {
	Queue string
	NoAck bool
}

// ID is MethodBasicGet.
func (BasicGet) ID() MethodID { return MethodBasicGet }

// Append adds the method frame's payload to dst.
func (m BasicGet) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicGet)
	dst = appendShort(dst, 0)
	dst = appendShortstr(dst, m.Queue)
	dst = append(dst, bit(m.NoAck, 0))
	return dst
}

func (m *BasicGet) parse(r *reader) {
	r.short()
	m.Queue = r.shortstr()
	bits := r.octet()
	m.NoAck = bits&1 != 0
}

// BasicGetOk is basic.get-ok (60, 71).
type BasicGetOk struct {
	DeliveryTag  DeliveryTag
	Redelivered  bool
	Exchange     string
	RoutingKey   string
	MessageCount uint32
}

// ID is MethodBasicGetOk.
func (BasicGetOk) ID() MethodID { return MethodBasicGetOk }

// Append adds the method frame's payload to dst.
func (m BasicGetOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicGetOk)
	dst = appendLonglong(dst, uint64(m.DeliveryTag))
	dst = append(dst, bit(m.Redelivered, 0))
	dst = appendShortstr(dst, m.Exchange)
	dst = appendShortstr(dst, m.RoutingKey)
	dst = appendLong(dst, m.MessageCount)
	return dst
}

func (m *BasicGetOk) parse(r *reader) {
	m.DeliveryTag = DeliveryTag(r.longlong())
	bits := r.octet()
	m.Redelivered = bits&1 != 0
	m.Exchange = r.shortstr()
	m.RoutingKey = r.shortstr()
	m.MessageCount = r.long()
}

// BasicGetEmpty is basic.get-empty (60, 72).
type BasicGetEmpty struct {
}

// ID is MethodBasicGetEmpty.
func (BasicGetEmpty) ID() MethodID { return MethodBasicGetEmpty }

// Append adds the method frame's payload to dst.
func (BasicGetEmpty) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicGetEmpty)
	dst = appendShortstr(dst, "")
	return dst
}

func (*BasicGetEmpty) parse(r *reader) {
	r.shortstr()
}

// BasicAck is basic.ack (60, 80).
type BasicAck struct {
	DeliveryTag DeliveryTag
	Multiple    bool
}

// ID is MethodBasicAck.
func (BasicAck) ID() MethodID { return MethodBasicAck }

// Append adds the method frame's payload to dst.
func (m BasicAck) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicAck)
	dst = appendLonglong(dst, uint64(m.DeliveryTag))
	dst = append(dst, bit(m.Multiple, 0))
	return dst
}

func (m *BasicAck) parse(r *reader) {
	m.DeliveryTag = DeliveryTag(r.longlong())
	bits := r.octet()
	m.Multiple = bits&1 != 0
}

// BasicReject is basic.reject (60, 90).
type BasicReject struct {
	DeliveryTag DeliveryTag
	Requeue     bool
}

// ID is MethodBasicReject.
func (BasicReject) ID() MethodID { return MethodBasicReject }

// Append adds the method frame's payload to dst.
func (m BasicReject) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicReject)
	dst = appendLonglong(dst, uint64(m.DeliveryTag))
	dst = append(dst, bit(m.Requeue, 0))
	return dst
}

func (m *BasicReject) parse(r *reader) {
	m.DeliveryTag = DeliveryTag(r.longlong())
	bits := r.octet()
	m.Requeue = bits&1 != 0
}

// BasicRecoverAsync is basic.recover-async (60, 100), deprecated.
type BasicRecoverAsync struct {
	Requeue bool
}

// ID is MethodBasicRecoverAsync.
func (BasicRecoverAsync) ID() MethodID { return MethodBasicRecoverAsync }

// Append adds the method frame's payload to dst.
func (m BasicRecoverAsync) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicRecoverAsync)
	dst = append(dst, bit(m.Requeue, 0))
	return dst
}

func (m *BasicRecoverAsync) parse(r *reader) {
	bits := r.octet()
	m.Requeue = bits&1 != 0
}

// BasicRecover is basic.recover (60, 110).
type BasicRecover struct {
	Requeue bool
}

// ID is MethodBasicRecover.
func (BasicRecover) ID() MethodID { return MethodBasicRecover }

// Append adds the method frame's payload to dst.
func (m BasicRecover) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicRecover)
	dst = append(dst, bit(m.Requeue, 0))
	return dst
}

func (m *BasicRecover) parse(r *reader) {
	bits := r.octet()
	m.Requeue = bits&1 != 0
}

// BasicRecoverOk is basic.recover-ok (60, 111).
type BasicRecoverOk struct {
}

// ID is MethodBasicRecoverOk.
func (BasicRecoverOk) ID() MethodID { return MethodBasicRecoverOk }

// Append adds the method frame's payload to dst.
func (BasicRecoverOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicRecoverOk)
	return dst
}

func (*BasicRecoverOk) parse(*reader) {}

// BasicNack is basic.nack (60, 120), a RabbitMQ extension.
type BasicNack struct {
	DeliveryTag DeliveryTag
	Multiple    bool
	Requeue     bool
}

// ID is MethodBasicNack.
func (BasicNack) ID() MethodID { return MethodBasicNack }

// Append adds the method frame's payload to dst.
func (m BasicNack) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodBasicNack)
	dst = appendLonglong(dst, uint64(m.DeliveryTag))
	dst = append(dst, bit(m.Multiple, 0)|bit(m.Requeue, 1))
	return dst
}

func (m *BasicNack) parse(r *reader) {
	m.DeliveryTag = DeliveryTag(r.longlong())
	bits := r.octet()
	m.Multiple = bits&1 != 0
	m.Requeue = bits&2 != 0
}

// ConfirmSelect is confirm.select (85, 10), a RabbitMQ extension.
type ConfirmSelect struct {
	NoWait bool
}

// ID is MethodConfirmSelect.
func (ConfirmSelect) ID() MethodID { return MethodConfirmSelect }

// Append adds the method frame's payload to dst.
func (m ConfirmSelect) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConfirmSelect)
	dst = append(dst, bit(m.NoWait, 0))
	return dst
}

func (m *ConfirmSelect) parse(r *reader) {
	bits := r.octet()
	m.NoWait = bits&1 != 0
}

// ConfirmSelectOk is confirm.select-ok (85, 11), a RabbitMQ extension.
type ConfirmSelectOk struct {
}

// ID is MethodConfirmSelectOk.
func (ConfirmSelectOk) ID() MethodID { return MethodConfirmSelectOk }

// Append adds the method frame's payload to dst.
func (ConfirmSelectOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodConfirmSelectOk)
	return dst
}

func (*ConfirmSelectOk) parse(*reader) {}

// TxSelect is tx.select (90, 10).
type TxSelect struct {
}

// ID is MethodTxSelect.
func (TxSelect) ID() MethodID { return MethodTxSelect }

// Append adds the method frame's payload to dst.
func (TxSelect) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodTxSelect)
	return dst
}

func (*TxSelect) parse(*reader) {}

// TxSelectOk is tx.select-ok (90, 11).
type TxSelectOk struct {
}

// ID is MethodTxSelectOk.
func (TxSelectOk) ID() MethodID { return MethodTxSelectOk }

// Append adds the method frame's payload to dst.
func (TxSelectOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodTxSelectOk)
	return dst
}

func (*TxSelectOk) parse(*reader) {}

// TxCommit is tx.commit (90, 20).
type TxCommit struct {
}

// ID is MethodTxCommit.
func (TxCommit) ID() MethodID { return MethodTxCommit }

// Append adds the method frame's payload to dst.
func (TxCommit) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodTxCommit)
	return dst
}

func (*TxCommit) parse(*reader) {}

// TxCommitOk is tx.commit-ok (90, 21).
type TxCommitOk struct {
}

// ID is MethodTxCommitOk.
func (TxCommitOk) ID() MethodID { return MethodTxCommitOk }

// Append adds the method frame's payload to dst.
func (TxCommitOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodTxCommitOk)
	return dst
}

func (*TxCommitOk) parse(*reader) {}

// TxRollback is tx.rollback (90, 30).
type TxRollback struct {
}

// ID is MethodTxRollback.
func (TxRollback) ID() MethodID { return MethodTxRollback }

// Append adds the method frame's payload to dst.
func (TxRollback) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodTxRollback)
	return dst
}

func (*TxRollback) parse(*reader) {}

// TxRollbackOk is tx.rollback-ok (90, 31).
type TxRollbackOk struct {
}

// ID is MethodTxRollbackOk.
func (TxRollbackOk) ID() MethodID { return MethodTxRollbackOk }

// Append adds the method frame's payload to dst.
func (TxRollbackOk) Append(dst []byte) []byte {
	dst = appendMethodID(dst, MethodTxRollbackOk)
	return dst
}

func (*TxRollbackOk) parse(*reader) {}
