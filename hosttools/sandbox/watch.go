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
		command{"watch", "", "as root: pause above a mark, empty caches above another", configCommand(watch.Watch), []code{
			{1, "failed, or above a mark nothing could be freed"},
		}},
		command{"drain", "", "as root: let no new job begin, until `resume` or a reboot, and wait for those that run", declareDrain, []code{
			{exitPaused, "jobs still run when the time to wait is over; no other begins"},
		}},
		command{"resume", "", "as root: end a drain", configCommand(drain.Resume), nil},
		command{"status", "", "say what is paused and which slots have a job, as JSON", configCommand(func(c *config.Config) error {
			return drain.WriteStatus(c, os.Stdout)
		}), nil},
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
