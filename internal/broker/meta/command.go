package meta

// A Command is one change of the definitions. Commands are pointers to the
// structures of this file. They carry whatever is generated, random or read
// from a clock (ids, names, password hashes), so that applying the same
// commands always gives the same State.
type Command interface {
	op() op
	// fields writes or reads the fields in their stored order; see codec.go.
	fields(*codec)
}

// op is the stored number of a command. Numbers are never used again.
type op byte

const (
	opPutVHost op = iota + 1
	opDeleteVHost
	opSetVHostLimits
	opSetTracing
	opPutUser
	opDeleteUser
	opSetUserLimits
	opSetPermissions
	opClearPermissions
	opSetTopicPermissions
	opClearTopicPermissions
	opSetPolicy
	opDeletePolicy
	opSetParameter
	opDeleteParameter
	opSetGlobalParameter
	opDeleteGlobalParameter
	opDeclareExchange
	opDeleteExchange
	opDeclareQueue
	opDeleteQueue
	opBind
	opUnbind
)

func newCommand(o op) Command {
	switch o {
	case opPutVHost:
		return new(PutVHost)
	case opDeleteVHost:
		return new(DeleteVHost)
	case opSetVHostLimits:
		return new(SetVHostLimits)
	case opSetTracing:
		return new(SetTracing)
	case opPutUser:
		return new(PutUser)
	case opDeleteUser:
		return new(DeleteUser)
	case opSetUserLimits:
		return new(SetUserLimits)
	case opSetPermissions:
		return new(SetPermissions)
	case opClearPermissions:
		return new(ClearPermissions)
	case opSetTopicPermissions:
		return new(SetTopicPermissions)
	case opClearTopicPermissions:
		return new(ClearTopicPermissions)
	case opSetPolicy:
		return new(SetPolicy)
	case opDeletePolicy:
		return new(DeletePolicy)
	case opSetParameter:
		return new(SetParameter)
	case opDeleteParameter:
		return new(DeleteParameter)
	case opSetGlobalParameter:
		return new(SetGlobalParameter)
	case opDeleteGlobalParameter:
		return new(DeleteGlobalParameter)
	case opDeclareExchange:
		return new(DeclareExchange)
	case opDeleteExchange:
		return new(DeleteExchange)
	case opDeclareQueue:
		return new(DeclareQueue)
	case opDeleteQueue:
		return new(DeleteQueue)
	case opBind:
		return new(Bind)
	case opUnbind:
		return new(Unbind)
	}
	return nil
}

// Limits are named limits of a virtual host (max-connections, max-queues) or a
// user (max-connections, max-channels); a negative value is none.
type Limits map[string]int64

// PutVHost makes a virtual host with its amq.* exchanges, or replaces what is
// said about an existing one (not its limits).
type PutVHost struct {
	Name             string
	Description      string
	Tags             []string
	DefaultQueueType string // "": the node's
	Tracing          bool
	Protected        bool // from deletion
}

func (*PutVHost) op() op { return opPutVHost }
func (m *PutVHost) fields(c *codec) {
	c.str(&m.Name)
	c.str(&m.Description)
	c.strs(&m.Tags)
	c.str(&m.DefaultQueueType)
	c.bool(&m.Tracing)
	c.bool(&m.Protected)
}

// DeleteVHost deletes a virtual host and everything in it.
type DeleteVHost struct {
	Name string
}

func (*DeleteVHost) op() op            { return opDeleteVHost }
func (m *DeleteVHost) fields(c *codec) { c.str(&m.Name) }

// SetVHostLimits replaces the limits of a virtual host.
type SetVHostLimits struct {
	VHost  string
	Limits Limits
}

func (*SetVHostLimits) op() op { return opSetVHostLimits }
func (m *SetVHostLimits) fields(c *codec) {
	c.str(&m.VHost)
	c.limits(&m.Limits)
}

// SetTracing turns the firehose of a virtual host on or off.
type SetTracing struct {
	VHost string
	On    bool
}

func (*SetTracing) op() op { return opSetTracing }
func (m *SetTracing) fields(c *codec) {
	c.str(&m.VHost)
	c.bool(&m.On)
}

// PutUser makes a user or replaces password and tags of one.
type PutUser struct {
	Name         string
	PasswordHash string // base64 of salt and hash, see package auth; "": no login with a password
	Algorithm    string // "rabbit_password_hashing_sha256"
	Tags         []string
}

func (*PutUser) op() op { return opPutUser }
func (m *PutUser) fields(c *codec) {
	c.str(&m.Name)
	c.str(&m.PasswordHash)
	c.str(&m.Algorithm)
	c.strs(&m.Tags)
}

// DeleteUser deletes a user and its permissions.
type DeleteUser struct {
	Name string
}

func (*DeleteUser) op() op            { return opDeleteUser }
func (m *DeleteUser) fields(c *codec) { c.str(&m.Name) }

// SetUserLimits replaces the limits of a user.
type SetUserLimits struct {
	User   string
	Limits Limits
}

func (*SetUserLimits) op() op { return opSetUserLimits }
func (m *SetUserLimits) fields(c *codec) {
	c.str(&m.User)
	c.limits(&m.Limits)
}

// SetPermissions sets what a user may do in a virtual host.
type SetPermissions struct {
	User, VHost            string
	Configure, Write, Read string // regular expressions
}

func (*SetPermissions) op() op { return opSetPermissions }
func (m *SetPermissions) fields(c *codec) {
	c.str(&m.User)
	c.str(&m.VHost)
	c.str(&m.Configure)
	c.str(&m.Write)
	c.str(&m.Read)
}

// ClearPermissions takes a virtual host away from a user.
type ClearPermissions struct {
	User, VHost string
}

func (*ClearPermissions) op() op { return opClearPermissions }
func (m *ClearPermissions) fields(c *codec) {
	c.str(&m.User)
	c.str(&m.VHost)
}

// SetTopicPermissions limits the routing keys a user may use with an exchange.
type SetTopicPermissions struct {
	User, VHost, Exchange string
	Write, Read           string // regular expressions
}

func (*SetTopicPermissions) op() op { return opSetTopicPermissions }
func (m *SetTopicPermissions) fields(c *codec) {
	c.str(&m.User)
	c.str(&m.VHost)
	c.str(&m.Exchange)
	c.str(&m.Write)
	c.str(&m.Read)
}

// ClearTopicPermissions lifts the limits of one exchange, or of all.
type ClearTopicPermissions struct {
	User, VHost, Exchange string
	All                   bool
}

func (*ClearTopicPermissions) op() op { return opClearTopicPermissions }
func (m *ClearTopicPermissions) fields(c *codec) {
	c.str(&m.User)
	c.str(&m.VHost)
	c.str(&m.Exchange)
	c.bool(&m.All)
}

// SetPolicy makes or replaces a policy or an operator policy.
type SetPolicy struct {
	VHost, Name string
	Operator    bool
	Pattern     string
	ApplyTo     string // "": all
	Priority    int64
	Definition  []byte // a JSON object
}

func (*SetPolicy) op() op { return opSetPolicy }
func (m *SetPolicy) fields(c *codec) {
	c.str(&m.VHost)
	c.str(&m.Name)
	c.bool(&m.Operator)
	c.str(&m.Pattern)
	c.str(&m.ApplyTo)
	c.int(&m.Priority)
	c.bytes(&m.Definition)
}

// DeletePolicy deletes a policy or an operator policy.
type DeletePolicy struct {
	VHost, Name string
	Operator    bool
}

func (*DeletePolicy) op() op { return opDeletePolicy }
func (m *DeletePolicy) fields(c *codec) {
	c.str(&m.VHost)
	c.str(&m.Name)
	c.bool(&m.Operator)
}

// SetParameter sets a runtime parameter, such as a shovel.
type SetParameter struct {
	VHost, Component, Name string
	Value                  []byte // JSON
}

func (*SetParameter) op() op { return opSetParameter }
func (m *SetParameter) fields(c *codec) {
	c.str(&m.VHost)
	c.str(&m.Component)
	c.str(&m.Name)
	c.bytes(&m.Value)
}

// DeleteParameter deletes a runtime parameter.
type DeleteParameter struct {
	VHost, Component, Name string
}

func (*DeleteParameter) op() op { return opDeleteParameter }
func (m *DeleteParameter) fields(c *codec) {
	c.str(&m.VHost)
	c.str(&m.Component)
	c.str(&m.Name)
}

// SetGlobalParameter sets a parameter of the whole cluster.
type SetGlobalParameter struct {
	Name  string
	Value []byte // JSON
}

func (*SetGlobalParameter) op() op { return opSetGlobalParameter }
func (m *SetGlobalParameter) fields(c *codec) {
	c.str(&m.Name)
	c.bytes(&m.Value)
}

// DeleteGlobalParameter deletes a parameter of the whole cluster.
type DeleteGlobalParameter struct {
	Name string
}

func (*DeleteGlobalParameter) op() op            { return opDeleteGlobalParameter }
func (m *DeleteGlobalParameter) fields(c *codec) { c.str(&m.Name) }

// DeclareExchange makes an exchange, or finds an equal one.
type DeclareExchange struct {
	VHost, Name, Type             string
	Durable, AutoDelete, Internal bool
	Args                          Args
	User                          string // who acts, for the record
	// System: the node itself asks, which may use names that are reserved. It is
	// not stored: what is stored has been allowed.
	System bool
}

func (*DeclareExchange) op() op { return opDeclareExchange }
func (m *DeclareExchange) fields(c *codec) {
	c.str(&m.VHost)
	c.str(&m.Name)
	c.str(&m.Type)
	c.bool(&m.Durable)
	c.bool(&m.AutoDelete)
	c.bool(&m.Internal)
	c.args(&m.Args)
	c.str(&m.User)
}

// DeleteExchange deletes an exchange and its bindings; one that is not there is
// no error.
type DeleteExchange struct {
	VHost, Name string
	IfUnused    bool
}

func (*DeleteExchange) op() op { return opDeleteExchange }
func (m *DeleteExchange) fields(c *codec) {
	c.str(&m.VHost)
	c.str(&m.Name)
	c.bool(&m.IfUnused)
}

// DeclareQueue makes a queue, or finds an equal one.
type DeclareQueue struct {
	VHost, Name                    string
	Durable, AutoDelete, Exclusive bool
	Owner                          string // the connection that declares; the owner if Exclusive
	Args                           Args
	ID                             uint64 // of the queue if it is new; never given before, not 0
	Generated                      bool   // Name was made by the server: amq.* is allowed
	User                           string // who acts, for the record
}

func (*DeclareQueue) op() op { return opDeclareQueue }
func (m *DeclareQueue) fields(c *codec) {
	c.str(&m.VHost)
	c.str(&m.Name)
	c.bool(&m.Durable)
	c.bool(&m.AutoDelete)
	c.bool(&m.Exclusive)
	c.str(&m.Owner)
	c.args(&m.Args)
	c.uint(&m.ID)
	c.bool(&m.Generated)
	c.str(&m.User)
}

// DeleteQueue deletes a queue and the bindings to it; one that is not there is
// no error. Whether it is unused or empty only the broker knows and checks.
type DeleteQueue struct {
	VHost, Name string
	ID          uint64 // if not 0, only the queue with this id
	Conn        string // the connection that asks, for exclusive queues
	Internal    bool   // the broker itself deletes (expiry, lost owner): no check of Conn
}

func (*DeleteQueue) op() op { return opDeleteQueue }
func (m *DeleteQueue) fields(c *codec) {
	c.str(&m.VHost)
	c.str(&m.Name)
	c.uint(&m.ID)
	c.str(&m.Conn)
	c.bool(&m.Internal)
}

// DestKind says what a binding leads to.
type DestKind uint8

const (
	ToQueue DestKind = iota
	ToExchange
)

// String is the word that the HTTP API and error texts use.
func (k DestKind) String() string {
	if k == ToExchange {
		return "exchange"
	}
	return "queue"
}

// Bind binds a queue or an exchange to the exchange Source. The same binding
// again is no error.
type Bind struct {
	VHost, Source string
	DestKind      DestKind
	Dest, Key     string
	Args          Args
	Conn          string // the connection that asks, for exclusive queues
}

func (*Bind) op() op            { return opBind }
func (m *Bind) fields(c *codec) { bindFields(c, m) }

// Unbind takes a binding away; one that is not there is no error.
type Unbind Bind

func (*Unbind) op() op            { return opUnbind }
func (m *Unbind) fields(c *codec) { bindFields(c, (*Bind)(m)) }

func bindFields(c *codec, m *Bind) {
	c.str(&m.VHost)
	c.str(&m.Source)
	k := m.DestKind == ToExchange
	c.bool(&k)
	if k {
		m.DestKind = ToExchange
	}
	c.str(&m.Dest)
	c.str(&m.Key)
	c.args(&m.Args)
	c.str(&m.Conn)
}
