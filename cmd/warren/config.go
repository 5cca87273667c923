package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/config"
)

// configFlags are those that say how a node is configured.
type configFlags struct {
	dataDir string
	files   []string
	sets    []string
	secret  passphrase
}

func (f *configFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dataDir, "data-dir", "", "directory of the node's data")
	cmd.Flags().StringArrayVar(&f.files, "config", nil, "configuration file (rabbitmq.conf, or Erlang terms if the name ends in .config), or a directory of *.conf; may be repeated")
	cmd.Flags().StringArrayVar(&f.sets, "set", nil, "set a configuration key, as in key=value; may be repeated")
}

func (f *configFlags) load() (*config.Config, error) {
	cfg, err := config.Load(config.Sources{DataDir: f.dataDir, Files: f.files, Dir: configDir(), Set: f.sets, Env: os.LookupEnv, Ask: f.secret.ask})
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	return cfg, nil
}

// configDir is where configuration files are looked for that nobody has named:
// RabbitMQ's place if that is what we are called.
func configDir() string {
	if strings.HasPrefix(filepath.Base(os.Args[0]), "rabbitmq") {
		return "/etc/rabbitmq"
	}
	return "/etc/warren"
}

func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Look at configurations"}
	cmd.AddCommand(configCheckCommand(), configEffectiveCommand())
	return cmd
}

func configCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Say what is wrong with configuration files",
		Long: `Read configuration files as a node would, without starting one: rabbitmq.conf,
or Erlang terms if the name ends in .config. What has no effect is listed. The
exit code is 78 if a node would not start with a file.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, file := range args {
				c, err := config.Check(file)
				if err != nil {
					return &exitError{exitConfig, err}
				}
				for _, n := range c.Notes {
					fmt.Fprintln(cmd.OutOrStdout(), "note:", n)
				}
				fmt.Fprintln(cmd.OutOrStdout(), file, "is good")
			}
			return nil
		},
	}
}

func configEffectiveCommand() *cobra.Command {
	var flags configFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "effective",
		Short: "List all settings with where they come from",
		Long: `List the settings that "warren server" would have with the same flags and
environment. Each comes with its origin: default, a file and line, a variable of
the environment, or --set.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := flags.load()
			if err != nil {
				return err
			}
			return printSettings(cmd.OutOrStdout(), c, asJSON)
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printSettings(w io.Writer, c *config.Config, asJSON bool) error {
	if asJSON {
		type row struct {
			Key    string `json:"key"`
			Value  string `json:"value"`
			Origin string `json:"origin"`
		}
		rows := []row{}
		for _, s := range c.Settings {
			rows = append(rows, row(s))
		}
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(rows)
	}
	width := 0
	for _, s := range c.Settings {
		width = max(width, len(s.Key)+len(s.Value))
	}
	width = min(width, 60)
	for _, s := range c.Settings {
		pad := max(width-len(s.Key)-len(s.Value), 0)
		if _, err := fmt.Fprintf(w, "%s = %s%s  # %s\n", s.Key, s.Value, strings.Repeat(" ", pad), s.Origin); err != nil {
			return err
		}
	}
	for _, n := range c.Notes {
		if _, err := fmt.Fprintln(w, "# note:", n); err != nil {
			return err
		}
	}
	return nil
}
