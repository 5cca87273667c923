package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// passphrase asks for the passphrase of encrypted settings, once: a node reads
// its configuration again when it is told to reload, and hands the answer on when
// it starts itself in the background.
type passphrase struct {
	said  string
	known bool
}

func (p *passphrase) ask(prompt string) (string, error) {
	if p.known {
		return p.said, nil
	}
	fmt.Fprint(os.Stderr, "\n"+prompt)
	fd := int(os.Stdin.Fd())
	var line []byte
	var err error
	if term.IsTerminal(fd) {
		line, err = term.ReadPassword(fd)
		fmt.Fprintln(os.Stderr)
	} else {
		line, err = readLine(os.Stdin)
	}
	if err != nil {
		return "", err
	}
	p.said, p.known = string(line), true
	return p.said, nil
}

// readLine reads up to the end of a line and nothing behind it.
func readLine(r io.Reader) ([]byte, error) {
	const longest = 1 << 16
	var line []byte
	b := make([]byte, 1)
	for len(line) < longest {
		n, err := r.Read(b)
		if n == 1 && b[0] == '\n' {
			return []byte(strings.TrimSuffix(string(line), "\r")), nil
		}
		line = append(line, b[:n]...)
		if errors.Is(err, io.EOF) && len(line) > 0 {
			return line, nil
		}
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the standard input is not a terminal, and nothing is in it")
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the line is too long")
}

// reader is what a node in the background reads its passphrase from; nil if it
// needs none.
func (p *passphrase) reader() io.Reader {
	if !p.known {
		return nil
	}
	return strings.NewReader(p.said + "\n")
}
