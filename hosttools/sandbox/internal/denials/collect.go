package denials

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/files"
	"gofleet/sandbox/internal/metrics"
)

// Of keeps the events of a sandbox's own profiles and of their children: those of slots, and of canary builds.
func Of(c *config.Config, events []Event) []Event {
	return within(c, events, "", "canary")
}

// within keeps the events of profiles whose names are those of slots with one of these before the number.
func within(c *config.Config, events []Event, kinds ...string) []Event {
	var own []Event
	for _, event := range events {
		profile, _, _ := strings.Cut(event.Profile, "//")
		if slices.ContainsFunc(c.Slots, func(s config.Slot) bool {
			return slices.ContainsFunc(kinds, func(kind string) bool {
				return profile == fmt.Sprintf("gofleet-%s-%s%d", c.Component, kind, s.Number)
			})
		}) {
			own = append(own, event)
		}
	}
	return own
}

// totals is kept from run to run: what was counted, and up to where.
type totals struct {
	Mark Mark `json:"mark"`
	// Counts by verdict, profile and operation.
	Counts map[string]float64 `json:"counts"`
}

// Record counts what is new in the logs, for the metrics.
func Record(c *config.Config) error {
	path := filepath.Join(c.State, "denials.json")
	kept := totals{Counts: map[string]float64{}}
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: %w; delete it to begin anew", path, err)
	}
	events, err := FromHost(kept.Mark)
	if err != nil {
		return err
	}
	kept.add(c, events)
	if data, err = json.Marshal(kept); err != nil {
		return err
	}
	if err := files.Replace(path, data, 0o644); err != nil {
		return err
	}
	return metrics.Write(c, "denials", kept.section(c))
}

func (t *totals) add(c *config.Config, events []Event) {
	if len(events) > 0 {
		last := events[len(events)-1]
		t.Mark = Mark{last.Time, last.Serial}
	}
	// What a canary build may not do is no job's doing.
	for _, event := range within(c, events, "") {
		verdict := "allowed"
		if event.Denied {
			verdict = "denied"
		}
		t.Counts[strings.Join([]string{verdict, event.Profile, event.Operation}, " ")]++
	}
}

func (t *totals) section(c *config.Config) *metrics.Section {
	const name = "gofleet_sandbox_apparmor_events_total"
	s := metrics.Of(c)
	s.Counter(name, "What AppArmor denied, or in complain mode only noted.")
	for _, key := range slices.SortedFunc(maps.Keys(t.Counts), cmp.Compare) {
		words := strings.SplitN(key, " ", 3)
		s.Value(name, t.Counts[key], "verdict", words[0], "profile", words[1], "operation", words[2])
	}
	return s
}
