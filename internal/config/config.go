// Package config reads what a node is told: rabbitmq.conf, the older
// rabbitmq.config and advanced.config, rabbitmq-env.conf, the environment, the
// command line. Keys are RabbitMQ's; ours begin with "warren.".
//
// Every source is turned into settings, key and value as in rabbitmq.conf, each
// with its origin. The settings are put in order, the last one of a key wins,
// and the table of keys (keys*.go) says what becomes of it: a field of
// server.Config, a note in the log, or a refusal.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/logging"
	"github.com/warrenmq/warren/server"
)

// Sources are where settings come from; later ones win.
type Sources struct {
	DataDir string
	// Files in the format of rabbitmq.conf, or of rabbitmq.config if the name
	// ends so; directories stand for the *.conf in them. None: RABBITMQ_CONFIG_FILE,
	// or what is in Dir.
	Files []string
	// Dir is where files are looked for that nobody has named: rabbitmq.conf,
	// conf.d, advanced.config, rabbitmq-env.conf. "": nowhere.
	Dir string
	Set []string
	Env func(string) (string, bool)
	// Ask asks somebody for the passphrase of encrypted values, if the
	// configuration says so; nil: there is nobody.
	Ask func(prompt string) (string, error)
	// KeepSealed: encrypted values for which there is no passphrase at hand are
	// left out, with a note. It is for those who only look.
	KeepSealed bool
}

// Config is the outcome.
type Config struct {
	Server  server.Config
	Log     logging.Config
	PIDFile string // where -detached writes the process id
	// Files are those that were read.
	Files []string
	// Settings are all keys with a meaning, and those that were given, by name.
	Settings []server.Setting
	// Notes are about what was accepted and has no effect, or another one than
	// one might think.
	Notes []string
}

// Load puts the settings together.
func Load(src Sources) (*Config, error) {
	if src.Env == nil {
		src.Env = func(string) (string, bool) { return "", false }
	}
	l := &loader{src: src, b: newBuild()}
	if err := l.collect(); err != nil {
		return nil, err
	}
	if err := l.b.apply(l.settings); err != nil {
		return nil, err
	}
	c, err := l.b.finish()
	if err != nil {
		return nil, err
	}
	c.Files = l.files
	c.Notes = append(l.notes, c.Notes...)
	if err := l.dataDir(c); err != nil {
		return nil, err
	}
	c.Settings = effective(l.settings, c)
	c.Server.Settings = c.Settings
	return c, nil
}

// Check reads one file, as far as it can be understood by itself.
func Check(file string) (*Config, error) {
	return Load(Sources{Files: []string{file}, DataDir: os.TempDir(), KeepSealed: true})
}

// loader gathers settings.
type loader struct {
	src      Sources
	env      map[string]variable // RABBITMQ_..., of rabbitmq-env.conf and the environment
	settings settings
	files    []string
	notes    []string
	b        *build
	decoder  decoder
}

func (l *loader) note(format string, args ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
}

func (l *loader) collect() error {
	if err := l.readEnvironment(); err != nil {
		return err
	}
	files, err := l.confFiles()
	if err != nil {
		return err
	}
	if err := l.findDecoder(files); err != nil {
		return err
	}
	for _, f := range files {
		if err := l.readFile(f); err != nil {
			return err
		}
	}
	if err := l.applyEnvironment(); err != nil {
		return err
	}
	for _, kv := range l.src.Set {
		k, v, ok := strings.Cut(kv, "=")
		if !ok {
			return fmt.Errorf("--set %s: want key=value", kv)
		}
		k = strings.TrimSpace(k)
		// One kind of a limit takes the place of the other kind that a file has.
		for _, p := range []string{"vm_memory_high_watermark.", "disk_free_limit."} {
			if k == p+"absolute" || k == p+"relative" {
				l.settings.drop(p)
			}
		}
		if v = strings.TrimSpace(v); strings.HasPrefix(v, sealedPrefix) {
			if err := l.putSealed(k, v, "--set"); err != nil {
				return err
			}
			continue
		}
		l.settings.put(k, v, "--set")
	}
	return nil
}

// confFiles lists the files to read, in order.
func (l *loader) confFiles() ([]string, error) {
	files := l.src.Files
	if len(files) == 0 {
		main, err := l.mainFile()
		if err != nil {
			return nil, err
		}
		files = append(files, main...)
		if v, ok := l.env["RABBITMQ_CONFIG_FILES"]; ok && v.value != "" {
			files = append(files, v.value)
		} else if l.src.Dir != "" && isDir(filepath.Join(l.src.Dir, "conf.d")) {
			files = append(files, filepath.Join(l.src.Dir, "conf.d"))
		}
	}
	advanced := ""
	if v, ok := l.env["RABBITMQ_ADVANCED_CONFIG_FILE"]; ok && v.value != "" {
		if advanced = withExtension(v.value, ".config"); advanced == "" {
			return nil, fmt.Errorf("%s names %s, which is not there", v.origin, v.value)
		}
	} else if len(l.src.Files) == 0 && l.src.Dir != "" {
		advanced = withExtension(filepath.Join(l.src.Dir, "advanced"), ".config")
	}
	var out []string
	for _, f := range files {
		more, err := expand(f)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	if advanced != "" {
		out = append(out, advanced)
	}
	return out, nil
}

// mainFile is rabbitmq.conf, or the older rabbitmq.config.
func (l *loader) mainFile() ([]string, error) {
	if v, ok := l.env["RABBITMQ_CONFIG_FILE"]; ok && v.value != "" {
		f := withExtension(v.value, ".conf", ".config")
		if f == "" {
			// RabbitMQ starts without a file that is not there, which hides typing mistakes.
			return nil, fmt.Errorf("%s names %s, which is not there", v.origin, v.value)
		}
		return []string{f}, nil
	}
	if l.src.Dir == "" {
		return nil, nil
	}
	if f := withExtension(filepath.Join(l.src.Dir, "rabbitmq"), ".conf", ".config"); f != "" {
		return []string{f}, nil
	}
	return nil, nil
}

// withExtension returns the first file that is there: the name itself or with
// one of the extensions. "" if there is none.
func withExtension(name string, exts ...string) string {
	for _, e := range append(exts, "") {
		if strings.HasSuffix(name, e) && e != "" {
			e = ""
		}
		if fi, err := os.Stat(name + e); err == nil && !fi.IsDir() {
			return name + e
		}
	}
	return ""
}

func isDir(name string) bool {
	fi, err := os.Stat(name)
	return err == nil && fi.IsDir()
}

// expand turns a directory or a pattern into the files that it stands for.
func expand(name string) ([]string, error) {
	if isDir(name) {
		name = filepath.Join(name, "*.conf")
	}
	if !strings.ContainsAny(name, "*?[") {
		return []string{name}, nil
	}
	files, err := filepath.Glob(name) // sorted
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return files, nil
}

// maxFile bounds what is read; no configuration comes near.
const maxFile = 4 << 20

func readText(name string) (string, error) {
	fi, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	if fi.Size() > maxFile {
		return "", fmt.Errorf("%s: the file is too long", name)
	}
	b, err := os.ReadFile(name)
	return string(b), err
}

func (l *loader) readFile(name string) error {
	text, err := readText(name)
	if err != nil {
		return err
	}
	l.files = append(l.files, name)
	if strings.HasSuffix(name, ".config") {
		return l.readTerms(name, text)
	}
	return l.readConf(name, text)
}

// dataDir decides where the data is.
func (l *loader) dataDir(c *Config) error {
	s := &c.Server
	dir, origin := l.src.DataDir, "--data-dir"
	if dir == "" {
		dir, origin = s.DataDir, l.settings.origin("warren.data_dir")
	}
	if dir == "" {
		var err error
		if dir, origin, err = l.defaultDataDir(s.NodeName); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "schema.DAT")); err == nil {
		return fmt.Errorf("%s holds data of RabbitMQ (%s), which Warren cannot use: export its definitions there (rabbitmqctl export_definitions), and give Warren a directory of its own", dir, origin)
	} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	s.DataDir = dir
	l.settings.put("warren.data_dir", dir, origin)
	if c.Log.Dir == "" {
		c.Log.Dir = filepath.Join(dir, "log")
	}
	s.AuditDir = c.Log.Dir
	if c.PIDFile == "" {
		c.PIDFile = filepath.Join(dir, "warren.pid")
	}
	if c.Log.File == "" {
		c.Log.File = logName(s.NodeName) + ".log"
	}
	return nil
}

func logName(node string) string {
	if node == "" {
		host, _ := os.Hostname()
		node = "warren@" + host
	}
	return strings.Map(func(r rune) rune {
		if r == '/' || r == 0 {
			return '_'
		}
		return r
	}, node)
}

func (l *loader) defaultDataDir(node string) (dir, origin string, err error) {
	if v, ok := l.env["RABBITMQ_MNESIA_DIR"]; ok && v.value != "" {
		return v.value, v.origin, nil
	}
	if v, ok := l.env["RABBITMQ_MNESIA_BASE"]; ok && v.value != "" {
		return filepath.Join(v.value, logName(node)), v.origin, nil
	}
	if os.Geteuid() == 0 {
		return "/var/lib/warren", byDefault, nil
	}
	if d, ok := l.src.Env("XDG_DATA_HOME"); ok && d != "" {
		return filepath.Join(d, "warren"), "XDG_DATA_HOME", nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", "", fmt.Errorf("no data directory: give --data-dir (%w)", err)
	}
	return filepath.Join(home, ".local", "share", "warren"), byDefault, nil
}

// never is the duration that stands for "no limit" in server.Config.
const never = time.Duration(-1)
