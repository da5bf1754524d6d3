// Package metrics writes what is known of a sandbox in Prometheus' text format. Its parts run by themselves; each has a
// section of its own, and the sections together are the one file that is scraped.
package metrics

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/files"
	"gofleet/sandbox/internal/lock"
)

// Section is what one part knows. No two sections may have the same metric.
type Section struct {
	component string
	text      bytes.Buffer
}

// Of begins a section of a sandbox: every sample has its name, for a host may have several.
func Of(c *config.Config) *Section { return &Section{component: c.Component} }

// Gauge begins a metric that goes up and down.
func (s *Section) Gauge(name, help string) { s.head(name, "gauge", help) }

// Counter begins a metric that only goes up.
func (s *Section) Counter(name, help string) { s.head(name, "counter", help) }

func (s *Section) head(name, kind, help string) {
	fmt.Fprintf(&s.text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// Value adds a sample; labels are pairs of a name and a value.
func (s *Section) Value(name string, value float64, labels ...string) {
	fmt.Fprintf(&s.text, "%s{component=%s", name, quote(s.component))
	for i := 0; i+1 < len(labels); i += 2 {
		fmt.Fprintf(&s.text, ",%s=%s", labels[i], quote(labels[i+1]))
	}
	fmt.Fprintf(&s.text, "} %s\n", strconv.FormatFloat(value, 'f', -1, 64))
}

// quote escapes what the format escapes: backslashes, quotes and line breaks.
func quote(text string) string {
	var b bytes.Buffer
	b.WriteByte('"')
	for _, r := range text {
		switch r {
		case '\\', '"':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Truth is 1 or 0.
func Truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Write replaces one section of the metrics file.
func Write(c *config.Config, name string, s *Section) (err error) {
	folder := c.Metrics + ".d"
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	release, err := lock.File(filepath.Join(folder, ".lock"))
	if err != nil {
		return err
	}
	defer release()
	if err := files.Replace(filepath.Join(folder, name+".prom"), s.text.Bytes(), 0o644); err != nil {
		return err
	}
	// By name, so always in the same order.
	sections, err := filepath.Glob(filepath.Join(folder, "*.prom"))
	if err != nil {
		return err
	}
	var all bytes.Buffer
	var failures []error
	for _, each := range sections {
		text, err := os.ReadFile(each)
		failures = append(failures, err)
		all.Write(text)
	}
	return errors.Join(append(failures, files.Replace(c.Metrics, all.Bytes(), 0o644))...)
}
