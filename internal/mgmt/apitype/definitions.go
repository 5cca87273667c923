package apitype

import "encoding/json"

// Definitions is everything that is defined, or that of one virtual host: then
// users, virtual hosts and permissions are missing, and rows say no vhost.
type Definitions struct {
	RabbitVersion   string `json:"rabbit_version"`
	RabbitMQVersion string `json:"rabbitmq_version,omitempty"`
	ProductName     string `json:"product_name,omitempty"`
	ProductVersion  string `json:"product_version,omitempty"`

	Format              string `json:"rabbitmq_definition_format"` // cluster, or single_virtual_host
	OriginalClusterName string `json:"original_cluster_name,omitempty"`
	OriginalVHostName   string `json:"original_vhost_name,omitempty"`
	Explanation         string `json:"explanation"`

	Users            []User            `json:"users,omitzero"`
	VHosts           []DefinedVHost    `json:"vhosts,omitzero"`
	Permissions      []Permission      `json:"permissions,omitzero"`
	TopicPermissions []TopicPermission `json:"topic_permissions,omitzero"`
	Parameters       []Parameter       `json:"parameters"`
	GlobalParameters []GlobalParameter `json:"global_parameters,omitzero"`
	Policies         []Policy          `json:"policies"`
	Queues           []DefinedQueue    `json:"queues"`
	Exchanges        []DefinedExchange `json:"exchanges"`
	Bindings         []DefinedBinding  `json:"bindings"`
}

// DefinedVHost is a virtual host in definitions.
type DefinedVHost struct {
	Name             string        `json:"name"`
	Description      string        `json:"description"`
	Tags             []string      `json:"tags"`
	DefaultQueueType string        `json:"default_queue_type,omitempty"`
	Metadata         VHostMetadata `json:"metadata"`
}

// VHostMetadata repeats what is said about a virtual host.
type VHostMetadata struct {
	Description      string   `json:"description"`
	Tags             []string `json:"tags"`
	DefaultQueueType string   `json:"default_queue_type,omitempty"`
}

// DefinedQueue is a queue in definitions.
type DefinedQueue struct {
	Name       string `json:"name"`
	VHost      string `json:"vhost,omitempty"`
	Type       string `json:"type"`
	Durable    bool   `json:"durable"`
	AutoDelete bool   `json:"auto_delete"`
	Arguments  Object `json:"arguments"`
}

// DefinedExchange is an exchange in definitions.
type DefinedExchange struct {
	Name       string `json:"name"`
	VHost      string `json:"vhost,omitempty"`
	Type       string `json:"type"`
	Durable    bool   `json:"durable"`
	AutoDelete bool   `json:"auto_delete"`
	Internal   bool   `json:"internal"`
	Arguments  Object `json:"arguments"`
}

// DefinedBinding is a binding in definitions.
type DefinedBinding struct {
	Source          string `json:"source"`
	VHost           string `json:"vhost,omitempty"`
	Destination     string `json:"destination"`
	DestinationType string `json:"destination_type"`
	RoutingKey      string `json:"routing_key"`
	Arguments       Object `json:"arguments"`
}

// ImportedDefinitions is what an import takes: more forms than an export has, as
// older releases of RabbitMQ and people wrote them.
type ImportedDefinitions struct {
	RabbitVersion    string               `json:"rabbit_version"`
	Users            []ImportedUser       `json:"users"`
	VHosts           []ImportedVHost      `json:"vhosts"`
	Permissions      []ImportedPermission `json:"permissions"`
	TopicPermissions []ImportedTopic      `json:"topic_permissions"`
	Parameters       []Parameter          `json:"parameters"`
	GlobalParameters []GlobalParameter    `json:"global_parameters"`
	Policies         []ImportedPolicy     `json:"policies"`
	Queues           []ImportedQueue      `json:"queues"`
	Exchanges        []ImportedExchange   `json:"exchanges"`
	Bindings         []ImportedBinding    `json:"bindings"`
}

// ImportedUser is a user row.
type ImportedUser struct {
	Name             string          `json:"name"`
	Password         *string         `json:"password"`
	PasswordHash     *string         `json:"password_hash"`
	HashingAlgorithm string          `json:"hashing_algorithm"`
	Tags             *Tags           `json:"tags"`
	Limits           json.RawMessage `json:"limits"`
}

// ImportedPermission is a permission row. What is missing must not become an
// empty pattern, which would take a right away.
type ImportedPermission struct {
	User      string  `json:"user"`
	VHost     string  `json:"vhost"`
	Configure *string `json:"configure"`
	Write     *string `json:"write"`
	Read      *string `json:"read"`
}

// ImportedTopic is a topic permission row.
type ImportedTopic struct {
	User     string  `json:"user"`
	VHost    string  `json:"vhost"`
	Exchange *string `json:"exchange"`
	Write    *string `json:"write"`
	Read     *string `json:"read"`
}

// ImportedVHost is a virtual host row.
type ImportedVHost struct {
	Name string `json:"name"`
	PutVHost
	Metadata PutVHost        `json:"metadata"`
	Limits   json.RawMessage `json:"limits"`
}

// ImportedPolicy is a policy row.
type ImportedPolicy struct {
	VHost string `json:"vhost"`
	Name  string `json:"name"`
	PutPolicy
}

// ImportedQueue is a queue row.
type ImportedQueue struct {
	Name       *string         `json:"name"`
	VHost      string          `json:"vhost"`
	Type       string          `json:"type"`
	Durable    *Bool           `json:"durable"`
	AutoDelete Bool            `json:"auto_delete"`
	Exclusive  Bool            `json:"exclusive"`
	Arguments  json.RawMessage `json:"arguments"`
}

// ImportedExchange is an exchange row.
type ImportedExchange struct {
	Name       *string         `json:"name"`
	VHost      string          `json:"vhost"`
	Type       string          `json:"type"`
	Durable    *Bool           `json:"durable"`
	AutoDelete Bool            `json:"auto_delete"`
	Internal   Bool            `json:"internal"`
	Arguments  json.RawMessage `json:"arguments"`
}

// ImportedBinding is a binding row.
type ImportedBinding struct {
	Source          string          `json:"source"`
	VHost           string          `json:"vhost"`
	Destination     string          `json:"destination"`
	DestinationType string          `json:"destination_type"`
	RoutingKey      string          `json:"routing_key"`
	Arguments       json.RawMessage `json:"arguments"`
}
