package main

import (
	"errors"
	"flag"
	"os"
	"strconv"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/forge"
	"gofleet/sandbox/internal/job"
	"gofleet/sandbox/internal/modules"
	"gofleet/sandbox/internal/mount"
)

const (
	// exitPaused of `prepare` and `drain`: not now, but later; EX_TEMPFAIL of sysexits.h.
	exitPaused = 75
	// exitBefore of `run`: the command before the job failed; EX_UNAVAILABLE of sysexits.h. `deregister` gets it of systemd.
	exitBefore = 69
)

func init() {
	commands = append(commands,
		command{"prepare", "", "as root, before a job: wait while paused, then make its workspace and caches", slotCommand(inHost(job.Prepare)), []code{
			{exitPaused, "no new job may begin, and the time to wait for that is over"},
		}},
		command{"register", "", "as root, before a job: make the slot's agent known to its forge", slotCommand(forge.Register), nil},
		command{"run", "[COMMAND...]", "as the slot's user: run a job's command, or the registered agent, with the job's environment", declareRun, []code{
			{exitBefore, "the command before the job failed, and the job's own did not run"},
			{exitPaused, "a pause came meanwhile; any other code is the one of the job's command, 128 and the signal's number where one ended it"},
		}},
		command{"leave", "", "as root, before a slot is stopped: have the forge give its agent no job, and wait for the one it has", slotCommand(forge.Leave), nil},
		command{"deregister", "", "as root, after a job: make the slot's agent unknown to its forge", slotCommand(func(c *config.Config, s *config.Slot) error {
			return forge.End(c, s, os.Getenv("EXIT_STATUS") == strconv.Itoa(exitBefore))
		}), nil},
		command{"finish", "", "as root, after a job: note the modules it downloaded, clear the slot", slotCommand(inHost(job.Finish)), nil},
		command{"attend", "", "as root, all the time: let no agent take a second job where its forge would give it one", configCommand(forge.Attend), nil},
		command{"modules", "", "as the module user: fetch what jobs have downloaded into the shared module cache", configCommand(modules.Fetch), nil},
	)
}

// inHost does something to a slot among the host's mounts, where the next command of its unit finds it.
func inHost(do func(*config.Config, *config.Slot) error) func(*config.Config, *config.Slot) error {
	return func(c *config.Config, s *config.Slot) error {
		return mount.InHost(func() error { return do(c, s) })
	}
}

// configCommand is a command with the flag -config.
func configCommand(do func(*config.Config) error) func(*flag.FlagSet) run {
	return func(flags *flag.FlagSet) run {
		path := flags.String("config", "", "the settings `file`")
		return func([]string) error {
			c, err := config.Read(*path)
			if err != nil {
				return err
			}
			return do(c)
		}
	}
}

// slotCommand is a command with the flags -config and -slot.
func slotCommand(do func(*config.Config, *config.Slot) error) func(*flag.FlagSet) run {
	return func(flags *flag.FlagSet) run {
		read := slotFlags(flags)
		return func([]string) error {
			c, s, err := read()
			if err != nil {
				return err
			}
			return ended(do(c, s))
		}
	}
}

func declareRun(flags *flag.FlagSet) run {
	read := slotFlags(flags)
	return func(command []string) error {
		c, s, err := read()
		if err != nil {
			return err
		}
		return ended(job.Run(c, s, command))
	}
}

func slotFlags(flags *flag.FlagSet) func() (*config.Config, *config.Slot, error) {
	path := flags.String("config", "", "the settings `file`")
	number := flags.Int("slot", 0, "the slot's `number`, from 1")
	return func() (*config.Config, *config.Slot, error) {
		c, err := config.Read(*path)
		if err != nil {
			return nil, nil, err
		}
		s, err := c.Slot(*number)
		return c, s, err
	}
}

// ended turns what a job ended with into exit codes.
func ended(err error) error {
	var code job.ExitCode
	switch {
	case errors.Is(err, job.ErrBefore):
		return &exitError{exitBefore, err}
	case errors.As(err, &code):
		return &exitError{int(code), err}
	case errors.Is(err, job.ErrPaused):
		return &exitError{exitPaused, err}
	}
	return err
}
