package perf

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Broker is one that is compared: started by us, or running already.
type Broker struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // warren, rabbitmq, null; empty: not ours
	URL  string `json:"-"`
	PID  int    `json:"-"`

	exe  string // this program
	cpu  string // the list of cores to run on; empty: any
	dir  string
	port int
	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended
	dist int           // RabbitMQ: ports of its distribution and of its epmd
	epmd int
}

// parseBroker reads warren, rabbitmq, null or name=URL[,pid=PID].
func parseBroker(spec string) (*Broker, error) {
	switch spec {
	case "warren", "null", "rabbitmq":
		return &Broker{Name: spec, Kind: spec}, nil
	}
	name, rest, ok := strings.Cut(spec, "=")
	if !ok || name == "" || !strings.Contains(rest, "://") {
		return nil, fmt.Errorf("broker %q: want warren, rabbitmq, null or name=URL,pid=PID", spec)
	}
	b := &Broker{Name: name}
	var pid string
	if b.URL, pid, ok = strings.Cut(rest, ",pid="); ok {
		var err error
		if b.PID, err = strconv.Atoi(pid); err != nil {
			return nil, fmt.Errorf("broker %q: %w", spec, err)
		}
	}
	return b, nil
}

// rabbitServer is RabbitMQ's own start script; Debian's wrapper on the path
// would change the user.
func rabbitServer() (string, error) {
	const debian = "/usr/lib/rabbitmq/bin/rabbitmq-server"
	if _, err := os.Stat(debian); err == nil {
		return debian, nil
	}
	return exec.LookPath("rabbitmq-server")
}

// RabbitMQInstalled reports whether the broker rabbitmq can be started.
func RabbitMQInstalled() bool {
	_, err := rabbitServer()
	return err == nil
}

// freePort finds a port that nobody listens on, below those that the system
// gives to clients: one who polls a dead port there can connect to himself.
func freePort() (int, error) {
	for range 100 {
		p := 20000 + rand.IntN(10000)
		ln, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(p))
		if err != nil {
			continue
		}
		return p, ln.Close()
	}
	return 0, errors.New("no free port")
}

// start runs the broker, with an empty directory the first time, and returns
// how long it took until a client was connected.
func (b *Broker) start(ctx context.Context) (time.Duration, error) {
	if b.Kind == "" {
		return 0, nil
	}
	if b.port == 0 {
		for _, p := range []*int{&b.port, &b.dist, &b.epmd} {
			var err error
			if *p, err = freePort(); err != nil {
				return 0, err
			}
		}
		b.URL = fmt.Sprintf("amqp://guest:guest@127.0.0.1:%d/", b.port)
	}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return 0, err
	}
	args, env, err := b.command()
	if err != nil {
		return 0, err
	}
	if b.cpu != "" {
		args = append([]string{"taskset", "-c", b.cpu}, args...)
	}
	log, err := os.OpenFile(filepath.Join(b.dir, "output"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	b.cmd = exec.Command(args[0], args[1:]...)
	b.cmd.Env = append(os.Environ(), env...)
	b.cmd.Stdout, b.cmd.Stderr = log, log
	b.cmd.Dir = b.dir
	begin := time.Now()
	if err := b.cmd.Start(); err != nil {
		return 0, err
	}
	b.PID = b.cmd.Process.Pid
	b.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // how it ends is in its log
		close(done)
	}(b.cmd, b.done)
	took, err := b.await(ctx, begin)
	if err != nil {
		out, _ := os.ReadFile(log.Name())
		return 0, errors.Join(fmt.Errorf("%s did not start: %w\n%s", b.Name, err, out[max(0, len(out)-2000):]), b.stop())
	}
	return took, b.findBeam()
}

// await polls until a client can connect.
func (b *Broker) await(ctx context.Context, begin time.Time) (time.Duration, error) {
	for {
		c, err := dialBuffer(b.URL, idleBuffer)
		if err == nil {
			took := time.Since(begin)
			c.close()
			return took, nil
		}
		if time.Since(begin) > 2*time.Minute {
			return 0, err
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-b.done:
			return 0, errors.New("it ended")
		case <-time.After(time.Millisecond):
		}
	}
}

func (b *Broker) command() (args, env []string, err error) {
	addr := fmt.Sprintf("127.0.0.1:%d", b.port)
	switch b.Kind {
	case "warren":
		return []string{b.exe, "server", "--data-dir", filepath.Join(b.dir, "data"), "--set", "listeners.tcp.default=" + addr}, []string{"RABBITMQ_ENABLED_PLUGINS="}, nil
	case "null":
		return []string{b.exe, "perf", "null", "--listen", addr}, nil, nil
	}
	server, err := rabbitServer()
	if err != nil {
		return nil, nil, err
	}
	at := func(name string) string { return filepath.Join(b.dir, name) }
	err = errors.Join(os.MkdirAll(at("home"), 0o700), os.WriteFile(at("plugins"), []byte("[].\n"), 0o600),
		os.WriteFile(at("rabbitmq.conf"), fmt.Appendf(nil, "listeners.tcp.1 = %s\n", addr), 0o600))
	return []string{server}, []string{
		"HOME=" + at("home"), fmt.Sprintf("RABBITMQ_NODENAME=perf%d@localhost", b.port),
		fmt.Sprintf("RABBITMQ_NODE_PORT=%d", b.port), fmt.Sprintf("RABBITMQ_DIST_PORT=%d", b.dist), "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
		"RABBITMQ_MNESIA_BASE=" + at("mnesia"), "RABBITMQ_LOG_BASE=" + at("log"), "RABBITMQ_PID_FILE=" + at("pid"),
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + at("plugins"), "RABBITMQ_CONFIG_FILE=" + at("rabbitmq"), "RABBITMQ_CONF_ENV_FILE=" + at("none"),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
		"ERL_EPMD_ADDRESS=127.0.0.1", fmt.Sprintf("ERL_EPMD_PORT=%d", b.epmd),
	}, err
}

// findBeam takes the PID of RabbitMQ's virtual machine for that of its script.
func (b *Broker) findBeam() error {
	if b.Kind != "rabbitmq" {
		return nil
	}
	raw, err := os.ReadFile(filepath.Join(b.dir, "pid"))
	if err != nil {
		return err
	}
	b.PID, err = strconv.Atoi(strings.TrimSpace(string(raw)))
	return err
}

// stop ends the broker and waits for it; what it has stored stays.
func (b *Broker) stop() error {
	if b.cmd == nil {
		return nil
	}
	p := b.cmd.Process
	if b.PID != p.Pid {
		if beam, err := os.FindProcess(b.PID); err == nil {
			p = beam
		}
	}
	_ = p.Signal(syscall.SIGTERM) // it may have ended
	var err error
	select {
	case <-b.done:
	case <-time.After(time.Minute):
		err = fmt.Errorf("%s did not stop and was killed", b.Name)
		_ = p.Kill()
		_ = b.cmd.Process.Kill()
		<-b.done
	}
	b.cmd = nil
	if b.Kind == "rabbitmq" {
		// Its name server stays behind as a daemon: our own, by the port.
		k := exec.Command("epmd", "-port", strconv.Itoa(b.epmd), "-kill")
		k.Env = append(os.Environ(), fmt.Sprintf("ERL_EPMD_PORT=%d", b.epmd))
		if out, e := k.CombinedOutput(); e != nil {
			err = errors.Join(err, fmt.Errorf("stopping epmd: %w: %s", e, out))
		}
	}
	return err
}

// remove stops it for good.
func (b *Broker) remove() error {
	if b.Kind == "" {
		return nil
	}
	return errors.Join(b.stop(), os.RemoveAll(b.dir))
}

// pin moves this process, all of its threads, to the cores.
func pin(cpus string) error {
	out, err := exec.Command("taskset", "-a", "-c", "-p", cpus, strconv.Itoa(os.Getpid())).CombinedOutput()
	if err != nil {
		return fmt.Errorf("taskset: %w: %s", err, out)
	}
	return nil
}
