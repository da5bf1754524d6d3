package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/signal"
	"syscall"
	"time"

	"gofleet/sandbox/internal/canary"
	"gofleet/sandbox/internal/config"
)

// exitNotTried is the exit code where a canary, or a job check, could not be run at all.
const exitNotTried = 3

func init() {
	commands = append(commands, command{
		"canary", "", "build a small workspace under the directives of a unit, before it is switched on", declareCanary, []code{
			{0, "passed"},
			{1, "a directive is to blame"},
			{exitNotTried, "could not be tried, or fails without the sandbox too"},
		},
	})
}

func declareCanary(flags *flag.FlagSet) run {
	path := flags.String("config", "", "settings `file`")
	unit := flags.String("unit", "", "unit template whose directives are tried, a `file`")
	number := flags.Int("slot", 1, "`number` of the slot whose user and paths are tried")
	limit := flags.Duration("limit", 10*time.Minute, "`time` for everything, the search for a directive to blame included")
	return func([]string) error {
		if *path == "" || *unit == "" {
			return usageError{errors.New("canary: -config and -unit must be given")}
		}
		settings, err := config.Read(*path)
		if err != nil {
			return &exitError{exitNotTried, err}
		}
		slot, err := settings.Slot(*number)
		if err != nil {
			return &exitError{exitNotTried, err}
		}
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		defer stop()
		result, err := canary.Run(ctx, canary.Options{Config: settings, UnitFile: *unit, Slot: slot, Limit: *limit}, os.Stdout)
		switch {
		case err != nil:
			return &exitError{exitNotTried, err}
		case result.Status == canary.Innocent:
			return &exitError{exitNotTried, errors.New("the canary fails without the sandbox")}
		case result.Status != canary.Passed:
			return &exitError{1, errors.New("the canary fails in the sandbox")}
		}
		return nil
	}
}
