package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gofleet/sandbox/internal/cache/gocache"
	"gofleet/sandbox/internal/cache/prune"
	"gofleet/sandbox/internal/cache/reuse"
	"gofleet/sandbox/internal/cache/testresults"
	"gofleet/sandbox/internal/cache/verify"
)

// Errors that have exit codes of their own.
var (
	// ErrNotStoring is that a go command would store nothing.
	ErrNotStoring = errors.New("the cache stores nothing")
	// ErrOverBudget is that nothing more may be removed.
	ErrOverBudget = errors.New("over its budget")
	// ErrBroken is that damaged files were found.
	ErrBroken = errors.New("damaged")
)

// ScanOptions of a scan.
type ScanOptions struct {
	// All reads every output, whatever is remembered.
	All bool
	// Reread also reads what was read longer ago; zero: not because of its age.
	Reread time.Duration
	// Keep removes nothing.
	Keep bool
	// For limits the time in which outputs are read; zero: however long it takes.
	For time.Duration
}

// Scan finds what is damaged and removes it.
func (k *Keeper) Scan(options ScanOptions) (*Report, error) {
	return k.remembering(func(known verify.Known) (*Report, error) {
		return k.use(func(c *gocache.Cache, inventory *gocache.Inventory, report *Report) error {
			return k.scan(c, inventory, report, known, options)
		})
	})
}

// remembering reads and writes what is known with the rights of whoever runs this: the cache's owner must not.
func (k *Keeper) remembering(do func(verify.Known) (*Report, error)) (*Report, error) {
	if k.State == "" {
		return do(verify.Known{})
	}
	path := filepath.Join(k.State, "verified")
	known, err := verify.ReadKnown(path)
	if err != nil {
		return nil, err
	}
	report, err := do(known)
	if report == nil {
		return nil, err
	}
	return report, errors.Join(err, known.Write(path))
}

// settle is longer than a go command needs to write one file.
const settle = 10 * time.Minute

func (k *Keeper) scan(c *gocache.Cache, inventory *gocache.Inventory, report *Report, known verify.Known, options ScanOptions) error {
	pass := verify.Options{Keep: options.Keep, All: options.All, Reread: options.Reread, Settle: min(k.Grace, settle), Now: k.Now()}
	if options.For > 0 {
		pass.Until = time.Now().Add(options.For)
	}
	found, err := verify.Pass(c, inventory, known, pass)
	report.Scan = &Scan{Time: k.Now().Unix(), Report: *found}
	report.Totals.Broken += int64(len(found.Broken))
	if !options.Keep {
		err = errors.Join(err, testresults.Repair(c, k.Now()))
	}
	return err
}

// Prune removes what is too old, and then down to the budget.
func (k *Keeper) Prune() (*Report, error) {
	return k.use(k.prune)
}

func (k *Keeper) prune(c *gocache.Cache, inventory *gocache.Inventory, report *Report) error {
	done, err := prune.Pass(c, inventory, prune.Options{
		MaxAge: k.MaxAge, MaxBytes: k.Budget(), MaxFiles: k.MaxFiles, Grace: k.Grace, Foreign: k.Own, Now: k.Now(),
	})
	report.Prune = &Prune{Time: k.Now().Unix(), Report: *done}
	report.Totals.Pruned += int64(done.Removed)
	report.Totals.Freed += done.Freed
	return err
}

// Occupied is how many bytes and files the cache has.
func (k *Keeper) Occupied() (bytes, files int64, err error) {
	_, err = k.use(func(_ *gocache.Cache, inventory *gocache.Inventory, _ *Report) error {
		bytes, files = inventory.Occupied(), inventory.Files()
		return nil
	})
	return bytes, files, err
}

// ExpireTests removes the results of tests; all tests run again.
func (k *Keeper) ExpireTests() (*Report, error) {
	return k.use(func(c *gocache.Cache, inventory *gocache.Inventory, report *Report) error {
		done, err := testresults.Expire(c, inventory, k.Now())
		if done != nil {
			report.Tests = &Tests{Time: k.Now().Unix(), Report: *done}
			report.Totals.Freed += done.Freed
		}
		return err
	})
}

// Mark notes that a job begins; Count measures from there.
func (k *Keeper) Mark() (*Report, error) {
	return k.use(k.mark)
}

func (k *Keeper) mark(c *gocache.Cache, inventory *gocache.Inventory, report *Report) (err error) {
	report.Mark, err = reuse.Mark(c, inventory, k.Now(), k.Shared)
	return err
}

// Count measures what was reused and added since the mark.
func (k *Keeper) Count() (*Report, error) {
	return k.use(k.count)
}

func (k *Keeper) count(_ *gocache.Cache, inventory *gocache.Inventory, report *Report) error {
	if report.Mark > 0 {
		figures := reuse.Since(report.Mark, inventory, k.Now())
		report.Job = &figures
	}
	return nil
}

// probeBytes is more than most entries have, and what a cache that can be used has room for.
const probeBytes = 1 << 20

// Preflight makes a cache ready for a job: it must be writable, is brought below its budget, and as much of it is
// verified as the time allows.
func (k *Keeper) Preflight(within time.Duration) (*Report, error) {
	return k.ready(within, func(*gocache.Cache, *gocache.Inventory, *Report) error { return nil })
}

// Begin is Preflight and Mark: what a slot does before a job.
func (k *Keeper) Begin(within time.Duration) (*Report, error) {
	if err := k.exists(); err != nil {
		return nil, err
	}
	if err := k.forgetOtherLibraries(); err != nil {
		return nil, err
	}
	return k.ready(within, k.mark)
}

func (k *Keeper) ready(within time.Duration, then func(*gocache.Cache, *gocache.Inventory, *Report) error) (*Report, error) {
	if err := k.exists(); err != nil {
		return nil, err
	}
	return k.remembering(func(known verify.Known) (*Report, error) {
		return k.use(func(c *gocache.Cache, inventory *gocache.Inventory, report *Report) error {
			failed := k.prune(c, inventory, report)
			err := c.Probe(probeBytes)
			stores := err == nil
			report.Stores = &stores
			if err != nil {
				return fmt.Errorf("%s: %w: %w; a go command would build everything, each time, and end well; mount it writable, or make room", k.Path, ErrNotStoring, err)
			}
			failed = errors.Join(failed, k.scan(c, inventory, report, known, ScanOptions{For: within}), then(c, inventory, report))
			report.Prune.Over = k.Budget() > 0 && inventory.Occupied() > k.Budget()
			if failed == nil && report.Prune.Over {
				failed = fmt.Errorf("%s: %w: %d bytes, of %d; nothing else may go: the rest was used within %v or is not the go command's", k.Path, ErrOverBudget, inventory.Occupied(), k.Budget(), k.Grace)
			}
			return failed
		})
	})
}

func (k *Keeper) exists() error {
	info, err := os.Stat(k.Path)
	if err == nil && !info.IsDir() {
		err = errors.New("no directory")
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %w; make it, owned by who runs go", k.Path, ErrNotStoring, err)
	}
	return nil
}
