package main

import (
	"errors"
	"flag"
	"os"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/drain"
	"gofleet/sandbox/internal/watch"
)

func init() {
	commands = append(commands,
		command{"watch", "", "as root: pause above a mark, empty caches above another; 1: nothing could be freed", configCommand(watch.Watch)},
		command{"drain", "", "as root: let no new job begin, until `resume` or a reboot, and wait for those that run (75: in vain)", declareDrain},
		command{"resume", "", "as root: end a drain", configCommand(drain.Resume)},
		command{"status", "", "say what is paused and which slots have a job, as JSON", configCommand(func(c *config.Config) error {
			return drain.WriteStatus(c, os.Stdout)
		})},
	)
}

func declareDrain(flags *flag.FlagSet) run {
	path := flags.String("config", "", "the settings `file`")
	reason := flags.String("reason", "", "what `text` others read while it lasts")
	wait := flags.Duration("wait", 10*time.Minute, "how long to wait for running jobs, a `duration`")
	return func([]string) error {
		c, err := config.Read(*path)
		if err != nil {
			return err
		}
		if err := drain.Drain(c, *reason, *wait); errors.Is(err, drain.ErrBusy) {
			return &exitError{exitPaused, err}
		} else if err != nil {
			return err
		}
		return nil
	}
}
