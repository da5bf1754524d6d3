package config

import (
	"fmt"
	"path/filepath"
	"strconv"
	"time"
)

// Slot finds a slot by its number.
func (c *Config) Slot(number int) (*Slot, error) {
	for i := range c.Slots {
		if c.Slots[i].Number == number {
			return &c.Slots[i], nil
		}
	}
	return nil, fmt.Errorf("slot %d is not in the settings, which have %d slots", number, len(c.Slots))
}

// Lock is the slot's own part of the job lock. Each slot has a file that only its user and root may open: whoever may
// open one may also hold it, and a job must not hold up other slots.
func (c *Config) Lock(s *Slot) string { return c.JobLock + "." + strconv.Itoa(s.Number) }

// Busy is present from before a job's workspace is made until after it is gone.
func (c *Config) Busy(s *Slot) string { return c.Lock(s) + ".busy" }

// Layers holds what a job writes above the caches it shares; root's, 0700, on the file system of the module cache.
func (c *Config) Layers(s *Slot) string { return filepath.Join(filepath.Dir(s.Modules), "layers") }

// Wanted holds the names of modules that jobs have downloaded, for the module user, whose directory it is.
func (c *Config) Wanted() string { return filepath.Join(c.State, "wanted") }

// Directories of a workspace.
const (
	Home     = "home"
	Tmp      = "tmp"
	GoTmp    = "gotmp"
	Checkout = "work"
	InputsAt = "inputs"
	// AgentAt is the agent's own: what it was handed and, where it writes beside its program, its view of that.
	AgentAt = "agent"
)

// Or is a number of seconds, or another where it is 0.
func Or(seconds, otherwise int64) time.Duration {
	if seconds == 0 {
		seconds = otherwise
	}
	return time.Duration(seconds) * time.Second
}
