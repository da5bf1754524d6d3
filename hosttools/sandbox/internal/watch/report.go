package watch

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/files"
	"gofleet/sandbox/internal/metrics"
	"gofleet/sandbox/internal/modules"
	"gofleet/sandbox/internal/usage"
)

// Report is what one look found and did; the last one is <state>/watch.json.
type Report struct {
	// Time in Unix seconds.
	Time        int64        `json:"time"`
	FileSystems []FileSystem `json:"fileSystems"`
	// Paused says who wants no new job and why; empty: nobody.
	Paused      string `json:"paused"`
	Steps       []Step `json:"steps"`
	FreedBytes  int64  `json:"freedBytes"`
	FreedInodes int64  `json:"freedInodes"`
	// Alarm: above a mark, and nothing was freed.
	Alarm string `json:"alarm"`
	// TotalBytes were freed since the sandbox is there.
	TotalBytes int64 `json:"totalFreedBytes"`
	// TrimTime is when jobs were last held up because the shared module cache had reached its budget, in Unix seconds.
	TrimTime int64 `json:"trimTime"`

	before *Report
}

// Step is one thing that was emptied.
type Step struct {
	Name        string `json:"name"`
	Path        string `json:"path"`
	FreedBytes  int64  `json:"freedBytes"`
	FreedInodes int64  `json:"freedInodes"`
	Says        string `json:"says,omitempty"`
	Error       string `json:"error,omitempty"`
}

// add notes a step and what its file system has more of now.
func (r *Report) add(each step, before FileSystem, says string, failed error) {
	done := Step{Name: each.name, Path: each.path, Says: says}
	if failed != nil {
		done.Error = failed.Error()
	}
	if after, err := usage.Of(before.Path); err == nil {
		done.FreedBytes = max(0, before.UsedBytes-after.UsedBytes)
		done.FreedInodes = max(0, before.UsedInodes-after.UsedInodes)
	}
	r.Steps = append(r.Steps, done)
	r.FreedBytes += done.FreedBytes
	r.FreedInodes += done.FreedInodes
}

func (r *Report) steps() string {
	var parts []string
	for _, each := range r.Steps {
		text := fmt.Sprintf("%s of %s %d bytes", each.Name, each.Path, each.FreedBytes)
		if each.Says != "" {
			text += " (" + each.Says + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// reportPath is where the last report is.
func reportPath(c *config.Config) string { return filepath.Join(c.State, "watch.json") }

func (r *Report) write(c *config.Config) error {
	path := reportPath(c)
	r.TotalBytes = r.before.TotalBytes + r.FreedBytes
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	// On a full disk neither can be written; each says so by itself.
	return errors.Join(files.Replace(path, append(text, '\n'), 0o644), metrics.Write(c, "watch", r.metrics(c)))
}

func (r *Report) metrics(c *config.Config) *metrics.Section {
	s := metrics.Of(c)
	s.Gauge("gofleet_sandbox_filesystem_used_ratio", "The fuller of bytes and inodes; 1 is full.")
	for _, each := range r.FileSystems {
		s.Value("gofleet_sandbox_filesystem_used_ratio", each.Percent/100, "path", each.Path)
	}
	gauge := func(name, help string, value float64) {
		s.Gauge(name, help)
		s.Value(name, value)
	}
	gauge("gofleet_sandbox_pause_ratio", "Use at which no new job begins.", float64(c.Watch.PausePercent)/100)
	gauge("gofleet_sandbox_reclaim_ratio", "Use at which caches are emptied.", float64(c.Watch.ReclaimPercent)/100)
	gauge("gofleet_sandbox_full", "1 while a file system is at or above the pause mark.", metrics.Truth(len(over(r.FileSystems, c.Watch.PausePercent)) > 0))
	gauge("gofleet_sandbox_paused", "1 while no new job begins, for whatever reason.", metrics.Truth(r.Paused != ""))
	gauge("gofleet_sandbox_reclaim_stuck", "1 while above a mark and nothing could be freed.", metrics.Truth(r.Alarm != ""))
	gauge("gofleet_sandbox_modules_full", "1 while the shared module cache is at its budget and gets no more versions.", metrics.Truth(modules.Full(c.Modules.Shared)))
	gauge("gofleet_sandbox_watch_last_run_timestamp_seconds", "When file systems were last looked at.", float64(r.Time))
	s.Counter("gofleet_sandbox_reclaimed_bytes_total", "Bytes freed because a file system was too full.")
	s.Value("gofleet_sandbox_reclaimed_bytes_total", float64(r.TotalBytes))
	return s
}

// last reads the report of the last look; without one, or with a damaged one, it is empty.
func last(path string) Report {
	var r Report
	if text, err := os.ReadFile(path); err != nil || json.Unmarshal(text, &r) != nil {
		return Report{}
	}
	return r
}
