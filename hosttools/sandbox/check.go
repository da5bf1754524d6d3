package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"gofleet/sandbox/internal/checks"
)

func init() {
	commands = append(commands, command{
		"check", "NAME...", "look at the Go modules of a source tree; `all` is every check", declareCheck, []code{
			{0, "everything passed"},
			{1, "there are findings"},
			{exitNotTried, "no findings, but a check could not be run: no `govulncheck`, a module that cannot be fetched"},
		},
	})
}

func declareCheck(flags *flag.FlagSet) run {
	asJSON := flags.Bool("json", false, "print JSON: status, and by check its findings, notes, reason and remediation")
	dir := flags.String("dir", ".", "source `tree`, which is only read")
	goCommand := flags.String("go", "go", "go `command`")
	allowed := flags.String("allow-replace", "", "`modules`, separated by commas, that may be replaced by a local path")
	return func(arguments []string) error {
		names, err := namesAndFlags(flags, arguments)
		if err != nil {
			return usageError{err}
		}
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		defer stop()
		options := checks.Options{Dir: *dir, Go: *goCommand, Replace: strings.FieldsFunc(*allowed, func(r rune) bool { return r == ',' })}
		reports, err := checks.Run(ctx, options, names)
		if errors.Is(err, checks.ErrUnknown) {
			return usageError{err}
		}
		if err != nil {
			return &exitError{exitNotTried, err}
		}
		if *asJSON {
			err = checks.PrintJSON(os.Stdout, reports)
		} else {
			checks.Print(os.Stdout, reports)
		}
		if err != nil {
			return &exitError{exitNotTried, err}
		}
		return verdict(reports)
	}
}

// namesAndFlags: flags may follow the names; `all` is every check.
func namesAndFlags(flags *flag.FlagSet, arguments []string) ([]string, error) {
	var names []string
	for len(arguments) > 0 {
		if strings.HasPrefix(arguments[0], "-") {
			if err := flags.Parse(arguments); err != nil {
				return nil, err
			}
			arguments = flags.Args()
			continue
		}
		names = append(names, arguments[0])
		arguments = arguments[1:]
	}
	if len(names) == 1 && names[0] == "all" {
		names = checks.Names()
	}
	return names, nil
}

func verdict(reports []checks.Report) error {
	named := func(status checks.Status) string {
		var names []string
		for _, each := range reports {
			if each.Status == status {
				names = append(names, each.Name)
			}
		}
		return strings.Join(names, ", ")
	}
	switch checks.Worst(reports) {
	case checks.Fail:
		return &exitError{1, fmt.Errorf("findings: %s", named(checks.Fail))}
	case checks.NotRun:
		return &exitError{exitNotTried, fmt.Errorf("not run: %s", named(checks.NotRun))}
	default:
		return nil
	}
}
