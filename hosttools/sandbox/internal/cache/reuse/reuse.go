// Package reuse measures how much of a job's work its build cache spared.
//
// The go command sets the time of modification of an action that it uses, unless that is less than an hour old, and
// stores in each action when it was added. So a mark first makes all actions look older than an hour; later, those with
// a time after the mark were used, and those added after it are new. The figure is
//
//	reused / (reused + added)
//
// of distinct actions: one that is looked up twice counts once; one that was added and used again within the job is
// new; one that was looked up and never stored (a compiler error) does not count. In a cache that several jobs use at
// once it is of all of them, and the go command cannot set times of files that another user owns: there it says too
// little, and no mark makes files look older.
package reuse

import (
	"errors"
	"time"

	"gofleet/sandbox/internal/cache/gocache"
)

// hour is that of the go command, and some more.
const hour = time.Hour + time.Minute

// Figures of a job.
type Figures struct {
	// Since is when the mark was made, in Unix nanoseconds.
	Since int64 `json:"since"`
	// Reused actions were there before; Added ones were not.
	Reused int `json:"reused"`
	Added  int `json:"added"`
	// HitRatio is from 0 to 1; null if nothing was built, or the clock went backwards meanwhile.
	HitRatio *float64 `json:"hitRatio"`
}

// Mark makes actions look unused, so that their next use is seen. It returns the mark.
func Mark(c *gocache.Cache, inventory *gocache.Inventory, now time.Time, shared bool) (int64, error) {
	if shared {
		return now.UnixNano(), nil
	}
	before := now.Add(-hour)
	var failed []error
	for _, action := range inventory.Actions {
		if action.Modified <= before.UnixNano() {
			continue
		}
		if err := c.SetModified(action.Path, before); err != nil {
			failed = append(failed, err)
		}
	}
	return now.UnixNano(), errors.Join(failed...)
}

// Since is what was used and added since a mark.
func Since(mark int64, inventory *gocache.Inventory, now time.Time) Figures {
	figures := Figures{Since: mark}
	for _, action := range inventory.Actions {
		switch {
		case action.Broken != nil, action.Added.After(now):
		case action.Added.UnixNano() >= mark:
			figures.Added++
		case action.Modified >= mark:
			figures.Reused++
		}
	}
	if all := figures.Reused + figures.Added; all > 0 && now.UnixNano() > mark {
		ratio := float64(figures.Reused) / float64(all)
		figures.HitRatio = &ratio
	}
	return figures
}
