package config

// otherKeys are RabbitMQ's that have nothing to do here: those of parts that
// are not there, and those about how Erlang works.
func otherKeys() []key {
	const (
		erlang    = "this is about how Erlang works"
		alone     = "this version runs single nodes"
		several   = "this version runs single nodes: with this setting every node would be a broker of its own, with other messages"
		permitted = "what RabbitMQ 4 has deprecated works here, and cannot be forbidden"
		absent    = " is not part of this version: nothing listens for it"
	)
	rows := []key{
		{name: "num_acceptors.tcp", note: "connections are accepted as they come"},
		{name: "num_acceptors.ssl", note: "connections are accepted as they come"},
		{name: "socket_writer.gc_threshold", note: erlang},
		{name: "tcp_listen_options.backlog", note: "the system's limit holds (net.core.somaxconn)"},
		{name: "tcp_listen_options.exit_on_close", note: erlang},
		{name: "tcp_listen_options.buffer", note: erlang},
		{name: "tcp_listen_options.packet", note: erlang},
		{name: "tcp_listen_options.reuseaddr", note: "addresses are always used again at once"},
		{name: "tcp_listen_options.send_timeout_close", note: "a connection that does not take what it is sent is always closed"},
		{name: "tcp_listen_options", refuse: "want tcp_listen_options.KEY", harmless: []string{"none"}},
		{name: "tcp_listen_options.delay_send", note: erlang},
		{name: "tcp_listen_options.high_msgq_watermark", note: erlang},
		{name: "tcp_listen_options.high_watermark", note: erlang},
		{name: "tcp_listen_options.low_msgq_watermark", note: erlang},
		{name: "tcp_listen_options.low_watermark", note: erlang},
		{name: "tcp_listen_options.dontroute", refuse: "this option of sockets is not supported", harmless: []string{"false"}},
		{name: "tcp_listen_options.fd", refuse: "this option of sockets is not supported"},
		{name: "tcp_listen_options.port", refuse: "ports are set with listeners.tcp.default"},
		{name: "tcp_listen_options.priority", refuse: "this option of sockets is not supported"},
		{name: "tcp_listen_options.tos", refuse: "this option of sockets is not supported"},
		{name: "erlang.$*", note: erlang},
		{name: "hipe_compile", note: erlang},
		{name: "sysmon_handler.$*", note: erlang},
		{name: "channel_interceptor.priorities.$name", note: "there are no interceptors of channels"},
		{name: "amqp_client.$*", note: "this is for shovels and federation, which are not part of this version"},
		{name: "amqp10_client.$*", note: "this is for shovels, which are not part of this version"},
		{name: "aws.$*", note: "this is for peer discovery: " + alone},
		{name: "amqp1_0.$*", note: "AMQP 1.0 is not part of this version"},
		{name: "ssl_allow_poodle_attack", note: "SSL 3 is not supported"},
		{name: "ssl_options", refuse: "want ssl_options.KEY", harmless: []string{"none"}},
		{name: "background_gc_enabled", note: erlang},
		{name: "background_gc_target_interval", note: erlang},
		{name: "delegate_count", note: erlang},
		{name: "default_worker_pool_size", note: erlang},
		{name: "deprecated_features.permit.transient_nonexcl_queues", refuse: permitted, harmless: []string{"true"}},
		{name: "deprecated_features.permit.global_qos", refuse: permitted, harmless: []string{"true"}},
		{name: "deprecated_features.permit.$name", note: "this version does not have it, or has it without the trouble that deprecated it"},
		{name: "message_interceptors.$*", refuse: "interceptors of messages are not part of this version"},
		{name: "mqtt.message_interceptors.$*", refuse: "interceptors of messages are not part of this version"},
		{name: "cluster_tags.$tag", note: alone},
		{name: "node_tags.$tag", note: alone},
		{name: "motd_file", note: "there is no banner"},
		{name: "prevent_startup_if_node_was_reset", refuse: "a node cannot be kept from starting empty", harmless: []string{"false"}},

		{name: "cluster_formation.peer_discovery_backend", refuse: several, harmless: []string{"classic_config", "rabbit_peer_discovery_classic_config"}},
		{name: "cluster_formation.classic_config.nodes.$n", refuse: several},
		{name: "cluster_formation.target_cluster_size_hint", refuse: several, harmless: []string{"1"}},
		{name: "cluster_formation.$*", note: alone},
		{name: "cluster_partition_handling", note: alone},
		{name: "cluster_partition_handling.$*", note: alone},
		{name: "cluster_keepalive_interval", note: alone},
		{name: "net_ticktime", note: alone},
		{name: "distribution.listener.$*", note: alone},
		{name: "distribution.$*", note: alone},
		{name: "mirroring_sync_batch_size", note: alone},
		{name: "mirroring_sync_max_throughput", note: alone},
		{name: "mirroring_flow_control", note: alone},
		{name: "slave_wait_timeout", note: alone},
		{name: "mnesia_table_loading_retry_timeout", note: alone},
		{name: "mnesia_table_loading_retry_limit", note: alone},
		{name: "khepri_default_timeout", note: alone},

		{name: "event_exchange.$*", note: "the event exchange is not part of this version"},
		{name: "tracing.$*", note: "the tracing plugin is not part of this version"},
		{name: "trust_store.$*", refuse: "the trust store is not part of this version: clients would be trusted by ssl_options.cacertfile alone"},
		{name: "shovel.$*", note: "shovels are not part of this version"},
		{name: "federation.$*", note: "federation is not part of this version"},
		{name: "auth_http.$*", note: "this backend is not part of this version"},
		{name: "auth_ldap.$*", note: "this backend is not part of this version"},
		{name: "auth_oauth2.$*", note: "this backend is not part of this version"},
		{name: "auth_cache.$*", note: "this backend is not part of this version"},
	}
	for prefix, what := range map[string]string{"mqtt": "MQTT", "stomp": "STOMP", "stream": "RabbitMQ's stream protocol",
		"web_mqtt": "MQTT over WebSockets", "web_stomp": "STOMP over WebSockets"} {
		rows = append(rows, key{name: prefix + ".$*", note: what + absent})
	}
	return rows
}
