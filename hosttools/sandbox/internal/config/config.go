// Package config reads the settings of gofleet-sandbox.
package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Config is the whole configuration, one JSON file. Paths are absolute.
type Config struct {
	Component string `json:"component"`
	// Go is the go command that jobs and canary builds use.
	Go string `json:"go"`
	// Group is the group of all slots.
	Group string `json:"group"`
	// State survives a reboot; Runtime does not.
	State   string `json:"state"`
	Runtime string `json:"runtime"`
	// PauseMark is present while no new job may begin.
	PauseMark string `json:"pauseMark"`
	// JobLock is held for reading by a job while it runs, for writing by what reclaims.
	JobLock string  `json:"jobLock"`
	Metrics string  `json:"metrics"`
	Slots   []Slot  `json:"slots"`
	Cache   Cache   `json:"cache"`
	Modules Modules `json:"modules"`
	Watch   Watch   `json:"watch"`
	Egress  Egress  `json:"egress"`
	// Before and After are commands around each job, run as the slot's user in its workspace.
	Before []string `json:"before"`
	After  []string `json:"after"`
	// Inputs are directories that every job sees, read-only, as <workspace>/inputs/<name>.
	Inputs []Input `json:"inputs"`
	Job    Job     `json:"job"`
	// Agent is what a forge must know of the slots' agents; nil: they are no forge's.
	Agent *Agent `json:"agent,omitempty"`
}

// Input is a directory of the host and its name among a job's inputs.
type Input struct {
	From string `json:"from"`
	Name string `json:"name"`
}

// Job says how long the steps around a job may take. 0 is the default of each.
type Job struct {
	// PauseWaitSeconds is how long a slot waits for a pause to end before its unit gives up and begins again; 60.
	PauseWaitSeconds int64 `json:"pauseWaitSeconds"`
	// DeleteSeconds is how long one attempt to delete a workspace may take; 300.
	DeleteSeconds int64 `json:"deleteSeconds"`
	// DrainSignal makes the agent take no further job and end after the one it has, such as "SIGTERM"; empty: it has none,
	// and whoever drains waits until the job ends.
	DrainSignal string `json:"drainSignal"`
	// WorkspaceBytes is the room of one file system in memory for a job's workspace and for what it writes over the shared
	// module cache; 0: both are on the disk, without a bound.
	WorkspaceBytes int64 `json:"workspaceBytes"`
}

// Slot is one place where a job runs.
type Slot struct {
	Number    int    `json:"number"`
	User      string `json:"user"`
	Unit      string `json:"unit"`
	Workspace string `json:"workspace"`
	// BuildCache is GOCACHE, Modules is GOMODCACHE as the slot's jobs see them.
	BuildCache string `json:"buildCache"`
	Modules    string `json:"modules"`
}

// Cache is the build cache.
type Cache struct {
	// Kind is "tmpfs" or "disk".
	Kind string `json:"kind"`
	// Shared is the one cache of scope "shared", or what jobs with Discard read; empty where each slot has its own.
	Shared string `json:"shared"`
	// Discard: a job's writes go with the job; into a layer over the shared cache, if there is one.
	Discard bool `json:"discard"`
	// MaxBytes is the budget of each cache.
	MaxBytes      int64 `json:"maxBytes"`
	MaxAgeSeconds int64 `json:"maxAgeSeconds"`
	// Persist is where caches in memory are kept over a reboot; empty: they are not.
	Persist string `json:"persist"`
	// Program is a GOCACHEPROG that jobs also build from; empty: none.
	Program []string `json:"program"`
	// ProgramWrites: it also gets what jobs build.
	ProgramWrites bool `json:"programWrites"`
}

// Modules is the shared module cache.
type Modules struct {
	Shared string `json:"shared"`
	User   string `json:"user"`
	// MaxBytes is its budget; 0: none of its own.
	MaxBytes int64 `json:"maxBytes"`
	// Environment is what the go command of jobs and of the module user is told besides its own go.env, such as GOPROXY.
	Environment map[string]string `json:"environment"`
}

// Watch says when the host is too full. Percents are of bytes and, separately, of inodes of each file system.
type Watch struct {
	// Paths whose file systems are watched.
	Paths          []string `json:"paths"`
	PausePercent   int      `json:"pausePercent"`
	ReclaimPercent int      `json:"reclaimPercent"`
	// LowPercent ends a pause and is what reclaiming aims at.
	LowPercent int `json:"lowPercent"`
	// WaitSeconds is how long reclaiming waits for running jobs; 0: 600.
	WaitSeconds int64 `json:"waitSeconds"`
	// Toolchains are folders with unpacked Go releases, /usr/local/lib/gofleet/<component>; what no release of that
	// component names may go.
	Toolchains []string `json:"toolchains"`
	// Containers are commands that prune a container cache; run last.
	Containers [][]string `json:"containers"`
}

// Egress says what jobs may reach.
type Egress struct {
	// Table is the nftables table, of family inet. It holds the sets names4 and modules4 (`type ipv4_addr . inet_service`),
	// names6 and modules6 (`type ipv6_addr . inet_service`), all with `flags timeout`.
	Table string `json:"table"`
	// Hosts by name are looked up again and again; addresses are in the rules themselves.
	Hosts []EgressHost `json:"hosts"`
	// TTLSeconds is how long an address stays after it was last seen.
	TTLSeconds int64 `json:"ttlSeconds"`
}

// EgressHost is a name that jobs may reach, and its TCP ports.
type EgressHost struct {
	Name  string `json:"name"`
	Ports []int  `json:"ports"`
	// Modules: the module user may reach it, too.
	Modules bool `json:"modules"`
}

// Read reads and checks a configuration file.
func Read(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var c Config
	if err := decoder.Decode(&c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &c, nil
}

func (c *Config) check() error {
	if c.Component == "" || c.Group == "" {
		return errors.New("component and group must be set")
	}
	for name, path := range map[string]string{
		"go": c.Go, "state": c.State, "runtime": c.Runtime, "pauseMark": c.PauseMark, "jobLock": c.JobLock, "metrics": c.Metrics,
	} {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("%s is %q: must be an absolute path", name, path)
		}
	}
	for _, slot := range c.Slots {
		for name, path := range map[string]string{
			"workspace": slot.Workspace, "buildCache": slot.BuildCache, "modules": slot.Modules,
		} {
			if !filepath.IsAbs(path) || filepath.Clean(path) == "/" {
				return fmt.Errorf("slots: %s of slot %d is %q: must be an absolute path below /", name, slot.Number, path)
			}
		}
	}
	if c.Cache.Kind != "tmpfs" && c.Cache.Kind != "disk" {
		return fmt.Errorf(`cache.kind is %q: must be "tmpfs" or "disk"`, c.Cache.Kind)
	}
	if c.Agent != nil {
		if err := c.Agent.check(); err != nil {
			return err
		}
	}
	w := c.Watch
	if w.LowPercent < 1 || w.LowPercent > w.PausePercent || w.PausePercent > w.ReclaimPercent || w.ReclaimPercent > 100 {
		return fmt.Errorf("watch: low %d, pause %d, reclaim %d: must be 1 to 100, in that order", w.LowPercent, w.PausePercent, w.ReclaimPercent)
	}
	return nil
}
