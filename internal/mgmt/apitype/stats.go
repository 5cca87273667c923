package apitype

import "encoding/json"

// Detail is how a number changes. Samples, their average and the average rate
// are there if the request asks for them (lengths_age, msg_rates_age, …).
type Detail struct {
	Rate    float64  `json:"rate"`
	Samples []Sample `json:"samples,omitempty"`
	AvgRate *float64 `json:"avg_rate,omitempty"`
	Avg     *float64 `json:"avg,omitempty"`
}

// Sample is a number at a time, in ms since 1970.
type Sample struct {
	Sample    float64 `json:"sample"`
	Timestamp int64   `json:"timestamp"`
}

// PublishStats counts what came into a queue or over a channel.
type PublishStats struct {
	Publish        int64  `json:"publish"`
	PublishDetails Detail `json:"publish_details"`
}

// ConfirmStats counts what became of publishes.
type ConfirmStats struct {
	Confirm                 int64  `json:"confirm"`
	ConfirmDetails          Detail `json:"confirm_details"`
	DropUnroutable          int64  `json:"drop_unroutable"`
	DropUnroutableDetails   Detail `json:"drop_unroutable_details"`
	ReturnUnroutable        int64  `json:"return_unroutable"`
	ReturnUnroutableDetails Detail `json:"return_unroutable_details"`
}

// DeliverStats counts what was given to consumers.
type DeliverStats struct {
	Ack                 int64  `json:"ack"`
	AckDetails          Detail `json:"ack_details"`
	Deliver             int64  `json:"deliver"`
	DeliverDetails      Detail `json:"deliver_details"`
	DeliverGet          int64  `json:"deliver_get"`
	DeliverGetDetails   Detail `json:"deliver_get_details"`
	DeliverNoAck        int64  `json:"deliver_no_ack"`
	DeliverNoAckDetails Detail `json:"deliver_no_ack_details"`
	Get                 int64  `json:"get"`
	GetDetails          Detail `json:"get_details"`
	GetEmpty            int64  `json:"get_empty"`
	GetEmptyDetails     Detail `json:"get_empty_details"`
	GetNoAck            int64  `json:"get_no_ack"`
	GetNoAckDetails     Detail `json:"get_no_ack_details"`
	Redeliver           int64  `json:"redeliver"`
	RedeliverDetails    Detail `json:"redeliver_details"`
}

// DiskStats counts messages that were read from and written to disk.
type DiskStats struct {
	DiskReads         int64  `json:"disk_reads"`
	DiskReadsDetails  Detail `json:"disk_reads_details"`
	DiskWrites        int64  `json:"disk_writes"`
	DiskWritesDetails Detail `json:"disk_writes_details"`
}

// ExchangeStats counts what came to an exchange and what left it for queues.
type ExchangeStats struct {
	PublishIn         int64  `json:"publish_in"`
	PublishInDetails  Detail `json:"publish_in_details"`
	PublishOut        int64  `json:"publish_out"`
	PublishOutDetails Detail `json:"publish_out_details"`
}

// MessageStats counts messages. A group is there once something of it has
// happened.
type MessageStats struct {
	*PublishStats
	*ConfirmStats
	*DeliverStats
	*DiskStats
	*ExchangeStats
}

// Lengths are the numbers of waiting messages.
type Lengths struct {
	Messages                      int64   `json:"messages"`
	MessagesDetails               *Detail `json:"messages_details,omitempty"`
	MessagesReady                 int64   `json:"messages_ready"`
	MessagesReadyDetails          *Detail `json:"messages_ready_details,omitempty"`
	MessagesUnacknowledged        int64   `json:"messages_unacknowledged"`
	MessagesUnacknowledgedDetails *Detail `json:"messages_unacknowledged_details,omitempty"`
}

// Churn counts what comes and goes.
type Churn struct {
	ChannelClosed            int64  `json:"channel_closed"`
	ChannelClosedDetails     Detail `json:"channel_closed_details"`
	ChannelCreated           int64  `json:"channel_created"`
	ChannelCreatedDetails    Detail `json:"channel_created_details"`
	ConnectionClosed         int64  `json:"connection_closed"`
	ConnectionClosedDetails  Detail `json:"connection_closed_details"`
	ConnectionCreated        int64  `json:"connection_created"`
	ConnectionCreatedDetails Detail `json:"connection_created_details"`
	QueueCreated             int64  `json:"queue_created"`
	QueueCreatedDetails      Detail `json:"queue_created_details"`
	QueueDeclared            int64  `json:"queue_declared"`
	QueueDeclaredDetails     Detail `json:"queue_declared_details"`
	QueueDeleted             int64  `json:"queue_deleted"`
	QueueDeletedDetails      Detail `json:"queue_deleted_details"`
}

// ErlangProcess is what RabbitMQ says of the Erlang process behind an object.
// There is none here: all is zero, for scripts that read it.
type ErlangProcess struct {
	GarbageCollection GarbageCollection `json:"garbage_collection"`
	Reductions        int64             `json:"reductions"`
	ReductionsDetails Detail            `json:"reductions_details"`
}

// GarbageCollection is part of ErlangProcess.
type GarbageCollection struct {
	FullsweepAfter  int64 `json:"fullsweep_after"`
	MaxHeapSize     int64 `json:"max_heap_size"`
	MinBinVHeapSize int64 `json:"min_bin_vheap_size"`
	MinHeapSize     int64 `json:"min_heap_size"`
	MinorGCs        int64 `json:"minor_gcs"`
}

// ObjectTotals counts objects.
type ObjectTotals struct {
	Channels    int `json:"channels"`
	Connections int `json:"connections"`
	Consumers   int `json:"consumers"`
	Exchanges   int `json:"exchanges"`
	Queues      int `json:"queues"`
}

// FewTotals are those that are counted with disable_stats.
type FewTotals struct {
	Connections int `json:"connections"`
	Exchanges   int `json:"exchanges"`
	Queues      int `json:"queues"`
}

// ExchangeType is a type of exchanges.
type ExchangeType struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Enabled     bool   `json:"enabled"`
}

// ListenerRow is a listener in an overview.
type ListenerRow struct {
	Node       string `json:"node"`
	Protocol   string `json:"protocol"`
	IPAddress  string `json:"ip_address"`
	Port       int    `json:"port"`
	SocketOpts any    `json:"socket_opts"`
}

// ContextRow is an HTTP listener in an overview.
type ContextRow struct {
	SSLOpts     any    `json:"ssl_opts,omitempty"`
	Node        string `json:"node,omitempty"`
	Protocol    string `json:"protocol,omitempty"`
	Description string `json:"description"`
	Path        string `json:"path"`
	CowboyOpts  string `json:"cowboy_opts"`
	IP          string `json:"ip,omitempty"`
	Port        string `json:"port"`
}

// Overview is the answer to GET /overview.
type Overview struct {
	ManagementVersion       string             `json:"management_version"`
	RatesMode               string             `json:"rates_mode"`
	SampleRetentionPolicies map[string][]int64 `json:"sample_retention_policies"`
	ExchangeTypes           []ExchangeType     `json:"exchange_types"`
	ProductVersion          string             `json:"product_version"`
	// Additions are what there is beyond RabbitMQ's API: messages, hosts.
	Additions            []string      `json:"additions,omitempty"`
	ProductName          string        `json:"product_name"`
	RabbitMQVersion      string        `json:"rabbitmq_version"`
	ClusterName          string        `json:"cluster_name"`
	ClusterTags          Object        `json:"cluster_tags"`
	NodeTags             Object        `json:"node_tags"`
	ErlangVersion        string        `json:"erlang_version"`
	ErlangFullVersion    string        `json:"erlang_full_version"`
	CryptoLibVersion     string        `json:"crypto_lib_version"`
	ReleaseSeriesSupport string        `json:"release_series_support_status"`
	DisableStats         bool          `json:"disable_stats"`
	IsOpPolicyUpdating   bool          `json:"is_op_policy_updating_enabled"`
	EnableQueueTotals    bool          `json:"enable_queue_totals"`
	DefaultQueueType     string        `json:"default_queue_type"`
	MessageStats         *MessageStats `json:"message_stats,omitempty"`
	ChurnRates           *Churn        `json:"churn_rates,omitempty"`
	QueueTotals          any           `json:"queue_totals,omitempty"`
	ObjectTotals         any           `json:"object_totals,omitempty"`
	EventQueue           *int          `json:"statistics_db_event_queue,omitempty"`
	Node                 string        `json:"node,omitempty"`
	Listeners            []ListenerRow `json:"listeners,omitempty"`
	Contexts             []ContextRow  `json:"contexts,omitempty"`
}

// Connection is a client's connection.
type Connection struct {
	*ConnectionStats
	AuthMechanism          string `json:"auth_mechanism"`
	ChannelMax             int    `json:"channel_max"`
	ClientProperties       any    `json:"client_properties"`
	ConnectedAt            int64  `json:"connected_at"`
	FrameMax               int    `json:"frame_max"`
	Host                   string `json:"host"`
	Name                   string `json:"name"`
	Node                   string `json:"node"`
	PeerCertIssuer         any    `json:"peer_cert_issuer"`
	PeerCertSubject        any    `json:"peer_cert_subject"`
	PeerCertValidity       any    `json:"peer_cert_validity"`
	PeerHost               string `json:"peer_host"`
	PeerPort               int    `json:"peer_port"`
	Port                   int    `json:"port"`
	Protocol               string `json:"protocol"`
	SSL                    bool   `json:"ssl"`
	SSLCipher              any    `json:"ssl_cipher"`
	SSLHash                any    `json:"ssl_hash"`
	SSLKeyExchange         any    `json:"ssl_key_exchange"`
	SSLProtocol            any    `json:"ssl_protocol"`
	Timeout                int    `json:"timeout"`
	Type                   string `json:"type"`
	User                   string `json:"user"`
	UserProvidedName       string `json:"user_provided_name,omitempty"`
	UserWhoPerformedAction string `json:"user_who_performed_action"`
	VHost                  string `json:"vhost"`
}

// ConnectionStats is the part of a Connection that changes.
type ConnectionStats struct {
	Channels       int    `json:"channels"`
	State          string `json:"state"`
	RecvCnt        int64  `json:"recv_cnt"`
	RecvOct        int64  `json:"recv_oct"`
	RecvOctDetails Detail `json:"recv_oct_details"`
	SendCnt        int64  `json:"send_cnt"`
	SendOct        int64  `json:"send_oct"`
	SendOctDetails Detail `json:"send_oct_details"`
	SendPend       int64  `json:"send_pend"`
	ErlangProcess
}

// UserConnection is a row of /connections/username/{user}.
type UserConnection struct {
	Name  string `json:"name"`
	VHost string `json:"vhost"`
	User  string `json:"user"`
	Node  string `json:"node"`
}

// ConnectionRef names a channel's connection.
type ConnectionRef struct {
	Name     string `json:"name"`
	PeerHost string `json:"peer_host"`
	PeerPort int    `json:"peer_port"`
}

// Channel is a channel.
type Channel struct {
	*ChannelStats
	ConnectionDetails      ConnectionRef `json:"connection_details"`
	Name                   string        `json:"name"`
	Node                   string        `json:"node"`
	Number                 int           `json:"number"`
	User                   string        `json:"user"`
	UserWhoPerformedAction string        `json:"user_who_performed_action"`
	VHost                  string        `json:"vhost"`
}

// ChannelStats is the part of a Channel that changes.
type ChannelStats struct {
	AcksUncommitted        int           `json:"acks_uncommitted"`
	Confirm                bool          `json:"confirm"`
	ConsumerCount          int           `json:"consumer_count"`
	GlobalPrefetchCount    int           `json:"global_prefetch_count"`
	IdleSince              string        `json:"idle_since,omitempty"`
	MessageStats           *MessageStats `json:"message_stats,omitempty"`
	MessagesUnacknowledged int           `json:"messages_unacknowledged"`
	MessagesUncommitted    int           `json:"messages_uncommitted"`
	MessagesUnconfirmed    int64         `json:"messages_unconfirmed"`
	PendingRaftCommands    int           `json:"pending_raft_commands"`
	PrefetchCount          int           `json:"prefetch_count"`
	State                  string        `json:"state"`
	Transactional          bool          `json:"transactional"`
	ErlangProcess
}

// ChannelPage is the answer to GET /channels/{channel}.
type ChannelPage struct {
	Channel
	ConsumerDetails []Consumer `json:"consumer_details"`
	Deliveries      []PerQueue `json:"deliveries"`
	Publishes       []PerQueue `json:"publishes"`
}

// PerQueue counts what passed between two objects. Filled with rates_mode =
// detailed.
type PerQueue struct {
	Stats          MessageStats    `json:"stats"`
	Exchange       *ObjectRef      `json:"exchange,omitempty"`
	Queue          *ObjectRef      `json:"queue,omitempty"`
	ChannelDetails *ChannelDetails `json:"channel_details,omitempty"`
}

// ObjectRef names a queue or an exchange.
type ObjectRef struct {
	Name  string `json:"name"`
	VHost string `json:"vhost"`
}

// ChannelDetails names a channel.
type ChannelDetails struct {
	ConnectionName string `json:"connection_name"`
	Name           string `json:"name"`
	Node           string `json:"node"`
	Number         int    `json:"number"`
	PeerHost       string `json:"peer_host"`
	PeerPort       int    `json:"peer_port"`
	User           string `json:"user"`
}

// Consumer is a consumer of a queue.
type Consumer struct {
	Arguments      any            `json:"arguments"`
	AckRequired    bool           `json:"ack_required"`
	Active         bool           `json:"active"`
	ActivityStatus string         `json:"activity_status"`
	ChannelDetails ChannelDetails `json:"channel_details"`
	ConsumerTag    string         `json:"consumer_tag"`
	Exclusive      bool           `json:"exclusive"`
	PrefetchCount  int            `json:"prefetch_count"`
	Queue          ObjectRef      `json:"queue"`
	// Warren's own: how many deliveries it has not acknowledged.
	Unacknowledged int `json:"messages_unacknowledged"`
}

// Queue is a queue.
type Queue struct {
	Arguments  any    `json:"arguments"`
	AutoDelete bool   `json:"auto_delete"`
	Durable    bool   `json:"durable"`
	Exclusive  bool   `json:"exclusive"`
	Name       string `json:"name"`
	Node       string `json:"node"`
	State      string `json:"state"`
	Type       string `json:"type"`
	VHost      string `json:"vhost"`
	*Lengths
	*QueueStats
	*ClassicQueue
	*QuorumQueue
}

// QueueStats is the part of a Queue that changes.
type QueueStats struct {
	ConsumerCapacity           float64         `json:"consumer_capacity"`
	ConsumerUtilisation        float64         `json:"consumer_utilisation"`
	Consumers                  int             `json:"consumers"`
	EffectivePolicyDefinition  json.RawMessage `json:"effective_policy_definition"`
	ExclusiveConsumerTag       *string         `json:"exclusive_consumer_tag"`
	HeadMessageTimestamp       *int64          `json:"head_message_timestamp"`
	IdleSince                  string          `json:"idle_since,omitempty"`
	Memory                     int64           `json:"memory"`
	MessageBytes               int64           `json:"message_bytes"`
	MessageBytesPersistent     int64           `json:"message_bytes_persistent"`
	MessageBytesRAM            int64           `json:"message_bytes_ram"`
	MessageBytesReady          int64           `json:"message_bytes_ready"`
	MessageBytesUnacknowledged int64           `json:"message_bytes_unacknowledged"`
	MessageStats               *MessageStats   `json:"message_stats,omitempty"`
	MessagesPersistent         int64           `json:"messages_persistent"`
	MessagesRAM                int64           `json:"messages_ram"`
	OldestReadyAge             *int64          `json:"oldest_ready_age_ms"`
	OldestUnackedAge           *int64          `json:"oldest_unacked_age_ms"`
	OperatorPolicy             *string         `json:"operator_policy"`
	OwnerPidDetails            *ConnectionRef  `json:"owner_pid_details,omitempty"`
	Policy                     *string         `json:"policy"`
	SingleActiveConsumerTag    *string         `json:"single_active_consumer_tag"`
	ErlangProcess
}

// ClassicQueue is what only classic queues have.
type ClassicQueue struct {
	BackingQueueStatus        *BackingQueue `json:"backing_queue_status,omitempty"`
	MessageBytesPagedOut      int64         `json:"message_bytes_paged_out"`
	MessagesPagedOut          int64         `json:"messages_paged_out"`
	MessagesReadyRAM          int64         `json:"messages_ready_ram"`
	MessagesUnacknowledgedRAM int64         `json:"messages_unacknowledged_ram"`
	RecoverableSlaves         *int          `json:"recoverable_slaves"`
	StorageVersion            int           `json:"storage_version"`
}

// BackingQueue is how a classic queue keeps its messages. Q1 to Q4 and Delta are
// RabbitMQ's; here Q4 is what is in memory and Delta what is not.
type BackingQueue struct {
	AvgAckEgressRate  float64          `json:"avg_ack_egress_rate"`
	AvgAckIngressRate float64          `json:"avg_ack_ingress_rate"`
	AvgEgressRate     float64          `json:"avg_egress_rate"`
	AvgIngressRate    float64          `json:"avg_ingress_rate"`
	Delta             []any            `json:"delta"`
	Len               int64            `json:"len"`
	Mode              string           `json:"mode"`
	NextDeliverSeqID  uint64           `json:"next_deliver_seq_id"`
	NextSeqID         uint64           `json:"next_seq_id"`
	PriorityLengths   map[string]int64 `json:"priority_lengths,omitempty"`
	Q1                int64            `json:"q1"`
	Q2                int64            `json:"q2"`
	Q3                int64            `json:"q3"`
	Q4                int64            `json:"q4"`
	TargetRAMCount    string           `json:"target_ram_count"`
	Version           int              `json:"version"`
}

// QuorumQueue is what only quorum queues and streams have.
type QuorumQueue struct {
	Leader  string   `json:"leader"`
	Members []string `json:"members"`
	Online  []string `json:"online"`
	*QuorumStats
	*StreamStats
}

// StreamStats is the part of a stream that changes. Offsets are -1 where there is none.
type StreamStats struct {
	CommittedOffset int64          `json:"committed_offset"`
	FirstOffset     int64          `json:"first_offset"`
	FirstTimestamp  *int64         `json:"first_timestamp"`
	NextOffset      int64          `json:"next_offset"`
	Readers         map[string]int `json:"readers"`
	Segments        int            `json:"segments"`
}

// QuorumStats is the part of it that changes.
type QuorumStats struct {
	DelayedRetry     string         `json:"delayed_retry"`
	DeliveryLimit    any            `json:"delivery_limit"`
	LastDelayedAt    *int64         `json:"last_delayed_at,omitempty"` // ms since 1970
	MessageBytesDLX  int64          `json:"message_bytes_dlx"`
	MessagesDelayed  int64          `json:"messages_delayed"`
	MessagesDLX      int64          `json:"messages_dlx"`
	NextDelayedAt    *int64         `json:"next_delayed_at,omitempty"` // ms since 1970
	OpenFiles        map[string]int `json:"open_files"`
	SingleActiveCTag *string        `json:"single_active_consumer_ctag"`
}

// QueuePage is the answer to GET /queues/{vhost}/{queue}.
type QueuePage struct {
	Queue
	ConsumerDetails []Consumer `json:"consumer_details"`
	Deliveries      []PerQueue `json:"deliveries"`
	Incoming        []PerQueue `json:"incoming"`
}

// Why says why a queue's consumers get nothing, or that they do.
type Why struct {
	Verdict string   `json:"verdict"`
	Reasons []Reason `json:"reasons"`
}

// Reason is one thing that keeps messages from consumers.
type Reason struct {
	Code     string `json:"code"`
	Text     string `json:"text"`
	Consumer string `json:"consumer,omitempty"`
}

// Exchange is an exchange.
type Exchange struct {
	Arguments              any           `json:"arguments"`
	AutoDelete             bool          `json:"auto_delete"`
	Durable                bool          `json:"durable"`
	Internal               bool          `json:"internal"`
	MessageStats           *MessageStats `json:"message_stats,omitempty"`
	Name                   string        `json:"name"`
	Policy                 string        `json:"policy,omitempty"`
	Type                   string        `json:"type"`
	UserWhoPerformedAction string        `json:"user_who_performed_action"`
	VHost                  string        `json:"vhost"`
}

// ExchangePage is the answer to GET /exchanges/{vhost}/{exchange}.
type ExchangePage struct {
	Exchange
	Incoming []PerQueue `json:"incoming"`
	Outgoing []PerQueue `json:"outgoing"`
}

// VHost is a virtual host.
type VHost struct {
	ClusterState     map[string]string `json:"cluster_state"`
	DefaultQueueType string            `json:"default_queue_type"`
	Description      string            `json:"description"`
	MessageStats     *MessageStats     `json:"message_stats,omitempty"`
	*Lengths
	Metadata              VHostMetadata `json:"metadata"`
	Name                  string        `json:"name"`
	ProtectedFromDeletion bool          `json:"protected_from_deletion"`
	*VHostTraffic
	Tags    []string `json:"tags"`
	Tracing bool     `json:"tracing"`
}

// VHostTraffic counts the bytes of a virtual host's connections.
type VHostTraffic struct {
	RecvOct        int64  `json:"recv_oct"`
	RecvOctDetails Detail `json:"recv_oct_details"`
	SendOct        int64  `json:"send_oct"`
	SendOctDetails Detail `json:"send_oct_details"`
}

// Node is a node.
type Node struct {
	ApplicationRows   []ApplicationRow `json:"applications"`
	AuthMechanisms    []ExchangeType   `json:"auth_mechanisms"`
	BeingDrained      bool             `json:"being_drained"`
	ClusterLinks      []any            `json:"cluster_links"`
	ConfigFiles       []string         `json:"config_files"`
	Contexts          []ContextRow     `json:"contexts"`
	DBDir             string           `json:"db_dir"`
	DiskFreeAlarm     bool             `json:"disk_free_alarm"`
	DiskFreeLimit     int64            `json:"disk_free_limit"`
	EnabledPlugins    []string         `json:"enabled_plugins"`
	ErlangVersion     string           `json:"erlang_version"`
	ExchangeTypes     []ExchangeType   `json:"exchange_types"`
	FDTotal           int64            `json:"fd_total"`
	LogFiles          []string         `json:"log_files"`
	MemAlarm          bool             `json:"mem_alarm"`
	MemStrategy       string           `json:"mem_calculation_strategy"`
	MemLimit          int64            `json:"mem_limit"`
	MetricsGCQueue    map[string]int   `json:"metrics_gc_queue_length"`
	Name              string           `json:"name"`
	NetTicktime       int              `json:"net_ticktime"`
	OSPid             string           `json:"os_pid"`
	Partitions        []string         `json:"partitions"`
	ProcTotal         int64            `json:"proc_total"`
	Processors        int              `json:"processors"`
	RaOpenFileMetrics map[string]int   `json:"ra_open_file_metrics"`
	RabbitMQVersion   string           `json:"rabbitmq_version"`
	RatesMode         string           `json:"rates_mode"`
	RunQueue          int              `json:"run_queue"`
	Running           bool             `json:"running"`
	SocketsTotal      int64            `json:"sockets_total"`
	Type              string           `json:"type"`
	Uptime            int64            `json:"uptime"`
	*NodeStats
	Memory any `json:"memory,omitempty"`
	Binary any `json:"binary,omitempty"`
}

// ApplicationRow is a part of the program.
type ApplicationRow struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Version     string `json:"version"`
}

// NodeMemory is the answer to GET /nodes/{node}/memory.
type NodeMemory struct {
	Memory any `json:"memory"`
}

// NodeStats is the part of a Node that changes.
type NodeStats struct {
	Churn
	MemUsed                     int64   `json:"mem_used"`
	MemUsedDetails              Detail  `json:"mem_used_details"`
	FDUsed                      int64   `json:"fd_used"`
	FDUsedDetails               Detail  `json:"fd_used_details"`
	SocketsUsed                 int64   `json:"sockets_used"`
	SocketsUsedDetails          Detail  `json:"sockets_used_details"`
	ProcUsed                    int64   `json:"proc_used"`
	ProcUsedDetails             Detail  `json:"proc_used_details"`
	DiskFree                    int64   `json:"disk_free"`
	DiskFreeDetails             Detail  `json:"disk_free_details"`
	GCNum                       int64   `json:"gc_num"`
	GCNumDetails                Detail  `json:"gc_num_details"`
	GCBytes                     int64   `json:"gc_bytes_reclaimed"`
	GCBytesDetails              Detail  `json:"gc_bytes_reclaimed_details"`
	ContextSwitches             int64   `json:"context_switches"`
	ContextSwitchesDetails      Detail  `json:"context_switches_details"`
	IOReadCount                 int64   `json:"io_read_count"`
	IOReadCountDetails          Detail  `json:"io_read_count_details"`
	IOReadBytes                 int64   `json:"io_read_bytes"`
	IOReadBytesDetails          Detail  `json:"io_read_bytes_details"`
	IOReadAvgTime               float64 `json:"io_read_avg_time"`
	IOReadAvgTimeDetails        Detail  `json:"io_read_avg_time_details"`
	IOWriteCount                int64   `json:"io_write_count"`
	IOWriteCountDetails         Detail  `json:"io_write_count_details"`
	IOWriteBytes                int64   `json:"io_write_bytes"`
	IOWriteBytesDetails         Detail  `json:"io_write_bytes_details"`
	IOWriteAvgTime              float64 `json:"io_write_avg_time"`
	IOWriteAvgTimeDetails       Detail  `json:"io_write_avg_time_details"`
	IOSyncCount                 int64   `json:"io_sync_count"`
	IOSyncCountDetails          Detail  `json:"io_sync_count_details"`
	IOSyncAvgTime               float64 `json:"io_sync_avg_time"`
	IOSyncAvgTimeDetails        Detail  `json:"io_sync_avg_time_details"`
	IOSeekCount                 int64   `json:"io_seek_count"`
	IOSeekCountDetails          Detail  `json:"io_seek_count_details"`
	IOSeekAvgTime               float64 `json:"io_seek_avg_time"`
	IOSeekAvgTimeDetails        Detail  `json:"io_seek_avg_time_details"`
	IOReopenCount               int64   `json:"io_reopen_count"`
	IOReopenCountDetails        Detail  `json:"io_reopen_count_details"`
	MnesiaRAMTxCount            int64   `json:"mnesia_ram_tx_count"`
	MnesiaRAMTxCountDetails     Detail  `json:"mnesia_ram_tx_count_details"`
	MnesiaDiskTxCount           int64   `json:"mnesia_disk_tx_count"`
	MnesiaDiskTxCountDetails    Detail  `json:"mnesia_disk_tx_count_details"`
	MsgStoreReadCount           int64   `json:"msg_store_read_count"`
	MsgStoreReadCountDetails    Detail  `json:"msg_store_read_count_details"`
	MsgStoreWriteCount          int64   `json:"msg_store_write_count"`
	MsgStoreWriteCountDetails   Detail  `json:"msg_store_write_count_details"`
	QueueIndexWriteCount        int64   `json:"queue_index_write_count"`
	QueueIndexWriteCountDetails Detail  `json:"queue_index_write_count_details"`
	QueueIndexReadCount         int64   `json:"queue_index_read_count"`
	QueueIndexReadCountDetails  Detail  `json:"queue_index_read_count_details"`
}
