package apitype

import "encoding/json"

// PutVHost is the body of PUT /vhosts/{vhost}.
type PutVHost struct {
	Description           *string `json:"description,omitempty"`
	Tags                  *Tags   `json:"tags,omitempty"`
	DefaultQueueType      *string `json:"default_queue_type,omitempty"`
	OldDefaultQueueType   *string `json:"defaultqueuetype,omitempty"`
	Tracing               *Bool   `json:"tracing,omitempty"`
	ProtectedFromDeletion *Bool   `json:"protected_from_deletion,omitempty"`
}

// DeclareExchange is the body of PUT /exchanges/{vhost}/{exchange}. As in
// RabbitMQ, one that does not say durable is not.
type DeclareExchange struct {
	Type       string          `json:"type"`
	AutoDelete Bool            `json:"auto_delete"`
	Durable    Bool            `json:"durable"`
	Internal   Bool            `json:"internal"`
	Arguments  json.RawMessage `json:"arguments,omitempty"`
}

// DeclareQueue is the body of PUT /queues/{vhost}/{queue}.
type DeclareQueue struct {
	AutoDelete Bool            `json:"auto_delete"`
	Durable    Bool            `json:"durable"`
	Exclusive  Bool            `json:"exclusive,omitempty"`
	Arguments  json.RawMessage `json:"arguments,omitempty"`
	Node       string          `json:"node,omitempty"`
}

// QueueAction is the body of POST /queues/{vhost}/{queue}/actions.
type QueueAction struct {
	Action string `json:"action"`
}

// Binding is a binding.
type Binding struct {
	Source          string `json:"source"`
	VHost           string `json:"vhost"`
	Destination     string `json:"destination"`
	DestinationType string `json:"destination_type"`
	RoutingKey      string `json:"routing_key"`
	Arguments       Object `json:"arguments"`
	PropertiesKey   string `json:"properties_key"`
}

// PostBinding is the body of POST /bindings/{vhost}/e/{source}/….
type PostBinding struct {
	RoutingKey string          `json:"routing_key"`
	Arguments  json.RawMessage `json:"arguments,omitempty"`
}

// Publish is the body of POST /exchanges/{vhost}/{exchange}/publish.
type Publish struct {
	Properties      json.RawMessage `json:"properties"`
	RoutingKey      string          `json:"routing_key"`
	Payload         string          `json:"payload"`
	PayloadEncoding string          `json:"payload_encoding"`
}

// Published is the answer.
type Published struct {
	Routed bool `json:"routed"`
}

// Get is the body of POST /queues/{vhost}/{queue}/get.
type Get struct {
	Count    Int    `json:"count"`
	AckMode  string `json:"ackmode"`
	Requeue  *Bool  `json:"requeue,omitempty"`
	Encoding string `json:"encoding"`
	Truncate *Int   `json:"truncate,omitempty"`
}

// Message is a message that was got from a queue.
type Message struct {
	PayloadBytes    int    `json:"payload_bytes"`
	Redelivered     bool   `json:"redelivered"`
	Exchange        string `json:"exchange"`
	RoutingKey      string `json:"routing_key"`
	MessageCount    int    `json:"message_count"`
	Properties      any    `json:"properties"` // an object, or [] if there are none
	Payload         string `json:"payload"`
	PayloadEncoding string `json:"payload_encoding"`
}

// Policy is a policy or an operator policy.
type Policy struct {
	VHost      string          `json:"vhost,omitempty"`
	Name       string          `json:"name"`
	Pattern    string          `json:"pattern"`
	ApplyTo    string          `json:"apply-to"`
	Definition json.RawMessage `json:"definition"`
	Priority   int64           `json:"priority"`
}

// PutPolicy is the body of a PUT of a policy.
type PutPolicy struct {
	Pattern    json.RawMessage `json:"pattern"`
	ApplyTo    string          `json:"apply-to,omitempty"`
	Definition json.RawMessage `json:"definition"`
	Priority   json.RawMessage `json:"priority,omitempty"`
}

// Parameter is a runtime parameter.
type Parameter struct {
	Value     json.RawMessage `json:"value"`
	VHost     string          `json:"vhost,omitempty"`
	Component string          `json:"component"`
	Name      string          `json:"name"`
}

// GlobalParameter is a parameter of the cluster.
type GlobalParameter struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// PutParameter is the body of a PUT of a parameter.
type PutParameter struct {
	Value json.RawMessage `json:"value"`
}

// ClusterName is the cluster's name.
type ClusterName struct {
	Name string `json:"name"`
}

// Extension is a script that the page loads.
type Extension struct {
	JavaScript string `json:"javascript"`
}

// FeatureFlag is a feature that can be turned on.
type FeatureFlag struct {
	Name       string `json:"name"`
	Desc       string `json:"desc"`
	DocURL     string `json:"doc_url"`
	State      string `json:"state"`
	Stability  string `json:"stability"`
	ProvidedBy string `json:"provided_by"`
}

// DeprecatedFeature is a feature that will go.
type DeprecatedFeature struct {
	Name             string `json:"name"`
	Desc             string `json:"desc"`
	DeprecationPhase string `json:"deprecation_phase"`
	DocURL           string `json:"doc_url"`
	ProvidedBy       string `json:"provided_by"`
	State            string `json:"state"`
}

// OldAuth is what RabbitMQ 3.10's page asks for first.
type OldAuth struct {
	EnableUAA   bool   `json:"enable_uaa"`
	UAAClientID string `json:"uaa_client_id"`
	UAALocation string `json:"uaa_location"`
}
