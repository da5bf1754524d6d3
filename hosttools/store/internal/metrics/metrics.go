// Package metrics writes what is known of the store in Prometheus' text format.
package metrics

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"gofleet/store/internal/config"
	"gofleet/store/internal/files"
	"gofleet/store/internal/repair"
	"gofleet/store/internal/state"
	"gofleet/store/internal/watch"
)

// Write replaces the metrics file. See https://prometheus.io/docs/instrumenting/exposition_formats/.
func Write(c *config.Config, s *state.State, u watch.Usage, now time.Time) error {
	if c.Metrics.File == "" {
		return nil
	}
	if err := files.Directory(filepath.Dir(c.Metrics.File), 0o750); err != nil {
		return err
	}
	return files.Replace(c.Metrics.File, Text(c, s, u, now), 0o640)
}

// Text is the content of the metrics file.
func Text(c *config.Config, s *state.State, u watch.Usage, now time.Time) []byte {
	var t text
	percent, _ := u.Percent()
	generation, _ := repair.Generation(c)
	t.gauge("gofleet_store_bytes", "Bytes that the versions in the store occupy.", float64(u.StoreBytes))
	t.gauge("gofleet_store_budget_bytes", "Bytes that the store may occupy; 0: what the file system has.", float64(u.MaxBytes))
	t.gauge("gofleet_store_versions", "Module versions in the store.", float64(s.Versions))
	t.gauge("gofleet_store_usage_ratio", "The fullest of budget, file system bytes and inodes; 1 is full.", percent/100)
	t.gauge("gofleet_store_alert_ratio", "Usage at which versions are collected.", float64(c.Watch.AlertPercent)/100)
	t.gauge("gofleet_store_filesystem_used_bytes", "Used bytes of the store's file system.", float64(u.UsedBytes))
	t.gauge("gofleet_store_filesystem_free_bytes", "Free bytes of the store's file system.", float64(u.FreeBytes))
	t.gauge("gofleet_store_filesystem_used_inodes", "Used inodes of the store's file system.", float64(u.UsedInodes))
	t.gauge("gofleet_store_filesystem_free_inodes", "Free inodes of the store's file system.", float64(u.FreeInodes))
	t.gauge("gofleet_store_read_only", "1 while nothing more is fetched.", truth(watch.ReadOnly(c)))
	t.gauge("gofleet_store_gc_stuck", "1 while the store is too full and nothing may be collected.", truth(s.GCStuck))
	t.gauge("gofleet_store_generation", "Generation of the front's cache.", float64(generation))
	t.gauge("gofleet_store_last_repair_timestamp_seconds", "When every version was last looked at.", float64(s.LastRepair))
	t.gauge("gofleet_store_last_run_timestamp_seconds", "When this file was written.", float64(now.Unix()))
	t.counter("gofleet_store_broken_versions_total", "Versions taken out because they must not be served.", float64(s.Broken))
	t.counter("gofleet_store_collected_versions_total", "Versions collected.", float64(s.Collected))
	t.counter("gofleet_store_collected_bytes_total", "Bytes freed by collecting versions.", float64(s.Freed))
	if first, err := firstToExpire(c.Front.Certificate); err == nil {
		t.gauge("gofleet_mirror_certificate_not_after_timestamp_seconds", "When the first certificate of the served chain to expire does.", float64(first.NotAfter.Unix()))
		t.gauge("gofleet_mirror_certificate_not_before_timestamp_seconds", "Since when that certificate is valid.", float64(first.NotBefore.Unix()))
	}
	if len(c.Metrics.Tiers) > 0 {
		t.head("gofleet_mirror_tier_up", "gauge", "1 while the tier answers.")
		for i, up := range askTiers(c.Metrics.Tiers) {
			t.value(fmt.Sprintf("gofleet_mirror_tier_up{tier=%q}", c.Metrics.Tiers[i].Name), truth(up))
		}
	}
	return t.Bytes()
}

type text struct{ bytes.Buffer }

func (t *text) gauge(name, help string, value float64) {
	t.head(name, "gauge", help)
	t.value(name, value)
}

func (t *text) counter(name, help string, value float64) {
	t.head(name, "counter", help)
	t.value(name, value)
}

func (t *text) head(name, kind, help string) {
	fmt.Fprintf(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (t *text) value(name string, value float64) {
	fmt.Fprintf(t, "%s %s\n", name, strconv.FormatFloat(value, 'f', -1, 64))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// firstToExpire is that certificate of a PEM chain which expires before the others.
func firstToExpire(path string) (*x509.Certificate, error) {
	rest, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var first *x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		if first == nil || certificate.NotAfter.Before(first.NotAfter) {
			first = certificate
		}
	}
	if first == nil {
		return nil, fmt.Errorf("%s: no certificate", path)
	}
	return first, nil
}

// askTiers asks all at once; none may hold up a run for long.
func askTiers(tiers []config.Tier) []bool {
	up := make([]bool, len(tiers))
	client := http.Client{Timeout: 5 * time.Second}
	var wait sync.WaitGroup
	for i, tier := range tiers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			response, err := client.Get(tier.URL)
			if err != nil {
				return
			}
			response.Body.Close()
			up[i] = response.StatusCode == http.StatusOK
		}()
	}
	wait.Wait()
	return up
}
