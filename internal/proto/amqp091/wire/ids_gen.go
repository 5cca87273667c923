// Code generated from spec/amqp0-9-1.json by internal/proto/amqp091/gen. DO NOT EDIT.

package wire

// Classes (specification section 4.2.4).
const (
	ClassConnection ClassID = 10
	ClassChannel    ClassID = 20
	ClassAccess     ClassID = 30
	ClassExchange   ClassID = 40
	ClassQueue      ClassID = 50
	ClassBasic      ClassID = 60
	ClassConfirm    ClassID = 85
	ClassTx         ClassID = 90
)

// Methods. The number is the class in the upper 16 bits, the method in the lower.
const (
	MethodConnectionStart          MethodID = 10<<16 | 10
	MethodConnectionStartOk        MethodID = 10<<16 | 11
	MethodConnectionSecure         MethodID = 10<<16 | 20
	MethodConnectionSecureOk       MethodID = 10<<16 | 21
	MethodConnectionTune           MethodID = 10<<16 | 30
	MethodConnectionTuneOk         MethodID = 10<<16 | 31
	MethodConnectionOpen           MethodID = 10<<16 | 40
	MethodConnectionOpenOk         MethodID = 10<<16 | 41
	MethodConnectionClose          MethodID = 10<<16 | 50
	MethodConnectionCloseOk        MethodID = 10<<16 | 51
	MethodConnectionBlocked        MethodID = 10<<16 | 60
	MethodConnectionUnblocked      MethodID = 10<<16 | 61
	MethodConnectionUpdateSecret   MethodID = 10<<16 | 70
	MethodConnectionUpdateSecretOk MethodID = 10<<16 | 71
	MethodChannelOpen              MethodID = 20<<16 | 10
	MethodChannelOpenOk            MethodID = 20<<16 | 11
	MethodChannelFlow              MethodID = 20<<16 | 20
	MethodChannelFlowOk            MethodID = 20<<16 | 21
	MethodChannelClose             MethodID = 20<<16 | 40
	MethodChannelCloseOk           MethodID = 20<<16 | 41
	MethodAccessRequest            MethodID = 30<<16 | 10
	MethodAccessRequestOk          MethodID = 30<<16 | 11
	MethodExchangeDeclare          MethodID = 40<<16 | 10
	MethodExchangeDeclareOk        MethodID = 40<<16 | 11
	MethodExchangeDelete           MethodID = 40<<16 | 20
	MethodExchangeDeleteOk         MethodID = 40<<16 | 21
	MethodExchangeBind             MethodID = 40<<16 | 30
	MethodExchangeBindOk           MethodID = 40<<16 | 31
	MethodExchangeUnbind           MethodID = 40<<16 | 40
	MethodExchangeUnbindOk         MethodID = 40<<16 | 51
	MethodQueueDeclare             MethodID = 50<<16 | 10
	MethodQueueDeclareOk           MethodID = 50<<16 | 11
	MethodQueueBind                MethodID = 50<<16 | 20
	MethodQueueBindOk              MethodID = 50<<16 | 21
	MethodQueuePurge               MethodID = 50<<16 | 30
	MethodQueuePurgeOk             MethodID = 50<<16 | 31
	MethodQueueDelete              MethodID = 50<<16 | 40
	MethodQueueDeleteOk            MethodID = 50<<16 | 41
	MethodQueueUnbind              MethodID = 50<<16 | 50
	MethodQueueUnbindOk            MethodID = 50<<16 | 51
	MethodBasicQos                 MethodID = 60<<16 | 10
	MethodBasicQosOk               MethodID = 60<<16 | 11
	MethodBasicConsume             MethodID = 60<<16 | 20
	MethodBasicConsumeOk           MethodID = 60<<16 | 21
	MethodBasicCancel              MethodID = 60<<16 | 30
	MethodBasicCancelOk            MethodID = 60<<16 | 31
	MethodBasicPublish             MethodID = 60<<16 | 40
	MethodBasicReturn              MethodID = 60<<16 | 50
	MethodBasicDeliver             MethodID = 60<<16 | 60
	MethodBasicGet                 MethodID = 60<<16 | 70
	MethodBasicGetOk               MethodID = 60<<16 | 71
	MethodBasicGetEmpty            MethodID = 60<<16 | 72
	MethodBasicAck                 MethodID = 60<<16 | 80
	MethodBasicReject              MethodID = 60<<16 | 90
	MethodBasicRecoverAsync        MethodID = 60<<16 | 100
	MethodBasicRecover             MethodID = 60<<16 | 110
	MethodBasicRecoverOk           MethodID = 60<<16 | 111
	MethodBasicNack                MethodID = 60<<16 | 120
	MethodConfirmSelect            MethodID = 85<<16 | 10
	MethodConfirmSelectOk          MethodID = 85<<16 | 11
	MethodTxSelect                 MethodID = 90<<16 | 10
	MethodTxSelectOk               MethodID = 90<<16 | 11
	MethodTxCommit                 MethodID = 90<<16 | 20
	MethodTxCommitOk               MethodID = 90<<16 | 21
	MethodTxRollback               MethodID = 90<<16 | 30
	MethodTxRollbackOk             MethodID = 90<<16 | 31
)

// String is the class's name as the specification writes it.
func (id ClassID) String() string {
	switch id {
	case ClassConnection:
		return "connection"
	case ClassChannel:
		return "channel"
	case ClassAccess:
		return "access"
	case ClassExchange:
		return "exchange"
	case ClassQueue:
		return "queue"
	case ClassBasic:
		return "basic"
	case ClassConfirm:
		return "confirm"
	case ClassTx:
		return "tx"
	}
	return unknownClassName(id)
}

// String is the method's name as RabbitMQ's logs and errors write it: basic.publish.
func (id MethodID) String() string {
	switch id {
	case MethodConnectionStart:
		return "connection.start"
	case MethodConnectionStartOk:
		return "connection.start-ok"
	case MethodConnectionSecure:
		return "connection.secure"
	case MethodConnectionSecureOk:
		return "connection.secure-ok"
	case MethodConnectionTune:
		return "connection.tune"
	case MethodConnectionTuneOk:
		return "connection.tune-ok"
	case MethodConnectionOpen:
		return "connection.open"
	case MethodConnectionOpenOk:
		return "connection.open-ok"
	case MethodConnectionClose:
		return "connection.close"
	case MethodConnectionCloseOk:
		return "connection.close-ok"
	case MethodConnectionBlocked:
		return "connection.blocked"
	case MethodConnectionUnblocked:
		return "connection.unblocked"
	case MethodConnectionUpdateSecret:
		return "connection.update-secret"
	case MethodConnectionUpdateSecretOk:
		return "connection.update-secret-ok"
	case MethodChannelOpen:
		return "channel.open"
	case MethodChannelOpenOk:
		return "channel.open-ok"
	case MethodChannelFlow:
		return "channel.flow"
	case MethodChannelFlowOk:
		return "channel.flow-ok"
	case MethodChannelClose:
		return "channel.close"
	case MethodChannelCloseOk:
		return "channel.close-ok"
	case MethodAccessRequest:
		return "access.request"
	case MethodAccessRequestOk:
		return "access.request-ok"
	case MethodExchangeDeclare:
		return "exchange.declare"
	case MethodExchangeDeclareOk:
		return "exchange.declare-ok"
	case MethodExchangeDelete:
		return "exchange.delete"
	case MethodExchangeDeleteOk:
		return "exchange.delete-ok"
	case MethodExchangeBind:
		return "exchange.bind"
	case MethodExchangeBindOk:
		return "exchange.bind-ok"
	case MethodExchangeUnbind:
		return "exchange.unbind"
	case MethodExchangeUnbindOk:
		return "exchange.unbind-ok"
	case MethodQueueDeclare:
		return "queue.declare"
	case MethodQueueDeclareOk:
		return "queue.declare-ok"
	case MethodQueueBind:
		return "queue.bind"
	case MethodQueueBindOk:
		return "queue.bind-ok"
	case MethodQueuePurge:
		return "queue.purge"
	case MethodQueuePurgeOk:
		return "queue.purge-ok"
	case MethodQueueDelete:
		return "queue.delete"
	case MethodQueueDeleteOk:
		return "queue.delete-ok"
	case MethodQueueUnbind:
		return "queue.unbind"
	case MethodQueueUnbindOk:
		return "queue.unbind-ok"
	case MethodBasicQos:
		return "basic.qos"
	case MethodBasicQosOk:
		return "basic.qos-ok"
	case MethodBasicConsume:
		return "basic.consume"
	case MethodBasicConsumeOk:
		return "basic.consume-ok"
	case MethodBasicCancel:
		return "basic.cancel"
	case MethodBasicCancelOk:
		return "basic.cancel-ok"
	case MethodBasicPublish:
		return "basic.publish"
	case MethodBasicReturn:
		return "basic.return"
	case MethodBasicDeliver:
		return "basic.deliver"
	case MethodBasicGet:
		return "basic.get"
	case MethodBasicGetOk:
		return "basic.get-ok"
	case MethodBasicGetEmpty:
		return "basic.get-empty"
	case MethodBasicAck:
		return "basic.ack"
	case MethodBasicReject:
		return "basic.reject"
	case MethodBasicRecoverAsync:
		return "basic.recover-async"
	case MethodBasicRecover:
		return "basic.recover"
	case MethodBasicRecoverOk:
		return "basic.recover-ok"
	case MethodBasicNack:
		return "basic.nack"
	case MethodConfirmSelect:
		return "confirm.select"
	case MethodConfirmSelectOk:
		return "confirm.select-ok"
	case MethodTxSelect:
		return "tx.select"
	case MethodTxSelectOk:
		return "tx.select-ok"
	case MethodTxCommit:
		return "tx.commit"
	case MethodTxCommitOk:
		return "tx.commit-ok"
	case MethodTxRollback:
		return "tx.rollback"
	case MethodTxRollbackOk:
		return "tx.rollback-ok"
	}
	return unknownMethodName(id)
}

// Known says whether the method exists in this edition of the protocol.
func (id MethodID) Known() bool {
	switch id {
	case MethodConnectionStart,
		MethodConnectionStartOk,
		MethodConnectionSecure,
		MethodConnectionSecureOk,
		MethodConnectionTune,
		MethodConnectionTuneOk,
		MethodConnectionOpen,
		MethodConnectionOpenOk,
		MethodConnectionClose,
		MethodConnectionCloseOk,
		MethodConnectionBlocked,
		MethodConnectionUnblocked,
		MethodConnectionUpdateSecret,
		MethodConnectionUpdateSecretOk,
		MethodChannelOpen,
		MethodChannelOpenOk,
		MethodChannelFlow,
		MethodChannelFlowOk,
		MethodChannelClose,
		MethodChannelCloseOk,
		MethodAccessRequest,
		MethodAccessRequestOk,
		MethodExchangeDeclare,
		MethodExchangeDeclareOk,
		MethodExchangeDelete,
		MethodExchangeDeleteOk,
		MethodExchangeBind,
		MethodExchangeBindOk,
		MethodExchangeUnbind,
		MethodExchangeUnbindOk,
		MethodQueueDeclare,
		MethodQueueDeclareOk,
		MethodQueueBind,
		MethodQueueBindOk,
		MethodQueuePurge,
		MethodQueuePurgeOk,
		MethodQueueDelete,
		MethodQueueDeleteOk,
		MethodQueueUnbind,
		MethodQueueUnbindOk,
		MethodBasicQos,
		MethodBasicQosOk,
		MethodBasicConsume,
		MethodBasicConsumeOk,
		MethodBasicCancel,
		MethodBasicCancelOk,
		MethodBasicPublish,
		MethodBasicReturn,
		MethodBasicDeliver,
		MethodBasicGet,
		MethodBasicGetOk,
		MethodBasicGetEmpty,
		MethodBasicAck,
		MethodBasicReject,
		MethodBasicRecoverAsync,
		MethodBasicRecover,
		MethodBasicRecoverOk,
		MethodBasicNack,
		MethodConfirmSelect,
		MethodConfirmSelectOk,
		MethodTxSelect,
		MethodTxSelectOk,
		MethodTxCommit,
		MethodTxCommitOk,
		MethodTxRollback,
		MethodTxRollbackOk:
		return true
	}
	return false
}

// Synchronous says whether the method is a request that is answered, or such an answer.
func (id MethodID) Synchronous() bool {
	switch id {
	case MethodConnectionStart,
		MethodConnectionStartOk,
		MethodConnectionSecure,
		MethodConnectionSecureOk,
		MethodConnectionTune,
		MethodConnectionTuneOk,
		MethodConnectionOpen,
		MethodConnectionOpenOk,
		MethodConnectionClose,
		MethodConnectionCloseOk,
		MethodConnectionUpdateSecret,
		MethodConnectionUpdateSecretOk,
		MethodChannelOpen,
		MethodChannelOpenOk,
		MethodChannelFlow,
		MethodChannelClose,
		MethodChannelCloseOk,
		MethodAccessRequest,
		MethodAccessRequestOk,
		MethodExchangeDeclare,
		MethodExchangeDeclareOk,
		MethodExchangeDelete,
		MethodExchangeDeleteOk,
		MethodExchangeBind,
		MethodExchangeBindOk,
		MethodExchangeUnbind,
		MethodExchangeUnbindOk,
		MethodQueueDeclare,
		MethodQueueDeclareOk,
		MethodQueueBind,
		MethodQueueBindOk,
		MethodQueuePurge,
		MethodQueuePurgeOk,
		MethodQueueDelete,
		MethodQueueDeleteOk,
		MethodQueueUnbind,
		MethodQueueUnbindOk,
		MethodBasicQos,
		MethodBasicQosOk,
		MethodBasicConsume,
		MethodBasicConsumeOk,
		MethodBasicCancel,
		MethodBasicCancelOk,
		MethodBasicGet,
		MethodBasicGetOk,
		MethodBasicGetEmpty,
		MethodBasicRecoverOk,
		MethodConfirmSelect,
		MethodConfirmSelectOk,
		MethodTxSelect,
		MethodTxSelectOk,
		MethodTxCommit,
		MethodTxCommitOk,
		MethodTxRollback,
		MethodTxRollbackOk:
		return true
	}
	return false
}

// HasContent says whether a content header and body frames follow the method.
func (id MethodID) HasContent() bool {
	switch id {
	case MethodBasicPublish,
		MethodBasicReturn,
		MethodBasicDeliver,
		MethodBasicGetOk:
		return true
	}
	return false
}

// ToServer says whether a server may receive the method.
func (id MethodID) ToServer() bool {
	switch id {
	case MethodConnectionStartOk,
		MethodConnectionSecureOk,
		MethodConnectionTuneOk,
		MethodConnectionOpen,
		MethodConnectionClose,
		MethodConnectionCloseOk,
		MethodConnectionUpdateSecret,
		MethodChannelOpen,
		MethodChannelFlow,
		MethodChannelFlowOk,
		MethodChannelClose,
		MethodChannelCloseOk,
		MethodAccessRequest,
		MethodExchangeDeclare,
		MethodExchangeDelete,
		MethodExchangeBind,
		MethodExchangeUnbind,
		MethodQueueDeclare,
		MethodQueueBind,
		MethodQueuePurge,
		MethodQueueDelete,
		MethodQueueUnbind,
		MethodBasicQos,
		MethodBasicConsume,
		MethodBasicCancel,
		MethodBasicCancelOk,
		MethodBasicPublish,
		MethodBasicGet,
		MethodBasicAck,
		MethodBasicReject,
		MethodBasicRecoverAsync,
		MethodBasicRecover,
		MethodBasicNack,
		MethodConfirmSelect,
		MethodTxSelect,
		MethodTxCommit,
		MethodTxRollback:
		return true
	}
	return false
}

// ToClient says whether a client may receive the method.
func (id MethodID) ToClient() bool {
	switch id {
	case MethodConnectionStart,
		MethodConnectionSecure,
		MethodConnectionTune,
		MethodConnectionOpenOk,
		MethodConnectionClose,
		MethodConnectionCloseOk,
		MethodConnectionBlocked,
		MethodConnectionUnblocked,
		MethodConnectionUpdateSecretOk,
		MethodChannelOpenOk,
		MethodChannelFlow,
		MethodChannelFlowOk,
		MethodChannelClose,
		MethodChannelCloseOk,
		MethodAccessRequestOk,
		MethodExchangeDeclareOk,
		MethodExchangeDeleteOk,
		MethodExchangeBindOk,
		MethodExchangeUnbindOk,
		MethodQueueDeclareOk,
		MethodQueueBindOk,
		MethodQueuePurgeOk,
		MethodQueueDeleteOk,
		MethodQueueUnbindOk,
		MethodBasicQosOk,
		MethodBasicConsumeOk,
		MethodBasicCancel,
		MethodBasicCancelOk,
		MethodBasicReturn,
		MethodBasicDeliver,
		MethodBasicGetOk,
		MethodBasicGetEmpty,
		MethodBasicAck,
		MethodBasicRecoverOk,
		MethodBasicNack,
		MethodConfirmSelectOk,
		MethodTxSelectOk,
		MethodTxCommitOk,
		MethodTxRollbackOk:
		return true
	}
	return false
}
