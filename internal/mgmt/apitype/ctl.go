package apitype

// Credentials is the body of POST /node/authenticate.
type Credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// Authenticated is the answer: whether the password is the user's, or why not.
type Authenticated struct {
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}
