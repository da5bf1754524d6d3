// Package watch knows how full the store is and makes it read-only before it is full.
package watch

import (
	"fmt"
	"syscall"
	"time"

	"gofleet/store/internal/config"
	"gofleet/store/internal/state"
)

// fresh is how long a count is as good as the truth: within one run all steps go by the same numbers.
const fresh = 10 * time.Second

// Usage is how full the store and its file system are.
type Usage struct {
	// StoreBytes as of the last look, plus what the file system has taken since: never less than the truth by much.
	StoreBytes int64
	// Growth is the part of StoreBytes that is not the store's for sure.
	Growth   int64
	MaxBytes int64
	// Of the file system, as df has them: what is kept for root is neither used nor free.
	UsedBytes, FreeBytes   int64
	UsedInodes, FreeInodes int64
}

// Measure asks the file system; the store itself was counted by the last pass over it.
func Measure(c *config.Config, s *state.State) (Usage, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(c.Store, &fs); err != nil {
		return Usage{}, fmt.Errorf("%s: %w", c.Store, err)
	}
	u := Usage{
		MaxBytes:   c.Watch.MaxBytes,
		UsedBytes:  int64(fs.Blocks-fs.Bfree) * fs.Bsize,
		FreeBytes:  int64(fs.Bavail) * fs.Bsize,
		UsedInodes: int64(fs.Files - fs.Ffree),
		FreeInodes: int64(fs.Ffree),
	}
	if s.Counted > 0 {
		if time.Since(time.Unix(s.Counted, 0)) > fresh {
			u.Growth = max(0, u.UsedBytes-s.UsedBytes)
		}
		u.StoreBytes = s.StoreBytes + u.Growth
	}
	return u, nil
}

// Percent is the fullest of the three: the budget, the file system's bytes and its inodes; and which one it is.
func (u Usage) Percent() (float64, string) {
	percent, what := share(u.UsedBytes, u.FreeBytes), "of the file system's bytes"
	if inodes := share(u.UsedInodes, u.FreeInodes); inodes > percent {
		percent, what = inodes, "of the file system's inodes"
	}
	if u.MaxBytes > 0 {
		if budget := 100 * float64(u.StoreBytes) / float64(u.MaxBytes); budget > percent {
			percent, what = budget, "of the store's budget"
		}
	}
	return percent, what
}

// Excess is how many bytes and inodes must go until nothing is above that many percent.
func (u Usage) Excess(percent float64) (bytes, inodes int64) {
	over := func(used, all int64) int64 { return used - int64(float64(all)*percent/100) }
	bytes = over(u.UsedBytes, u.UsedBytes+u.FreeBytes)
	if u.MaxBytes > 0 {
		bytes = max(bytes, over(u.StoreBytes, u.MaxBytes))
	}
	if u.UsedInodes+u.FreeInodes > 0 {
		inodes = over(u.UsedInodes, u.UsedInodes+u.FreeInodes)
	}
	return max(0, bytes), max(0, inodes)
}

func share(used, free int64) float64 {
	if used+free == 0 {
		// Some file systems make inodes as they need them.
		return 0
	}
	return 100 * float64(used) / float64(used+free)
}
