package main

import (
	"flag"
	"fmt"
)

// A code is an exit code and what it means. docs/sandbox-checks.md and docs/sandbox-caches.md have them all.
type code struct {
	number int
	means  string
}

// exitUsage is the exit code of a wrong command line.
const exitUsage = 2

// everywhere are the codes of every command; where a command means something else by one, it says so itself.
var everywhere = []code{
	{0, "done"},
	{1, "failed; standard error says why"},
	{exitUsage, "wrong command line"},
}

// codesOf are all exit codes of a command, in order.
func codesOf(c command) []code {
	own := map[int]code{}
	for _, each := range c.codes {
		own[each.number] = each
	}
	var all []code
	for _, each := range everywhere {
		if mine, ok := own[each.number]; ok {
			each = mine
		}
		all = append(all, each)
	}
	for _, each := range c.codes {
		if each.number > exitUsage {
			all = append(all, each)
		}
	}
	return all
}

// withCodes has the help of a command say its exit codes, too.
func withCodes(flags *flag.FlagSet, c command) {
	flags.Usage = func() {
		out := flags.Output()
		fmt.Fprintf(out, "Usage of %s:\n", flags.Name())
		flags.PrintDefaults()
		fmt.Fprintln(out, "Exit codes:")
		for _, each := range codesOf(c) {
			fmt.Fprintf(out, "  %d: %s\n", each.number, each.means)
		}
	}
}
