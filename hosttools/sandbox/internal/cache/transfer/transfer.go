// Package transfer copies build caches: to disk before memory is lost, and back. Only what is missing is copied. Each
// output is compared with its name on the way and stored before the actions that name it, so that a copy that ends at
// any moment leaves a cache that can be used.
package transfer

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gofleet/sandbox/internal/cache/gocache"
)

// Options of a copy.
type Options struct {
	// MaxBytes that may be copied, what was used last first; zero: all that there is room for.
	MaxBytes int64
	// User and Group own what is copied, if this is root.
	User, Group int
}

// Report is what was copied.
type Report struct {
	Outputs int   `json:"outputs"`
	Actions int   `json:"actions"`
	Bytes   int64 `json:"bytes"`
	// Present outputs were there already.
	Present int `json:"present"`
	// LeftOut entries had no room; those not used for the longest.
	LeftOut int `json:"leftOut"`
	// Broken outputs are not what their name says: they were not copied.
	Broken []string `json:"broken"`
	// Seconds that the copy took.
	Seconds float64 `json:"seconds"`
}

// ErrNoRoom is that the file system became full. What was copied before can be used.
var ErrNoRoom = errors.New("no room is left")

// Copy copies what `to` lacks. Both inventories are as they were read; `here` is that of `to`.
func Copy(from, to *gocache.Cache, there, here *gocache.Inventory, options Options) (*Report, error) {
	began := time.Now()
	c := &copying{from: from, here: here, report: &Report{Broken: []string{}}}
	writer, err := to.Writer(options.User, options.Group)
	if err != nil {
		return c.report, err
	}
	defer writer.Close()
	c.writer = writer
	room, full, err := c.room(to, options.MaxBytes)
	if err != nil {
		return c.report, err
	}
	c.run(c.choose(itemsOf(there), room))
	if left := c.report.LeftOut; full && left > 0 && c.failed == nil {
		c.failed = fmt.Errorf("%w in %s: %d entries are left out, those not used for the longest; %s", ErrNoRoom, to.Path, left, advice)
	}
	slices.Sort(c.report.Broken)
	c.report.Seconds = time.Since(began).Seconds()
	return c.report, c.failed
}

type copying struct {
	from   *gocache.Cache
	writer *gocache.Writer
	here   *gocache.Inventory
	lock   sync.Mutex
	report *Report
	failed error
	// noClones: these file systems cannot share blocks between files.
	noClones atomic.Bool
}

// run copies with several workers, for hashing and the file system take turns.
func (c *copying) run(items []*item) {
	var wait sync.WaitGroup
	todo := make(chan *item)
	for range max(2, runtime.GOMAXPROCS(0)) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			buffer := make([]byte, 1<<20)
			for each := range todo {
				c.copied(each, c.copy(each, buffer))
			}
		}()
	}
	for _, each := range items {
		if c.stopped() {
			break
		}
		todo <- each
	}
	close(todo)
	wait.Wait()
}

func (c *copying) stopped() bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.failed != nil
}

// done is what became of an item.
type done struct {
	present, broken bool
	actions         int
	err             error
}

func (c *copying) copy(each *item, buffer []byte) done {
	var d done
	if now := c.here.Outputs[each.output.ID]; now != nil && now.Size == each.output.Size {
		d.present = true
	} else {
		err := c.writer.Output(each.output, c.fill(each.output, buffer))
		d.broken = errors.Is(err, errBroken)
		if err != nil {
			d.err = err
			return d
		}
	}
	for _, action := range each.actions {
		// What is there was added later, or is the same.
		if c.here.Actions[action.ID] != nil && c.here.Actions[action.ID].Added.UnixNano() >= action.Added.UnixNano() {
			continue
		}
		if d.err = c.writer.Action(action); d.err != nil {
			return d
		}
		d.actions++
	}
	return d
}

func (c *copying) copied(each *item, d done) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.report.Actions += d.actions
	switch {
	case d.broken:
		c.report.Broken = append(c.report.Broken, each.output.Path)
	case d.err != nil && c.failed == nil:
		c.failed = clear(d.err)
	case d.err != nil:
	case d.present:
		c.report.Present++
	default:
		c.report.Outputs++
		c.report.Bytes += each.output.Size
	}
}

const advice = "make the file system larger or the cache's budget smaller"

// clear says what a full disk means.
func clear(err error) error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		if errors.Is(err, full) {
			return fmt.Errorf("%w: %w; what was copied so far can be used; %s", ErrNoRoom, err, advice)
		}
	}
	return err
}
