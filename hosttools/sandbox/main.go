// Command gofleet-sandbox keeps the slots of a build sandbox: their workspaces, caches, limits and network. Called
// gofleet-cache, it is the part that keeps Go build caches.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gofleet/sandbox/internal/keyring"
)

// A command declares its flags, then is run with the arguments that are no flags.
type command struct {
	name, arguments, does string
	declare               func(*flag.FlagSet) run
	// codes are exit codes besides those of every command, or that mean something else here.
	codes []code
}

type run func(arguments []string) error

// commands of gofleet-sandbox, besides `cache`.
var commands []command

func main() {
	keyring.Main()
	err := dispatch(filepath.Base(os.Args[0]), os.Args[1:])
	var coded *exitError
	var usage usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitUsage)
	case errors.As(err, &coded):
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(coded.code)
	default:
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
}

// exitError ends the program with a code of its own.
type exitError struct {
	code int
	error
}

func (e *exitError) Unwrap() error { return e.error }

type usageError struct{ error }

func dispatch(program string, args []string) error {
	if program == "gofleet-cache" {
		return choose(program, cacheCommands, args)
	}
	if len(args) > 0 && args[0] == "cache" {
		return choose("gofleet-sandbox cache", cacheCommands, args[1:])
	}
	return choose("gofleet-sandbox", append(commands, command{
		name: "cache", arguments: "COMMAND ...", does: "keep Go build caches; also as gofleet-cache",
	}), args)
}

func choose(program string, table []command, args []string) error {
	if len(args) > 0 {
		for _, each := range table {
			if each.name == args[0] {
				return each.start(program, args[1:])
			}
		}
	}
	var lines strings.Builder
	for _, each := range table {
		fmt.Fprintf(&lines, "\n  %-28s %s", strings.TrimSpace(each.name+" "+each.arguments), each.does)
	}
	return usageError{fmt.Errorf("usage: %s COMMAND ...\n%s\n\nCOMMAND -h lists its flags.", program, lines.String())}
}

// start runs the command. The words of `arguments` say how many there must be: one in [ ] may be left out, one that ends
// in ... may be repeated.
func (each command) start(program string, args []string) error {
	flags := flag.NewFlagSet(program+" "+each.name, flag.ContinueOnError)
	run := each.declare(flags)
	withCodes(flags, each)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	wanted := strings.Fields(each.arguments)
	least, most := len(wanted), len(wanted)
	if last := len(wanted) - 1; last >= 0 {
		if strings.HasPrefix(wanted[last], "[") {
			least--
		}
		if strings.Contains(wanted[last], "...") {
			most = len(args)
		}
	}
	if flags.NArg() < least || flags.NArg() > most {
		return usageError{fmt.Errorf("usage: %s %s [FLAGS] %s\nCOMMAND -h lists its flags.", program, each.name, each.arguments)}
	}
	return run(flags.Args())
}
