package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/server"
)

// Exit codes, those of sysexits.h that RabbitMQ's tools use.
const (
	exitUsage       = 64
	exitData        = 65
	exitUnavailable = 69
	exitSoftware    = 70
	exitConfig      = 78
)

// exitError is an error with an exit code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func exitCode(err error) int {
	var e *exitError
	if errors.As(err, &e) {
		return e.code
	}
	return exitUsage
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "warren",
		Short:         "A message broker that takes RabbitMQ's place",
		Version:       server.Version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(serverCommand(), configCommand(), tlsCommand(), perfCommand(), storeCommand(), agentCommand(), hostsCommand())
	root.AddCommand(ctlCommands()...)
	return root
}
