package main

import (
	"encoding/json"
	"flag"
	"os"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/denials"
)

func init() {
	commands = append(commands, command{
		"denials", "", "as root: say what AppArmor denied jobs and canary builds, or would deny in enforce mode", declareDenials, nil,
	})
}

func declareDenials(flags *flag.FlagSet) run {
	path := flags.String("config", "", "the settings `file`")
	since := flags.Duration("since", 24*time.Hour, "how far to look back, a `duration`")
	log := flags.String("log", "", "read this `file` instead of the host's logs: auditd's, or what dmesg prints")
	asJSON := flags.Bool("json", false, "as JSON")
	record := flags.Bool("record", false, "only count what came since the last time, for the metrics")
	return func([]string) error {
		c, err := config.Read(*path)
		if err != nil {
			return err
		}
		if *record {
			return denials.Record(c)
		}
		events, err := readDenials(*log, *since)
		if err != nil {
			return err
		}
		report := denials.Summarise(denials.Of(c, events))
		if *asJSON {
			return json.NewEncoder(os.Stdout).Encode(report)
		}
		return report.WriteText(os.Stdout)
	}
}

func readDenials(log string, since time.Duration) ([]denials.Event, error) {
	if log == "" {
		return denials.FromHost(denials.Mark{Time: time.Now().Add(-since)})
	}
	file, err := os.Open(log)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return denials.FromLines(file)
}
