package ctl

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"strings"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/mgmt/client"
)

// user is a user as the API tells of one.
type user struct {
	Name             string   `json:"name"`
	PasswordHash     string   `json:"password_hash"`
	HashingAlgorithm string   `json:"hashing_algorithm"`
	Tags             []string `json:"tags"`
}

func bannerf(format string, parts ...func(*call) string) func(*call) string {
	return func(c *call) string {
		args := make([]any, len(parts))
		for i, p := range parts {
			args[i] = p(c)
		}
		return fmt.Sprintf(format, args...)
	}
}

// arg is the nth argument, for banners.
func arg(n int) func(*call) string {
	return func(c *call) string {
		if n < len(c.args) {
			return c.args[n]
		}
		return ""
	}
}

func inVHost(c *call) string { return c.vhost() }
func onNode(c *call) string  { return c.name() }

func userCommands() []*Command {
	both := []Tool{Ctl, Diagnostics}
	password := [2]string{"<password>", "Password to log in with; an empty one means that the user cannot log in with a password. Without it, a line is read from the standard input, which keeps it out of the list of processes"}
	name := [2]string{"<username>", "Name of the user"}
	return []*Command{
		{Name: "add_user", Group: groupUsers, Usage: "add_user <username> <password>", Min: 1, Max: 2,
			Short:   "Makes a user, without permissions",
			Explain: [][2]string{name, password, {"--pre-hashed-password", "The password is a base64 hash, as hash_password prints it"}},
			Flags:   []flag{{"pre-hashed-password", boolean, ""}},
			Check:   (*call).checkUserName, Banner: bannerf("Adding user \"%s\" ...", arg(0)), Run: (*call).addUser},
		{Name: "delete_user", Group: groupUsers, Usage: "delete_user <username>", Min: 1, Max: 1,
			Short: "Deletes a user", Explain: [][2]string{name},
			Banner: bannerf("Deleting user \"%s\" ...", arg(0)), Run: (*call).deleteUser},
		{Name: "change_password", Group: groupUsers, Usage: "change_password <username> <password>", Min: 1, Max: 2,
			Short: "Changes the password of a user", Explain: [][2]string{name, password},
			Banner: bannerf("Changing password for user \"%s\" ...", arg(0)), Run: (*call).changePassword},
		{Name: "clear_password", Group: groupUsers, Usage: "clear_password <username>", Min: 1, Max: 1,
			Short: "Takes a user's password away: no more logins with one", Explain: [][2]string{name},
			Banner: bannerf("Clearing password for user \"%s\" ...", arg(0)), Run: (*call).clearPassword},
		{Name: "authenticate_user", Group: groupUsers, Usage: "authenticate_user <username> <password>", Min: 1, Max: 2,
			Short: "Tries a user's password; the exit code says whether it is right", Explain: [][2]string{name, password},
			Banner: bannerf("Authenticating user \"%s\" ...", arg(0)), Run: (*call).authenticateUser},
		{Name: "hash_password", Group: groupUsers, Usage: "hash_password <password> [--hashing-algorithm <sha256 | sha512>]", Max: 1,
			Short: "Prints the salted hash of a password, for definitions and add_user --pre-hashed-password",
			Flags: []flag{{"hashing-algorithm", text, ""}}, Local: true, Run: (*call).hashPassword,
			Banner: bannerf("Will hash password ...")},
		{Name: "set_user_tags", Group: groupUsers, Usage: "set_user_tags <username> <tag> [...]", Min: 1, Max: -1,
			Short:   "Replaces a user's tags",
			Explain: [][2]string{name, {"<tag>", "administrator, monitoring, policymaker, management, impersonator, or one of your own; none takes all away"}},
			Banner: func(c *call) string {
				return fmt.Sprintf("Setting tags for user \"%s\" to [%s] ...", c.args[0], strings.Join(c.args[1:], ", "))
			}, Run: (*call).setUserTags},
		{Name: "list_users", Tools: both, Group: groupUsers, Usage: "list_users [--no-table-headers]", Timed: true,
			Short: "Lists users and their tags", Formatter: "table",
			Banner: bannerf("Listing users ..."), Run: (*call).listUsers},
	}
}

func (c *call) checkUserName() error {
	if c.args[0] == "" {
		return c.badArgument("user cannot be an empty string")
	}
	return nil
}

// password is the second argument, or a line of the standard input. missing is
// the exit code if there is neither.
func (c *call) password(missing int) (string, error) {
	if len(c.args) > 1 {
		return c.args[1], nil
	}
	return c.secret("Password: ", missing)
}

func (c *call) secret(prompt string, missing int) (string, error) {
	if !c.quiet() {
		fmt.Fprintln(c.Stdout, prompt)
	}
	line, err := bufio.NewReader(io.LimitReader(c.Stdin, 1<<16)).ReadString('\n')
	if err != nil && line == "" {
		return "", failed(missing, "Password is not provided via argument or stdin")
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func (c *call) user(name string) (user, error) {
	var u user
	return u, c.get(path("users", name), &u)
}

func (c *call) addUser() (any, error) {
	name := c.args[0]
	pw, err := c.password(exitData)
	if err != nil {
		return nil, err
	}
	body := map[string]any{"tags": "", "password": pw}
	if c.flag("pre-hashed-password") {
		if err := auth.CheckHash(auth.SHA256, pw); err != nil {
			return nil, failedf(exitData, "The password is not a salted SHA-256 hash in base64, as hash_password prints one: %v", err)
		}
		body = map[string]any{"tags": "", "password_hash": pw, "hashing_algorithm": auth.SHA256}
	}
	switch ok, err := c.there(path("users", name)); {
	case err != nil:
		return nil, err
	case ok:
		return nil, failedf(exitSoftware, "User %q already exists", name)
	}
	if err := refused(c.put(path("users", name), body)); err != nil {
		return nil, err
	}
	if c.quiet() {
		return nil, nil
	}
	return "Done. Don't forget to grant the user permissions to some virtual hosts! See 'rabbitmqctl help set_permissions' to learn more.", nil
}

func (c *call) deleteUser() (any, error) {
	err := c.delete(path("users", c.args[0]))
	if client.IsNotFound(err) {
		return nil, noUser(c.args[0])
	}
	return nil, err
}

// changeUser puts a user back with something changed.
func (c *call) changeUser(name string, missing func(string) *exitError, body func(user) map[string]any) error {
	u, err := c.user(name)
	if client.IsNotFound(err) {
		return missing(name)
	}
	if err != nil {
		return err
	}
	return refused(c.put(path("users", name), body(u)))
}

func (c *call) changePassword() (any, error) {
	pw, err := c.password(exitSoftware)
	if err != nil {
		return nil, err
	}
	return nil, c.changeUser(c.args[0], noUser, func(u user) map[string]any {
		return map[string]any{"tags": u.Tags, "password": pw}
	})
}

func (c *call) clearPassword() (any, error) {
	return nil, c.changeUser(c.args[0], noUser2, func(u user) map[string]any {
		return map[string]any{"tags": u.Tags, "password_hash": ""}
	})
}

func (c *call) setUserTags() (any, error) {
	return nil, c.changeUser(c.args[0], noUser, func(u user) map[string]any {
		return map[string]any{"tags": c.args[1:], "password_hash": u.PasswordHash, "hashing_algorithm": u.HashingAlgorithm}
	})
}

func (c *call) authenticateUser() (any, error) {
	pw, err := c.password(exitSoftware)
	if err != nil {
		return nil, err
	}
	var answer apitype.Authenticated
	if err := c.post("/node/authenticate", apitype.Credentials{Username: c.args[0], Password: pw}, &answer); err != nil {
		return nil, err
	}
	if !answer.OK {
		return nil, failedf(exitData, "Error: failed to authenticate user %q\n%s", c.args[0], answer.Reason)
	}
	return "Success", nil
}

func (c *call) hashPassword() (any, error) {
	var pw string
	var err error
	if len(c.args) > 0 {
		pw = c.args[0]
	} else if pw, err = c.secret("Password: ", exitData); err != nil {
		return nil, err
	}
	algorithm := auth.SHA256
	if pw == "" {
		return nil, failed(exitData, "an empty password is no password: a user without one cannot log in with a password")
	}
	var salt [4]byte
	rand.Read(salt[:]) // never fails
	switch c.option("hashing-algorithm") {
	case "", "sha256", "rabbit_password_hashing_sha256":
	case "sha512", "rabbit_password_hashing_sha512":
		algorithm = auth.SHA512
	default:
		return nil, failedf(exitUsage, "hashing algorithm %q is not supported. Please use one of: sha256, sha512", c.option("hashing-algorithm"))
	}
	return auth.HashWith(algorithm, salt, pw), nil
}

func (c *call) listUsers() (any, error) {
	var users []user
	if err := c.get("/users", &users); err != nil {
		return nil, err
	}
	out := rows{columns: []string{"user", "tags"}, whole: true}
	for _, u := range users {
		out.list = append(out.list, []any{u.Name, atoms(u.Tags)})
	}
	return out, nil
}
