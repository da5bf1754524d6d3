package main

import (
	"errors"
	"flag"
	"os"

	"gofleet/sandbox/internal/cacheprog"
)

func init() {
	commands = append(commands, command{
		"cacheprog", "COMMAND...", "as a job's GOCACHEPROG: its own build cache first, then the one that COMMAND serves", declareCacheProg, nil,
	})
}

func declareCacheProg(flags *flag.FlagSet) run {
	cache := flags.String("cache", os.Getenv("GOCACHE"), "the job's own build cache, a `directory`")
	write := flags.Bool("write", false, "COMMAND also gets what is built here")
	return func(command []string) error {
		if *cache == "" {
			return usageError{errors.New("cacheprog: neither -cache nor GOCACHE names a build cache")}
		}
		return cacheprog.Serve(cacheprog.Options{Cache: *cache, Command: command, Write: *write, Stderr: os.Stderr}, os.Stdin, os.Stdout)
	}
}
