package meta

import "strings"

// ChangeKind says what happened.
type ChangeKind uint8

const (
	VHostAdded ChangeKind = iota + 1
	VHostChanged
	VHostDeleted
	UserChanged // new or different
	UserDeleted
	PermissionsChanged // of User in VHost; topic permissions too
	ExchangeDeclared
	ExchangeChanged // its policies
	ExchangeDeleted
	QueueDeclared
	QueueChanged // its policies, and so perhaps Effective
	QueueDeleted
	BindingAdded
	BindingRemoved
	PolicyChanged // new, different or deleted (Policy is the old one)
	ParameterChanged
	ParameterDeleted
)

// Change is one thing that happened. VHost is always set but for users and
// global parameters; of the rest what belongs to the kind: the new value, or of
// what was deleted the last.
type Change struct {
	Kind      ChangeKind
	VHost     string
	User      string
	Exchange  *Exchange
	Queue     *Queue
	Binding   *Binding
	Policy    *Policy
	Parameter *Parameter
}

// Result is what a command has done.
type Result struct {
	// Changes in the order in which they happened, consequences included:
	// bindings go before what they belonged to.
	Changes []Change
	// Existed: what was declared, bound or put was there already; what was
	// deleted or unbound was there.
	Existed bool
	// Queue or Exchange that was declared, found or deleted.
	Queue    *Queue
	Exchange *Exchange
	// Log is what must be stored, in this order, to have the durable part of
	// the outcome after a restart: usually nothing or the command itself. They
	// are for Replay, not for Apply.
	Log []Command
	// Durable says that Log is not empty.
	Durable bool
}

func (r *Result) add(c Change) { r.Changes = append(r.Changes, c) }

func (r *Result) log(c Command) {
	r.Log = append(r.Log, c)
	r.Durable = true
}

// Apply checks c and does it. After an error, which is an *Error, nothing has
// changed.
func (s *State) Apply(c Command) (Result, error) {
	var r Result
	var err error
	switch c := c.(type) {
	case *PutVHost:
		err = s.putVHost(c, &r)
	case *DeleteVHost:
		err = s.deleteVHost(c, &r)
	case *SetVHostLimits:
		err = s.setVHostLimits(c, &r)
	case *SetTracing:
		err = s.setTracing(c, &r)
	case *PutUser:
		err = s.putUser(c, &r)
	case *DeleteUser:
		err = s.deleteUser(c, &r)
	case *SetUserLimits:
		err = s.setUserLimits(c, &r)
	case *SetPermissions:
		err = s.setPermissions(c, &r)
	case *ClearPermissions:
		err = s.clearPermissions(c, &r)
	case *SetTopicPermissions:
		err = s.setTopicPermissions(c, &r)
	case *ClearTopicPermissions:
		err = s.clearTopicPermissions(c, &r)
	case *SetPolicy:
		err = s.setPolicy(c, &r)
	case *DeletePolicy:
		err = s.deletePolicy(c, &r)
	case *SetParameter:
		err = s.setParameter(c, &r)
	case *DeleteParameter:
		err = s.deleteParameter(c, &r)
	case *SetGlobalParameter:
		err = s.setGlobalParameter(c, &r)
	case *DeleteGlobalParameter:
		err = s.deleteGlobalParameter(c, &r)
	case *DeclareExchange:
		err = s.declareExchange(c, &r)
	case *DeleteExchange:
		err = s.deleteExchange(c, &r)
	case *DeclareQueue:
		err = s.declareQueue(c, &r)
	case *DeleteQueue:
		err = s.deleteQueue(c, &r)
	case *Bind:
		err = s.bind(c, &r)
	case *Unbind:
		err = s.unbind(c, &r)
	default:
		err = errf(InternalError, "unknown command %T", c)
	}
	if err != nil {
		return Result{}, err
	}
	return r, nil
}

// Replay does a command of an earlier Result.Log, or of a snapshot. It was
// checked then and has no consequences now that are not commands of their own;
// doing it twice does no harm. An error means that what is stored is damaged.
func (s *State) Replay(c Command) error {
	s.replaying = true
	defer func() { s.replaying = false }()
	_, err := s.Apply(c)
	return err
}

// reserved reports whether clients may not make something of this name.
func reserved(name string) bool { return strings.HasPrefix(name, "amq.") }
