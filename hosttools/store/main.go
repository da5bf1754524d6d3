// Command gofleet-store keeps the store of an Athens module proxy: it finds and removes what must not be served, keeps
// the store within its budget, makes it read-only before the disk is full, says how it is, and imports and exports it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"gofleet/store/internal/config"
	"gofleet/store/internal/ready"
)

// Exit codes besides 0 and 1.
const (
	exitUsage = 2
	// exitReadOnly of `ready`: the mirror serves and stores nothing.
	exitReadOnly = 3
)

type command struct {
	name, arguments, does string
	run                   func(*keeper, []string) error
}

var commands = []command{
	{"run", "", "what the timer does: watch, repair, collect if needed, write metrics", (*keeper).run},
	{"apply", "", "as root: restart Athens and reload the front if a run asked for it", (*keeper).apply},
	{"check", "", "read every version and report those that must not be served", (*keeper).check},
	{"repair", "", "read every version and remove those that must not be served", (*keeper).repair},
	{"gc", "", "remove versions by age and down to the budget", (*keeper).gc},
	{"watch", "", "make the store read-only or writable, by how full it is", (*keeper).watch},
	{"ready", "", "prove that the mirror stores and serves; 3: it only serves", (*keeper).ready},
	{"metrics", "", "write the metrics file", (*keeper).metrics},
	{"import", "SOURCE", "bring in a bundle, a backup or a module cache", (*keeper).importSource},
	{"restore", "FILE", "the same as import", (*keeper).importSource},
	{"export", "FILE [PATTERN...]", "write modules that match a pattern as a bundle", (*keeper).export},
	{"backup", "FILE", "write every complete version as a bundle", (*keeper).export},
	{"forget", "MODULE@VERSION...", "take what upstream serves now for the truth", (*keeper).forget},
}

func main() {
	err := dispatch(os.Args[1:])
	var usage usageError
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitUsage)
	case errors.Is(err, ready.ErrReadOnly):
		fmt.Fprintln(os.Stderr, "gofleet-store:", err)
		os.Exit(exitReadOnly)
	default:
		fmt.Fprintln(os.Stderr, "gofleet-store:", err)
		os.Exit(1)
	}
}

type usageError struct{ error }

func dispatch(args []string) error {
	if len(args) > 0 {
		for _, each := range commands {
			if each.name == args[0] {
				return each.start(args[1:])
			}
		}
	}
	var lines strings.Builder
	for _, each := range commands {
		fmt.Fprintf(&lines, "\n  %-28s %s", strings.TrimSpace(each.name+" "+each.arguments), each.does)
	}
	return usageError{fmt.Errorf("usage: gofleet-store COMMAND -config FILE ...\n%s", lines.String())}
}

func (each command) start(args []string) error {
	flags := flag.NewFlagSet(each.name, flag.ContinueOnError)
	path := flags.String("config", "", "the configuration `file`")
	var sums list
	flags.Var(&sums, "sum", "a go.sum `file` that an import must agree with; may be repeated")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	wanted := strings.Fields(each.arguments)
	many := len(wanted) > 0 && strings.Contains(wanted[len(wanted)-1], "...")
	least := len(wanted)
	if many && strings.HasPrefix(wanted[len(wanted)-1], "[") {
		least--
	}
	if *path == "" || flags.NArg() < least || flags.NArg() > len(wanted) && !many {
		return usageError{fmt.Errorf("usage: gofleet-store %s -config FILE %s", each.name, each.arguments)}
	}
	c, err := config.Read(*path)
	if err != nil {
		return err
	}
	return each.run(&keeper{c: c, sums: sums}, flags.Args())
}

type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}
