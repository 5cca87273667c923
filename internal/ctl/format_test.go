package ctl

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// The rows and what 3.10.8 makes of them.
func queueRows() rows {
	args := func(s string) arguments {
		dec := json.NewDecoder(strings.NewReader(s))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err != nil {
			panic(err)
		}
		return argumentsOf(v)
	}
	return rows{columns: []string{"name", "messages", "arguments"}, list: [][]any{
		{"plain", int64(3), args(`{}`)},
		{"prio", int64(0), args(`{"x-max-priority":5}`)},
		{"classic1", int64(1), args(`{"x-dead-letter-exchange":"amq.fanout","x-max-length":100,"x-single-active-consumer":false}`)},
	}}
}

func TestFormatters(t *testing.T) {
	users := rows{columns: []string{"user", "tags"}, whole: true, list: [][]any{{"alice", atoms([]string{"monitoring", "policymaker"})}, {"bob", list{}}}}
	for _, c := range []struct {
		name string
		rows rows
		opts options
		want string
	}{
		{"table", users, nil, "user\ttags\nalice\t[monitoring, policymaker]\nbob\t[]\n"},
		{"table", users, options{"silent": "true"}, "alice\t[monitoring, policymaker]\nbob\t[]\n"},
		{"table", users, options{"table-headers": "false"}, "alice\t[monitoring, policymaker]\nbob\t[]\n"},
		{"csv", users, nil, "\"user\",\"tags\"\n\"alice\",\"[monitoring, policymaker]\"\n\"bob\",\"[]\"\n"},
		{"json", users, nil, "[\n{\"user\":\"alice\",\"tags\":[\"monitoring\",\"policymaker\"]}\n,{\"user\":\"bob\",\"tags\":[]}\n]\n"},
		{"json_stream", users, nil, "{\"user\":\"alice\",\"tags\":[\"monitoring\",\"policymaker\"]}\n\n{\"user\":\"bob\",\"tags\":[]}\n"},
		{"erlang", users, nil, "[[{user,<<\"alice\">>},{tags,[monitoring,policymaker]}],\n [{user,<<\"bob\">>},{tags,[]}]]\n"},
		{"string", users, nil, "[user: \"alice\", tags: [:monitoring, :policymaker]]\n[user: \"bob\", tags: []]\n"},
		{"table", queueRows(), nil, "name\tmessages\targuments\nplain\t3\t[]\nprio\t0\t[{\"x-max-priority\",5}]\n" +
			"classic1\t1\t[{\"x-dead-letter-exchange\",\"amq.fanout\"},{\"x-max-length\",100},{\"x-single-active-consumer\",false}]\n"},
		{"csv", queueRows(), nil, "\"name\",\"messages\",\"arguments\"\n\"plain\",\"3\",\"[]\"\n\"prio\",\"0\",\"[{\"\"x-max-priority\"\",5}]\"\n" +
			"\"classic1\",\"1\",\"[{\"\"x-dead-letter-exchange\"\",\"\"amq.fanout\"\"},{\"\"x-max-length\"\",100},{\"\"x-single-active-consumer\"\",false}]\"\n"},
		{"json", queueRows(), nil, "[\n{\"name\":\"plain\",\"messages\":3,\"arguments\":[]}\n,{\"name\":\"prio\",\"messages\":0,\"arguments\":[[\"x-max-priority\",\"signedint\",5]]}\n" +
			",{\"name\":\"classic1\",\"messages\":1,\"arguments\":[[\"x-dead-letter-exchange\",\"longstr\",\"amq.fanout\"],[\"x-max-length\",\"signedint\",100],[\"x-single-active-consumer\",\"bool\",false]]}\n]\n"},
		{"erlang", queueRows(), nil, "[[{name,<<\"plain\">>},{messages,3},{arguments,[]}],\n [{name,<<\"prio\">>},\n  {messages,0},\n  {arguments,[{<<\"x-max-priority\">>,signedint,5}]}],\n" +
			" [{name,<<\"classic1\">>},\n  {messages,1},\n  {arguments,[{<<\"x-dead-letter-exchange\">>,longstr,<<\"amq.fanout\">>},\n              {<<\"x-max-length\">>,signedint,100},\n" +
			"              {<<\"x-single-active-consumer\">>,bool,false}]}]]\n"},
		// Empty lists: what comes row by row, and what comes whole.
		{"table", rows{columns: []string{"name"}}, nil, ""},
		{"table", rows{columns: []string{"name"}, whole: true}, nil, "\n"},
		{"json", rows{columns: []string{"name"}}, nil, "[\n]\n"},
		{"json", rows{columns: []string{"name"}, whole: true}, nil, "[]\n"},
		{"erlang", rows{columns: []string{"name"}}, nil, "[]\n"},
		{"csv", rows{columns: []string{"name"}}, nil, ""},
		// What would break the table.
		{"table", rows{columns: []string{"name"}, list: [][]any{{"a\u009bb"}}}, nil, "name\na\\233b\n"},
		{"table", rows{columns: []string{"name"}, list: [][]any{{"a\tb\nc\\d"}, {""}, {nil}}}, nil, "name\na\\011b\\012c\\\\d\n\n\n"},
	} {
		var out bytes.Buffer
		opts := options{"formatter": c.name}
		for k, v := range c.opts {
			opts[k] = v
		}
		f, err := newFormatter(&call{Env: &Env{Stdout: &out}, cmd: &Command{}, opts: opts})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.print(c.rows); err != nil {
			t.Fatal(err)
		}
		if out.String() != c.want {
			t.Errorf("%s %v\n got %q\nwant %q", c.name, c.opts, out.String(), c.want)
		}
	}
}

func TestPrettyTable(t *testing.T) {
	var out bytes.Buffer
	f, _ := newFormatter(&call{Env: &Env{Stdout: &out}, cmd: &Command{Formatter: "pretty_table"}, opts: options{}})
	f.print(rows{columns: []string{"keys", "values"}, list: [][]any{{"exchange", ""}, {"key", "q"}}})
	got := strings.NewReplacer("\x1b(0", "", "\x1b(B", "", "\x1b[1m", "", "\x1b[0m", "").Replace(out.String())
	want := `lqqqqqqqqqqwqqqqqqqqk
x keys     x values x
tqqqqqqqqqqnqqqqqqqqu
x exchange x        x
tqqqqqqqqqqnqqqqqqqqu
x key      x q      x
mqqqqqqqqqqvqqqqqqqqj
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

// Terms as Erlang breaks them.
func TestErlang(t *testing.T) {
	hashes := []string{"blake2s", "blake2b", "sha3_512", "sha3_384", "sha3_256", "sha3_224", "sha512", "sha384", "sha256", "sha224", "sha", "ripemd160", "md5", "md4"}
	for want, v := range map[string]any{
		"[blake2s,blake2b,sha3_512,sha3_384,sha3_256,sha3_224,sha512,sha384,sha256,\n sha224,sha,ripemd160,md5,md4]": atoms(hashes),
		`"n\e[31m\nx\d\001\233é\""`: charlist("n\x1b[31m\nx\x7f\x01\u009bé\""),
		"#{}":                       erlMap{},
		"[]":                        list{},
		`'a b'`:                     atom("a b"),
		`{<<"x">>,1.5,undefined}`:   tuple{"x", 1.5, nil},
		`[{<<"max-nope">>,5}]`:      list{tuple{"max-nope", int64(5)}},
		`#{<<"a">> => [<<"b">>]}`:   erlMap{{"a", list{"b"}}},
		`[{rabbit,[{'a.b',"c"}]}]`:  pairs{{"rabbit", pairs{{"a.b", charlist("c")}}}},
	} {
		if got := pretty(v); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

func TestFloatText(t *testing.T) {
	for want, f := range map[string]float64{"0.0": 0, "1.0": 1, "0.9999747293482321": 0.9999747293482321, "10.1106": 10.1106, "1.0e-6": 1e-6, "1.0e20": 1e20} {
		if got := floatText(f); got != want {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
}

func TestListenerLine(t *testing.T) {
	got := "I" + listenerLine(apitype.Listener{Protocol: "amqp", IPAddress: "::", Port: 5672})
	if want := "Interface: [::], port: 5672, protocol: amqp, purpose: AMQP 0-9-1"; got != want {
		t.Error(got)
	}
}
