package apitype

// WhoAmI is the user that a request comes from.
type WhoAmI struct {
	Name string   `json:"name"`
	Tags []string `json:"tags"`
}

// LoginReply is the answer to a login.
type LoginReply struct {
	Token Token     `json:"token"`
	User  LoginUser `json:"user"`
}

// Token goes into the header Authorization, after its type. The page needs it
// not: it has a cookie.
type Token struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// LoginUser is who logged in.
type LoginUser struct {
	Name                string   `json:"name"`
	Tags                []string `json:"tags"`
	LoginSessionTimeout int64    `json:"login_session_timeout"` // minutes
}

// User is a user as lists and definitions show it.
type User struct {
	Name             string           `json:"name"`
	PasswordHash     string           `json:"password_hash"`
	HashingAlgorithm string           `json:"hashing_algorithm"`
	Tags             []string         `json:"tags"`
	Limits           map[string]int64 `json:"limits"`
}

// PutUser is the body of PUT /users/{user}. Tags is a list or a text with commas.
type PutUser struct {
	Password         *string        `json:"password,omitempty"`
	PasswordHash     *string        `json:"password_hash,omitempty"`
	HashingAlgorithm string         `json:"hashing_algorithm,omitempty"`
	Tags             *Tags          `json:"tags"`
	Limits           map[string]Int `json:"limits,omitempty"`
}

// BulkDelete is the body of POST /users/bulk-delete.
type BulkDelete struct {
	Users []string `json:"users"`
}

// Permission is what a user may do in a virtual host.
type Permission struct {
	User      string `json:"user"`
	VHost     string `json:"vhost"`
	Configure string `json:"configure"`
	Write     string `json:"write"`
	Read      string `json:"read"`
}

// PutPermission is the body of PUT /permissions/{vhost}/{user}.
type PutPermission struct {
	Configure string `json:"configure"`
	Write     string `json:"write"`
	Read      string `json:"read"`
}

// TopicPermission limits the routing keys of a user.
type TopicPermission struct {
	User     string `json:"user"`
	VHost    string `json:"vhost"`
	Exchange string `json:"exchange"`
	Write    string `json:"write"`
	Read     string `json:"read"`
}

// PutTopicPermission is the body of PUT /topic-permissions/{vhost}/{user}.
type PutTopicPermission struct {
	Exchange string `json:"exchange"`
	Write    string `json:"write"`
	Read     string `json:"read"`
}

// UserLimits are the limits of a user.
type UserLimits struct {
	User  string           `json:"user"`
	Value map[string]int64 `json:"value"`
}

// VHostLimits are the limits of a virtual host.
type VHostLimits struct {
	VHost string           `json:"vhost"`
	Value map[string]int64 `json:"value"`
}

// PutLimit is the body of a PUT of one limit; negative: no limit.
type PutLimit struct {
	Value *Int `json:"value"`
}

// AuthAttempts counts logins.
type AuthAttempts struct {
	RemoteAddress string `json:"remote_address,omitempty"`
	Username      string `json:"username,omitempty"`
	Protocol      string `json:"protocol"`
	Attempts      int64  `json:"auth_attempts"`
	Failed        int64  `json:"auth_attempts_failed"`
	Succeeded     int64  `json:"auth_attempts_succeeded"`
}

// HashedPassword is the answer to /auth/hash_password.
type HashedPassword struct {
	OK string `json:"ok"`
}
