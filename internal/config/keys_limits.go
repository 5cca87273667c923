package config

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// limitKeys are limits, alarms, and what queues are like.
func (b *build) limitKeys() []key {
	s := b.s
	noQuorumLog := "quorum queues are kept in the node's one log, in warren.data_dir, which needs no such setting"
	rows := []key{
		{name: "connection_max", def: "infinity", set: limit(&s.Limits.Connections)},
		{name: "max_connections", set: limit(&s.Limits.Connections)},
		{name: "ranch_connection_max", set: limit(&s.Limits.Connections)},
		{name: "channel_max_per_node", def: "infinity", set: limit(&s.Limits.Channels)},
		{name: "consumer_max_per_channel", def: "infinity", set: limit(&s.Limits.ConsumersPerChannel)},
		{name: "vhost_max", def: "infinity", set: limit(&s.Limits.VHosts)},
		{name: "cluster_queue_limit", def: "infinity", set: limit(&s.Limits.Queues)},
		{name: "cluster_exchange_limit", def: "infinity", set: limit(&s.Limits.Exchanges)},
		{name: "max_message_size", def: "16777216", set: func(_ *build, _ []string, v string) error {
			n, err := parseSize(v)
			s.MaxMessageSize = n
			if err == nil && (n < 1 || n > 512<<20) {
				return errors.New("want 1 to 536870912 bytes")
			}
			return err
		}},
		{name: "vm_memory_high_watermark.relative", def: "0.6", set: func(_ *build, _ []string, v string) error {
			f, err := parseFraction(v)
			s.Memory.Relative = f
			if err == nil && (f <= 0 || f > 2) {
				return errors.New("want a fraction above 0, up to 1, such as 0.6")
			}
			return err
		}},
		{name: "vm_memory_high_watermark.absolute", set: func(_ *build, _ []string, v string) error {
			n, err := parseSize(v)
			if s.Memory.Absolute = n; err == nil && n == 0 {
				return errors.New("0 would block all publishers for ever")
			}
			return err
		}},
		{name: "vm_memory_high_watermark_paging_ratio", note: "messages are always on disk beyond a small window"},
		{name: "vm_memory_calculation_strategy", note: "what counts is the resident size of the process"},
		{name: "total_memory_available_override_value", set: size(&s.Memory.Total)},
		{name: "memory_monitor_interval", note: "memory is watched all the time"},
		{name: "disk_free_limit.absolute", def: "50MB", set: size(&s.DiskFree.Absolute)},
		{name: "disk_free_limit.relative", set: func(_ *build, _ []string, v string) (err error) {
			s.DiskFree.Relative, err = parseFraction(v)
			return err
		}},
		{name: "disk_monitor_failure_retries", note: "the free space of a disk that is there can always be told"},
		{name: "disk_monitor_failure_retry_interval", note: "the free space of a disk that is there can always be told"},
		{name: "consumer_timeout", def: "1800000", set: orNever(&s.ConsumerTimeout, millis(&s.ConsumerTimeout))},
		{name: "default_queue_type", def: "classic", set: func(_ *build, _ []string, v string) error {
			switch v {
			case "classic", "rabbit_classic_queue":
				s.DefaultQueueType = "classic"
			case "quorum", "rabbit_quorum_queue":
				s.DefaultQueueType = "quorum"
			case "stream", "rabbit_stream_queue":
				s.DefaultQueueType = "stream"
			default:
				return fmt.Errorf("%q: want classic, quorum or stream", v)
			}
			return nil
		}},
		{name: "queue_types.$type.enabled", refuse: "queue types cannot be switched off", harmless: []string{"true"}},
		{name: "exchange_types.local_random.enabled", refuse: "exchange types cannot be switched off", harmless: []string{"true"}},
		{name: "default_consumer_prefetch", set: func(_ *build, _ []string, v string) error {
			global, count, ok := strings.Cut(v, ",")
			on, err := parseBool(global)
			n, err2 := parseInt(strings.TrimSpace(count), 0, 65535)
			if s.PrefetchGlobal, s.Prefetch = on, uint16(n); !ok || err != nil || err2 != nil {
				return errors.New("want {false, N}, or {true, N} for all consumers of a channel together")
			}
			return nil
		}},
		{name: "consumer_disconnected_timeout", note: "there is one node, and consumers are not out of reach"},
		{name: "quorum_queue.property_equivalence.relaxed_checks_on_redeclaration", refuse: "checks of declarations cannot be relaxed", harmless: []string{"false"}},
		{name: "quorum_queue.$*", note: noQuorumLog},
		{name: "raft.$*", note: noQuorumLog},
		{name: "metadata_store.khepri.default_timeout", note: "definitions are kept in the node's one log"},
		{name: "metadata_store.khepri.snapshot_interval", note: "definitions are kept in the node's one log"},
		{name: "queue_leader_locator", note: "there is one node"},
		{name: "queue_master_locator", note: "there is one node"},
		{name: "classic_queue.default_version", note: "there is one version of classic queues"},
		{name: "queue_index_embed_msgs_below", note: "messages of all sizes are in the node's one log"},
		{name: "msg_store_file_size_limit", note: "the log has segments: warren.segment_size"},
		{name: "message_store_shutdown_timeout", note: "nothing is waited for without an end: warren.shutdown_timeout is for connections"},
		{name: "lazy_queue_explicit_gc_run_operation_threshold", note: "there are no Erlang processes"},
		{name: "queue_explicit_gc_run_operation_threshold", note: "there are no Erlang processes"},
		{name: "collect_statistics", note: "statistics are always there", harmless: []string{"none", "coarse", "fine"}},
		{name: "collect_statistics_interval", def: "5000", set: millis(&s.StatisticsInterval)},
		{name: "vhost_restart_strategy", note: "virtual hosts do not crash one by one"},
		{name: "runtime_parameters.limits.$component", refuse: "limits on runtime parameters are not supported"},
		{name: "session_max_per_connection", note: "AMQP 1.0 is not part of this version"},
		{name: "link_max_per_session", note: "AMQP 1.0 is not part of this version"},
	}
	interval := &s.StatisticsInterval
	for i := range rows {
		if rows[i].name != "collect_statistics_interval" {
			continue
		}
		set := rows[i].set
		rows[i].set = func(b *build, at []string, v string) error {
			if err := set(b, at, v); err != nil {
				return err
			}
			if *interval < 100*time.Millisecond || *interval > 10*time.Minute {
				return errors.New("want 100 to 600000 milliseconds")
			}
			return nil
		}
	}
	return rows
}
