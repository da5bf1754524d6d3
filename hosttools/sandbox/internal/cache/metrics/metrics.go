// Package metrics writes what is known of a sandbox's build caches in Prometheus' text format.
package metrics

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"gofleet/sandbox/internal/cache"
	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/files"
)

// Write replaces `cache.prom`, beside the sandbox's other metrics, by what the reports of all caches say.
func Write(c *config.Config) error {
	if c.Metrics == "" {
		return nil
	}
	keepers, err := cache.Of(c, 0)
	if err != nil {
		return err
	}
	reports := map[string]*cache.Report{}
	var names []string
	for _, k := range keepers {
		reports[k.Name] = k.Known()
		names = append(names, k.Name)
	}
	directory := filepath.Dir(c.Metrics)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	return files.Replace(filepath.Join(directory, "cache.prom"), Text(c.Component, names, reports), 0o644)
}

// metric is one of each cache; no value, no line.
type metric struct {
	name, kind, help string
	value            func(*cache.Report) (float64, bool)
}

func always(value func(*cache.Report) float64) func(*cache.Report) (float64, bool) {
	return func(r *cache.Report) (float64, bool) { return value(r), true }
}

var all = []metric{
	{"bytes", "gauge", "Bytes that the build cache occupies.", always(func(r *cache.Report) float64 { return float64(r.Occupied) })},
	{"budget_bytes", "gauge", "Bytes that it may occupy; 0: any.", always(func(r *cache.Report) float64 { return float64(r.Budget) })},
	{"actions", "gauge", "Actions in it.", always(func(r *cache.Report) float64 { return float64(r.Actions) })},
	{"outputs", "gauge", "Outputs in it.", always(func(r *cache.Report) float64 { return float64(r.Outputs) })},
	{"failed", "gauge", "1 if the last run of gofleet-cache failed.", always(func(r *cache.Report) float64 { return truth(r.Error != "") })},
	{"last_run_timestamp_seconds", "gauge", "When gofleet-cache last ran.", always(func(r *cache.Report) float64 { return float64(r.Time) })},
	{"stores", "gauge", "1 if the last preflight could store something.", func(r *cache.Report) (float64, bool) {
		return truth(r.Stores != nil && *r.Stores), r.Stores != nil
	}},
	{"over_budget", "gauge", "1 if it is over its budget and nothing more may be removed.", func(r *cache.Report) (float64, bool) {
		return truth(r.Prune != nil && r.Prune.Over), r.Prune != nil
	}},
	{"unread_outputs", "gauge", "Outputs that the last scan had no time to read.", func(r *cache.Report) (float64, bool) {
		if r.Scan == nil {
			return 0, false
		}
		return float64(r.Scan.Unread), true
	}},
	{"job_hit_ratio", "gauge", "Share of the last job's actions that were there before it; of a shared cache, of all jobs' since the last upkeep.", func(r *cache.Report) (float64, bool) {
		if r.Job == nil || r.Job.HitRatio == nil {
			return 0, false
		}
		return *r.Job.HitRatio, true
	}},
	{"persisted_timestamp_seconds", "gauge", "When it was last copied to disk.", func(r *cache.Report) (float64, bool) {
		if r.Persist == nil {
			return 0, false
		}
		return float64(r.Persist.Time), true
	}},
	{"broken_files_total", "counter", "Damaged files found.", always(func(r *cache.Report) float64 { return float64(r.Totals.Broken) })},
	{"pruned_entries_total", "counter", "Entries removed by age or for the budget.", always(func(r *cache.Report) float64 { return float64(r.Totals.Pruned) })},
	{"freed_bytes_total", "counter", "Bytes freed.", always(func(r *cache.Report) float64 { return float64(r.Totals.Freed) })},
}

// Text is the content of the metrics file. See https://prometheus.io/docs/instrumenting/exposition_formats/.
func Text(component string, names []string, reports map[string]*cache.Report) []byte {
	var text bytes.Buffer
	for _, each := range all {
		var lines bytes.Buffer
		for _, name := range names {
			if value, known := each.value(reports[name]); known {
				fmt.Fprintf(&lines, "gofleet_build_cache_%s{component=%q,cache=%q} %s\n", each.name, component, name, strconv.FormatFloat(value, 'f', -1, 64))
			}
		}
		if lines.Len() > 0 {
			fmt.Fprintf(&text, "# HELP gofleet_build_cache_%s %s\n# TYPE gofleet_build_cache_%s %s\n%s", each.name, each.help, each.name, each.kind, &lines)
		}
	}
	return text.Bytes()
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
