// The program warren: a message broker, and the commands to look after it.
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	if code, ok := toolByName(os.Args); ok {
		os.Exit(code)
	}
	if err := rootCommand().Execute(); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintln(os.Stderr, "Error:", err)
		}
		os.Exit(exitCode(err))
	}
}
