// The program warren: a message broker, and the commands to look after it.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if code, ok := toolByName(os.Args); ok {
		os.Exit(code)
	}
	root := rootCommand()
	root.SetArgs(serverArgs(os.Args))
	if err := root.Execute(); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintln(os.Stderr, "Error:", err)
		}
		os.Exit(exitCode(err))
	}
}

// serverArgs are the arguments of the root command. Called as rabbitmq-server we
// are a server.
func serverArgs(argv []string) []string {
	args := longOptions(argv[1:])
	if filepath.Base(argv[0]) == "rabbitmq-server" {
		return append([]string{"server"}, args...)
	}
	return args
}
