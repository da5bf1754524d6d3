package job

import (
	"errors"
	"fmt"
	"os"
	"time"

	"gofleet/sandbox/internal/cache"
	"gofleet/sandbox/internal/cache/metrics"
	"gofleet/sandbox/internal/config"
)

// verifying is how long a job waits at most while entries of its build cache are read, or for
// another who works on it.
const verifying = 5 * time.Second

// beginCache makes the slot's build cache ready and notes that a job begins. A cache that is not good must not stop jobs:
// what is wrong with it is printed, in its report and in the metrics.
func beginCache(c *config.Config, s *config.Slot) {
	eachCache(c, s, func(k *cache.Keeper) (*cache.Report, error) { return k.Begin(verifying) })
}

// countCache measures what the job took from the build cache.
func countCache(c *config.Config, s *config.Slot) {
	eachCache(c, s, (*cache.Keeper).Count)
}

// eachCache does something to the cache of a slot, if it has one of its own: a shared one is kept by a timer alone, since
// other slots' jobs use it meanwhile.
func eachCache(c *config.Config, s *config.Slot, do func(*cache.Keeper) (*cache.Report, error)) {
	keepers, err := cache.Of(c, s.Number)
	for _, k := range keepers {
		if k.Shared {
			continue
		}
		k.Grace, k.Wait = 0, verifying
		_, failed := do(k)
		err = errors.Join(err, failed)
	}
	if err = errors.Join(err, metrics.Write(c)); err != nil {
		fmt.Fprintln(os.Stderr, "warning: build cache:", err)
	}
}
