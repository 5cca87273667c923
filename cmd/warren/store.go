package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/store/check"
	"github.com/warrenmq/warren/internal/vfs"
)

func storeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Look at the data of a stopped node",
		Long: `Look at the data directory of a node that does not run. Nothing is changed.

Exit codes: 0 nothing is wrong, 65 the data is damaged, 66 there is no node's
data in the directory, 69 the node runs.`,
	}
	cmd.AddCommand(storeCheckCommand(), storeDumpCommand())
	return cmd
}

func storeCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check DIR",
		Short: "Say whether a node's data is whole",
		Long: `Read everything in a node's data directory and say whether it is whole.

The end of the log may be torn after a power failure: that was never confirmed
to anybody and is no damage.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			fs := vfs.OS{}
			if err := holdsData(fs, args[0]); err != nil {
				return err
			}
			r, err := check.Check(fs, args[0])
			if err != nil {
				return storeError(args[0], err)
			}
			r.Print(cmd.OutOrStdout())
			if err := r.Err(); err != nil {
				return &exitError{exitData, err}
			}
			return nil
		},
	}
}

func storeDumpCommand() *cobra.Command {
	var o check.DumpOptions
	var kind string
	cmd := &cobra.Command{
		Use:   "dump DIR",
		Short: "Print the records of a node's log",
		Long: `Print the records of a node's log, one a line: position (segment:offset, in
hexadecimal), kind, group, length of the payload, and what it says. The group is
the id of the queue that a record belongs to, 0 if to none.

Kinds: publish, body, ref, settle, page, pagedrop, returned, command, sync, and
with --own the log's own mark, seal and close.

Where records do not validate there is a line that begins with "damage"; whether
that matters is for "warren store check" to say.`,
		Example: `  warren store dump ./data --kind publish --text
  warren store dump ./data --kind command`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			fs := vfs.OS{}
			if err := holdsData(fs, args[0]); err != nil {
				return err
			}
			d := newDescriber(fs, args[0])
			o.Describe, o.KindName = d.describe, kindName
			f, err := newKindFilter(cmd.OutOrStdout(), kind)
			if err != nil {
				return err
			}
			o.Own = o.Own || isOwn(f.kind)
			if err := check.Dump(f, fs, args[0], o); err != nil {
				return storeError(args[0], err)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&kind, "kind", "", "only records of this kind (name or number)")
	f.BoolVar(&o.Text, "text", false, "print payloads as quoted text")
	f.BoolVar(&o.Hex, "hex", false, "print payloads in hexadecimal")
	f.IntVar(&o.Max, "max", 64, "bytes of a payload that --text and --hex print, at most")
	f.BoolVar(&o.Own, "own", false, "print the log's own records as well")
	return cmd
}

// exitNoInput is EX_NOINPUT of sysexits.h.
const exitNoInput = 66

// holdsData refuses a directory that no node has written to: that nothing in it
// is damaged would be true and misleading.
func holdsData(fs vfs.FS, dir string) error {
	entries, err := fs.ReadDir(dir)
	if err != nil {
		return &exitError{exitNoInput, err}
	}
	for _, e := range entries {
		if _, ok := store.ParseSegmentName(e.Name); ok || e.Name == store.CheckpointName {
			return nil
		}
	}
	return &exitError{exitNoInput, fmt.Errorf("%s holds no data of a node", dir)}
}

func storeError(dir string, err error) error {
	switch {
	case errors.Is(err, vfs.ErrLocked):
		return &exitError{exitUnavailable, fmt.Errorf("the node of %s is running; stop it first", dir)}
	case errors.Is(err, store.ErrDamaged), errors.Is(err, store.ErrCorrupt):
		return &exitError{exitData, err}
	case os.IsNotExist(err):
		return &exitError{exitNoInput, err}
	}
	return &exitError{exitSoftware, err}
}
