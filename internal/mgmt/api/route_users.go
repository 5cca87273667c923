package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

func (a *API) userRoutes() []*Route {
	r := func(method, path, summary string, in, out any, h func(*Request) error) *Route {
		return &Route{Method: method, Path: path, Access: Administrator, Summary: summary, In: in, Out: out,
			List: method == http.MethodGet && !strings.HasSuffix(path, "}"), Handle: h}
	}
	const get, put, post, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete
	all := r(get, "/user-limits", "Users with limits", nil, []apitype.UserLimits{}, a.getAllUserLimits)
	limits := r(get, "/user-limits/{user}", "The limits of a user, in a list", nil, []apitype.UserLimits{}, a.getUserLimits)
	limits.List = true
	all.Access, limits.Access = Anyone, Anyone
	return []*Route{
		r(get, "/users", "Users", nil, []apitype.User{}, a.getUsers),
		r(get, "/users/without-permissions", "Users who have access to no virtual host", nil, []apitype.User{}, a.getUsersWithout),
		r(post, "/users/bulk-delete", "Delete several users, or none", apitype.BulkDelete{}, nil, a.bulkDelete),
		r(get, "/users/{user}", "A user", nil, apitype.User{}, a.getUser),
		r(put, "/users/{user}", "Make or change a user", apitype.PutUser{}, nil, a.putUser),
		r(del, "/users/{user}", "Delete a user", nil, nil, a.deleteUser),
		r(get, "/users/{user}/permissions", "A user's permissions", nil, []apitype.Permission{}, a.getUserPermissions),
		r(get, "/users/{user}/topic-permissions", "A user's topic permissions", nil, []apitype.TopicPermission{}, a.getUserTopics),
		all,
		limits,
		r(put, "/user-limits/{user}/{name}", "Set a limit: max-connections or max-channels", apitype.PutLimit{}, nil, a.putUserLimit),
		r(del, "/user-limits/{user}/{name}", "Take a limit away", nil, nil, a.deleteUserLimit),
	}
}

func userRow(u *meta.User) apitype.User {
	alg := u.Algorithm
	if alg == "" {
		alg = auth.SHA256
	}
	return apitype.User{Name: u.Name, PasswordHash: u.PasswordHash, HashingAlgorithm: alg, Tags: notNil(u.Tags), Limits: limitsRow(u.Limits)}
}

func limitsRow(l meta.Limits) map[string]int64 {
	out := map[string]int64{}
	maps.Copy(out, l)
	return out
}

func (a *API) users(want func(*meta.State, *meta.User) bool) []apitype.User {
	rows := []apitype.User{}
	a.Broker.View(func(s *meta.State) {
		for u := range s.Users() {
			if want(s, u) {
				rows = append(rows, userRow(u))
			}
		}
	})
	return rows
}

func (a *API) getUsers(rq *Request) error {
	return ListOf(rq, a.users(func(*meta.State, *meta.User) bool { return true }), "name")
}

func (a *API) getUsersWithout(rq *Request) error {
	granted := map[string]bool{}
	return ListOf(rq, a.users(func(s *meta.State, u *meta.User) bool {
		if len(granted) == 0 {
			granted[""] = true
			for _, p := range s.Permissions() {
				granted[p.User] = true
			}
		}
		return !granted[u.Name]
	}), "name")
}

// user finds the path's user; the error is 404 if there is none.
func (rq *Request) user() (u *meta.User, err error) {
	rq.API.Broker.View(func(s *meta.State) { u = s.User(rq.Var("user")) })
	if u == nil {
		return nil, NotFound()
	}
	return u, nil
}

func (a *API) getUser(rq *Request) error {
	u, err := rq.user()
	if err != nil {
		return err
	}
	return rq.Reply(userRow(u))
}

func (a *API) putUser(rq *Request) error {
	var in apitype.PutUser
	if err := rq.Body(&in); err != nil {
		return err
	}
	for _, k := range []string{"password", "password_hash"} {
		if string(rq.keys[k]) == "null" {
			return badRequestf("the value of %q is of the wrong type: null instead of string", k) // and not a user without a password
		}
	}
	cmds, err := userCommands(a.Broker, rq.Var("user"), &in)
	if err != nil {
		return err
	}
	res, err := rq.Do(cmds...)
	if err != nil {
		return err
	}
	return rq.Created(res[0].Existed)
}

// userCommands makes or changes a user as a PUT or a definition says.
func userCommands(b *broker.Broker, name string, in *apitype.PutUser) ([]meta.Command, error) {
	if in.Tags == nil {
		return nil, BadRequest("tags_not_present")
	}
	c := &meta.PutUser{Name: name, Tags: *in.Tags, Algorithm: b.PasswordHashing()}
	switch {
	case in.PasswordHash != nil && in.Password != nil:
		return nil, BadRequest("both_password_and_password_hash_are_provided")
	case in.PasswordHash != nil:
		c.PasswordHash = *in.PasswordHash
		if in.HashingAlgorithm != "" {
			c.Algorithm = in.HashingAlgorithm
		}
		if err := auth.CheckHash(c.Algorithm, c.PasswordHash); err != nil {
			if err == auth.ErrAlgorithm {
				return nil, badRequestf("unknown password hashing algorithm %q", c.Algorithm)
			}
			return nil, BadRequest([]string{"not_base64", c.PasswordHash})
		}
	case in.Password != nil:
		var err error
		if c.PasswordHash, c.Algorithm, err = b.HashPassword(*in.Password); err != nil {
			return nil, adminFailure(err)
		}
	}
	cmds := []meta.Command{c}
	if in.Limits != nil {
		l := meta.Limits{}
		for k, v := range in.Limits {
			l[k] = int64(v)
		}
		cmds = append(cmds, &meta.SetUserLimits{User: name, Limits: l})
	}
	return cmds, nil
}

func (a *API) deleteUser(rq *Request) error {
	if _, err := rq.user(); err != nil {
		return err
	}
	if _, err := rq.Do(&meta.DeleteUser{Name: rq.Var("user")}); err != nil {
		return err
	}
	return rq.NoContent()
}

func (a *API) bulkDelete(rq *Request) error {
	var in apitype.BulkDelete
	if err := rq.Body(&in, "users"); err != nil {
		return err
	}
	slices.Sort(in.Users)
	var cmds []meta.Command
	missing := ""
	a.Broker.View(func(s *meta.State) {
		for _, u := range slices.Compact(in.Users) {
			if s.User(u) == nil && missing == "" {
				missing = u
			}
			cmds = append(cmds, &meta.DeleteUser{Name: u})
		}
	})
	if missing != "" {
		return BadRequest([]string{"no_such_user", missing})
	}
	if len(cmds) > 0 {
		if _, err := rq.Do(cmds...); err != nil {
			return err
		}
	}
	return rq.NoContent()
}

func (a *API) getUserPermissions(rq *Request) error {
	if _, err := rq.user(); err != nil {
		return err
	}
	return ListOf(rq, a.permissions(func(p *meta.Permission) bool { return p.User == rq.Var("user") }), "user", "vhost")
}

func (a *API) getUserTopics(rq *Request) error {
	if _, err := rq.user(); err != nil {
		return err
	}
	return ListOf(rq, a.topics(func(p *meta.TopicPermission) bool { return p.User == rq.Var("user") }), "user", "vhost", "exchange")
}

func (a *API) getAllUserLimits(rq *Request) error {
	rows := []apitype.UserLimits{}
	a.Broker.View(func(s *meta.State) {
		for u := range s.Users() {
			if len(u.Limits) > 0 {
				rows = append(rows, apitype.UserLimits{User: u.Name, Value: limitsRow(u.Limits)})
			}
		}
	})
	return ListOf(rq, rows, "user")
}

func (a *API) getUserLimits(rq *Request) error {
	u, err := rq.user()
	if err != nil {
		return err
	}
	rows := []apitype.UserLimits{}
	if len(u.Limits) > 0 {
		rows = append(rows, apitype.UserLimits{User: u.Name, Value: limitsRow(u.Limits)})
	}
	return ListOf(rq, rows, "user")
}

func (a *API) putUserLimit(rq *Request) error {
	var in apitype.PutLimit
	if err := limitBody(rq, &in, "%s"); err != nil {
		return err
	}
	return a.changeUserLimits(rq, func(l meta.Limits) { l[rq.Var("name")] = int64(*in.Value) })
}

func (a *API) deleteUserLimit(rq *Request) error {
	if _, err := rq.user(); err != nil {
		return err
	}
	return a.changeUserLimits(rq, func(l meta.Limits) { delete(l, rq.Var("name")) })
}

func (a *API) changeUserLimits(rq *Request, change func(meta.Limits)) error {
	u, err := rq.user()
	if err != nil {
		return BadRequest([]string{"no_such_user", rq.Var("user")})
	}
	l := maps.Clone(u.Limits)
	if l == nil {
		l = meta.Limits{}
	}
	change(l)
	if _, err := rq.Do(&meta.SetUserLimits{User: u.Name, Limits: l}); err != nil {
		return err
	}
	return rq.NoContent()
}
