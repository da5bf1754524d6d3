// Package config reads the settings of gofleet-store.
package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Config is the whole configuration, one JSON file.
type Config struct {
	// Store is Athens' disk storage root.
	Store string `json:"store"`
	// State holds what is remembered between runs; survives a reboot.
	State string `json:"state"`
	// Runtime holds marks that mean nothing after a reboot.
	Runtime string `json:"runtime"`
	// Offline is true where nothing that is removed could be fetched again.
	Offline bool    `json:"offline"`
	Watch   Watch   `json:"watch"`
	Repair  Repair  `json:"repair"`
	GC      GC      `json:"gc"`
	Athens  Athens  `json:"athens"`
	Front   Front   `json:"front"`
	Metrics Metrics `json:"metrics"`
}

// Watch says when the store is too full.
type Watch struct {
	// MaxBytes is the store's budget; 0 is what the file system has.
	MaxBytes            int64  `json:"maxBytes"`
	AlertPercent        int    `json:"alertPercent"`
	ReadOnlyPercent     int    `json:"readOnlyPercent"`
	ReadOnlyEnvironment string `json:"readOnlyEnvironment"`
	ReadOnlyFlag        string `json:"readOnlyFlag"`
}

// Repair says how often versions are looked at.
type Repair struct {
	EverySeconds         int64 `json:"everySeconds"`
	ReadAllWithinSeconds int64 `json:"readAllWithinSeconds"`
	// GraceSeconds is how long an unfinished version may be without a change until nobody is writing it any more.
	GraceSeconds int64 `json:"graceSeconds"`
	// Generation is an nginx include that changes after a repair; empty: there is no front.
	Generation string `json:"generation"`
}

// GC says what may be collected.
type GC struct {
	UnusedForSeconds     int64 `json:"unusedForSeconds"`
	KeepNewerThanSeconds int64 `json:"keepNewerThanSeconds"`
	// Keep holds patterns of module path prefixes, as in GOPRIVATE.
	Keep []string `json:"keep"`
}

// Athens is the proxy that owns the store.
type Athens struct {
	Socket string `json:"socket"`
	// PatienceSeconds is how long `ready` waits for an answer; Athens may just be starting.
	PatienceSeconds int64 `json:"patienceSeconds"`
	// Restart is run as root after the store became read-only or writable.
	Restart []string `json:"restart"`
}

// Front is the nginx before it.
type Front struct {
	Certificate string `json:"certificate"`
	// Reload is run as root after a repair.
	Reload []string `json:"reload"`
}

// Metrics says where Prometheus' text goes and which other mirrors it covers.
type Metrics struct {
	File  string `json:"file"`
	Tiers []Tier `json:"tiers"`
}

// Tier is another mirror; URL answers 200 while it is well.
type Tier struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// Read reads and checks a configuration file.
func Read(path string) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &Config{Repair: Repair{GraceSeconds: 120}, Athens: Athens{PatienceSeconds: 30}}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func (c *Config) check() error {
	for name, path := range map[string]string{"store": c.Store, "state": c.State, "runtime": c.Runtime} {
		if !filepath.IsAbs(path) || filepath.Clean(path) != path || path == "/" {
			return fmt.Errorf("%s: given %q, wanted an absolute path", name, path)
		}
	}
	low, high := c.Watch.AlertPercent, c.Watch.ReadOnlyPercent
	if low < 1 || high > 100 || low >= high {
		return fmt.Errorf("watch: given %d and %d, wanted 1 <= alertPercent < readOnlyPercent <= 100", low, high)
	}
	if c.Watch.ReadOnlyEnvironment == "" || c.Watch.ReadOnlyFlag == "" {
		return errors.New("watch: readOnlyEnvironment and readOnlyFlag are missing")
	}
	if c.Repair.ReadAllWithinSeconds <= 0 || c.Repair.EverySeconds <= 0 {
		return errors.New("repair: everySeconds and readAllWithinSeconds must be above 0")
	}
	return nil
}

// Seconds makes a duration of a number of the configuration.
func Seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// Private is the directory in the store that is not Athens'.
func (c *Config) Private() string { return filepath.Join(c.Store, ".gofleet") }

// Trash holds what is being deleted; on the store's file system, so that a rename takes a version out of use at once.
func (c *Config) Trash() string { return filepath.Join(c.Private(), "trash") }

// Staging holds what is being imported, on the store's file system for the same reason.
func (c *Config) Staging() string { return filepath.Join(c.Private(), "import") }

// ModFiles holds the go.mod files of versions that have nothing else, named as on the wire. In Athens' own layout they
// would look like versions that were cut off while they were written.
func (c *Config) ModFiles() string { return filepath.Join(c.Private(), "mod") }
