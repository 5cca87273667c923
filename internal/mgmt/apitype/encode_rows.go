package apitype

import "strconv"

// AppendJSON implements Appender.
func (q *Queue) AppendJSON(dst []byte) []byte {
	o := &object{append(dst, '{')}
	o.any("arguments", q.Arguments)
	o.bool("auto_delete", q.AutoDelete)
	o.bool("durable", q.Durable)
	o.bool("exclusive", q.Exclusive)
	o.text("name", q.Name)
	o.text("node", q.Node)
	o.text("state", q.State)
	o.text("type", q.Type)
	o.text("vhost", q.VHost)
	if q.Lengths != nil {
		o.lengths(q.Lengths)
	}
	if q.QueueStats != nil {
		o.queueStats(q.QueueStats)
	}
	if q.ClassicQueue != nil {
		o.classic(q.ClassicQueue)
	}
	if q.QuorumQueue != nil {
		o.quorum(q.QuorumQueue)
	}
	return append(o.b, '}')
}

func (o *object) lengths(l *Lengths) {
	one := func(k, kd string, n int64, d *Detail) {
		if o.int(k, n); d != nil {
			o.detail(kd, d)
		}
	}
	one("messages", "messages_details", l.Messages, l.MessagesDetails)
	one("messages_ready", "messages_ready_details", l.MessagesReady, l.MessagesReadyDetails)
	one("messages_unacknowledged", "messages_unacknowledged_details", l.MessagesUnacknowledged, l.MessagesUnacknowledgedDetails)
}

func (o *object) queueStats(s *QueueStats) {
	o.float("consumer_capacity", s.ConsumerCapacity)
	o.float("consumer_utilisation", s.ConsumerUtilisation)
	o.int("consumers", int64(s.Consumers))
	o.raw("effective_policy_definition", s.EffectivePolicyDefinition)
	o.textOr("exclusive_consumer_tag", s.ExclusiveConsumerTag)
	o.intOr("head_message_timestamp", s.HeadMessageTimestamp)
	if s.IdleSince != "" {
		o.text("idle_since", s.IdleSince)
	}
	o.int("memory", s.Memory)
	o.int("message_bytes", s.MessageBytes)
	o.int("message_bytes_persistent", s.MessageBytesPersistent)
	o.int("message_bytes_ram", s.MessageBytesRAM)
	o.int("message_bytes_ready", s.MessageBytesReady)
	o.int("message_bytes_unacknowledged", s.MessageBytesUnacknowledged)
	o.messageStats(s.MessageStats)
	o.int("messages_persistent", s.MessagesPersistent)
	o.int("messages_ram", s.MessagesRAM)
	o.intOr("oldest_ready_age_ms", s.OldestReadyAge)
	o.intOr("oldest_unacked_age_ms", s.OldestUnackedAge)
	o.textOr("operator_policy", s.OperatorPolicy)
	if s.OwnerPidDetails != nil {
		o.key("owner_pid_details")
		o.b = s.OwnerPidDetails.append(o.b)
	}
	o.textOr("policy", s.Policy)
	o.textOr("single_active_consumer_tag", s.SingleActiveConsumerTag)
	o.erlang(&s.ErlangProcess)
}

func (o *object) classic(c *ClassicQueue) {
	if c.BackingQueueStatus != nil {
		o.key("backing_queue_status")
		o.b = c.BackingQueueStatus.append(o.b)
	}
	o.int("message_bytes_paged_out", c.MessageBytesPagedOut)
	o.int("messages_paged_out", c.MessagesPagedOut)
	o.int("messages_ready_ram", c.MessagesReadyRAM)
	o.int("messages_unacknowledged_ram", c.MessagesUnacknowledgedRAM)
	o.key("recoverable_slaves")
	if c.RecoverableSlaves == nil {
		o.b = append(o.b, "null"...)
	} else {
		o.b = strconv.AppendInt(o.b, int64(*c.RecoverableSlaves), 10)
	}
	o.int("storage_version", int64(c.StorageVersion))
}

func (q *BackingQueue) append(dst []byte) []byte {
	o := &object{append(dst, '{')}
	o.float("avg_ack_egress_rate", q.AvgAckEgressRate)
	o.float("avg_ack_ingress_rate", q.AvgAckIngressRate)
	o.float("avg_egress_rate", q.AvgEgressRate)
	o.float("avg_ingress_rate", q.AvgIngressRate)
	o.delta(q.Delta)
	o.int("len", q.Len)
	o.text("mode", q.Mode)
	o.uint("next_deliver_seq_id", q.NextDeliverSeqID)
	o.uint("next_seq_id", q.NextSeqID)
	if len(q.PriorityLengths) > 0 {
		o.any("priority_lengths", q.PriorityLengths)
	}
	o.int("q1", q.Q1)
	o.int("q2", q.Q2)
	o.int("q3", q.Q3)
	o.int("q4", q.Q4)
	o.text("target_ram_count", q.TargetRAMCount)
	o.int("version", int64(q.Version))
	return append(o.b, '}')
}

func (o *object) delta(vs []any) {
	if vs == nil {
		o.any("delta", nil)
		return
	}
	o.key("delta")
	o.b = append(o.b, '[')
	for i, v := range vs {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		switch v := v.(type) {
		case string:
			o.b = AppendText(o.b, v)
		case int:
			o.b = strconv.AppendInt(o.b, int64(v), 10)
		default:
			o.b = appendAny(o.b, v)
		}
	}
	o.b = append(o.b, ']')
}

func (o *object) quorum(q *QuorumQueue) {
	o.text("leader", q.Leader)
	o.any("members", q.Members)
	o.any("online", q.Online)
	if s := q.QuorumStats; s != nil {
		o.text("delayed_retry", s.DelayedRetry)
		o.any("delivery_limit", s.DeliveryLimit)
		if s.LastDelayedAt != nil {
			o.int("last_delayed_at", *s.LastDelayedAt)
		}
		o.int("message_bytes_dlx", s.MessageBytesDLX)
		o.int("messages_delayed", s.MessagesDelayed)
		o.int("messages_dlx", s.MessagesDLX)
		if s.NextDelayedAt != nil {
			o.int("next_delayed_at", *s.NextDelayedAt)
		}
		o.any("open_files", s.OpenFiles)
		o.textOr("single_active_consumer_ctag", s.SingleActiveCTag)
	}
	if s := q.StreamStats; s != nil {
		o.int("committed_offset", s.CommittedOffset)
		o.int("first_offset", s.FirstOffset)
		o.intOr("first_timestamp", s.FirstTimestamp)
		o.int("next_offset", s.NextOffset)
		o.any("readers", s.Readers)
		o.int("segments", int64(s.Segments))
	}
}

// AppendJSON implements Appender.
func (c *Connection) AppendJSON(dst []byte) []byte {
	o := &object{append(dst, '{')}
	if s := c.ConnectionStats; s != nil {
		o.int("channels", int64(s.Channels))
		o.text("state", s.State)
		o.int("recv_cnt", s.RecvCnt)
		o.count("recv_oct", "recv_oct_details", s.RecvOct, &s.RecvOctDetails)
		o.int("send_cnt", s.SendCnt)
		o.count("send_oct", "send_oct_details", s.SendOct, &s.SendOctDetails)
		o.int("send_pend", s.SendPend)
		o.erlang(&s.ErlangProcess)
	}
	o.text("auth_mechanism", c.AuthMechanism)
	o.int("channel_max", int64(c.ChannelMax))
	o.any("client_properties", c.ClientProperties)
	o.int("connected_at", c.ConnectedAt)
	o.int("frame_max", int64(c.FrameMax))
	o.text("host", c.Host)
	o.text("name", c.Name)
	o.text("node", c.Node)
	o.any("peer_cert_issuer", c.PeerCertIssuer)
	o.any("peer_cert_subject", c.PeerCertSubject)
	o.any("peer_cert_validity", c.PeerCertValidity)
	o.text("peer_host", c.PeerHost)
	o.int("peer_port", int64(c.PeerPort))
	o.int("port", int64(c.Port))
	o.text("protocol", c.Protocol)
	o.bool("ssl", c.SSL)
	o.any("ssl_cipher", c.SSLCipher)
	o.any("ssl_hash", c.SSLHash)
	o.any("ssl_key_exchange", c.SSLKeyExchange)
	o.any("ssl_protocol", c.SSLProtocol)
	o.int("timeout", int64(c.Timeout))
	o.text("type", c.Type)
	o.text("user", c.User)
	if c.UserProvidedName != "" {
		o.text("user_provided_name", c.UserProvidedName)
	}
	o.text("user_who_performed_action", c.UserWhoPerformedAction)
	o.text("vhost", c.VHost)
	return append(o.b, '}')
}

// AppendJSON implements Appender.
func (c *Channel) AppendJSON(dst []byte) []byte {
	o := &object{append(dst, '{')}
	if s := c.ChannelStats; s != nil {
		o.channelStats(s)
	}
	o.key("connection_details")
	o.b = c.ConnectionDetails.append(o.b)
	o.text("name", c.Name)
	o.text("node", c.Node)
	o.int("number", int64(c.Number))
	o.text("user", c.User)
	o.text("user_who_performed_action", c.UserWhoPerformedAction)
	o.text("vhost", c.VHost)
	return append(o.b, '}')
}

func (o *object) channelStats(s *ChannelStats) {
	o.int("acks_uncommitted", int64(s.AcksUncommitted))
	o.bool("confirm", s.Confirm)
	o.int("consumer_count", int64(s.ConsumerCount))
	o.int("global_prefetch_count", int64(s.GlobalPrefetchCount))
	if s.IdleSince != "" {
		o.text("idle_since", s.IdleSince)
	}
	o.messageStats(s.MessageStats)
	o.int("messages_unacknowledged", int64(s.MessagesUnacknowledged))
	o.int("messages_uncommitted", int64(s.MessagesUncommitted))
	o.int("messages_unconfirmed", s.MessagesUnconfirmed)
	o.int("pending_raft_commands", int64(s.PendingRaftCommands))
	o.int("prefetch_count", int64(s.PrefetchCount))
	o.text("state", s.State)
	o.bool("transactional", s.Transactional)
	o.erlang(&s.ErlangProcess)
}
