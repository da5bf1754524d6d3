// Package prune keeps a build cache within its age and its budget.
package prune

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"gofleet/sandbox/internal/cache/gocache"
)

// Options of a pass.
type Options struct {
	// MaxAge of what was not used since; zero: any.
	MaxAge time.Duration
	// MaxBytes that the cache may occupy; zero: any.
	MaxBytes int64
	// MaxFiles that it may have, without directories; zero: any.
	MaxFiles int64
	// Grace spares what was used this recently. The go command notes a use at most once an hour, so that it must be longer
	// than an hour and a build; zero, if no go command uses the cache.
	Grace time.Duration
	// Foreign: nobody else keeps files in the directory; what is not the go command's may go.
	Foreign bool
	Now     time.Time
}

// Report is what a pass did.
type Report struct {
	// Removed entries: an output with its actions is one.
	Removed int   `json:"removed"`
	Freed   int64 `json:"freedBytes"`
	// Left is how many bytes the cache occupies now.
	Left int64 `json:"leftBytes"`
	// Clamped files were from the future, and are now as if used now: else they would never grow old.
	Clamped int `json:"fromTheFuture"`
	// Over: it is still over its budget, since nothing more may go.
	Over bool `json:"overBudget"`
}

// future is how far ahead a file's time may be; it is less than that at which the go command stops to set it.
const future = 5 * time.Minute

// entry is what goes together.
type entry struct {
	// files in the order in which they go: actions before their output.
	files []*gocache.File
	used  int64
	bytes int64
	// orphan entries are of no use to a go command.
	orphan bool
	// last entries go only for the budget, and after all others: they cannot be made anew.
	last bool
}

// Pass removes what is too old, then what was not used for the longest, down to the budget. What it removes is taken
// out of the inventory, too.
func Pass(c *gocache.Cache, inventory *gocache.Inventory, options Options) (*Report, error) {
	report := &Report{}
	entries := entriesOf(inventory, options.Foreign)
	var failed []error
	latest := options.Now.Add(future).UnixNano()
	for _, each := range entries {
		for _, file := range each.files {
			if file.Modified <= latest {
				each.used = max(each.used, file.Modified)
				continue
			}
			report.Clamped++
			each.used = options.Now.UnixNano()
			if err := c.SetModified(file.Path, options.Now); err != nil {
				failed = append(failed, err)
				each.used = 0
			}
		}
	}
	report.Left = inventory.Occupied()
	files := inventory.Files()
	gone := map[string]bool{}
	slices.SortFunc(entries, func(a, b *entry) int {
		return cmp.Or(rank(a)-rank(b), cmp.Compare(a.used, b.used), strings.Compare(a.files[0].Path, b.files[0].Path))
	})
	for _, each := range entries {
		age := time.Duration(options.Now.UnixNano() - each.used)
		tooOld := options.MaxAge > 0 && age > options.MaxAge && !each.last
		tooMuch := options.MaxBytes > 0 && report.Left > options.MaxBytes || options.MaxFiles > 0 && files > options.MaxFiles
		if age < options.Grace || !tooOld && !tooMuch && !each.orphan {
			continue
		}
		if err := remove(c, each); err != nil {
			failed = append(failed, err)
			continue
		}
		for _, file := range each.files {
			gone[file.Path] = true
		}
		report.Removed++
		report.Freed += each.bytes
		report.Left -= each.bytes
		files -= int64(len(each.files))
	}
	forget(inventory, gone)
	report.Over = options.MaxBytes > 0 && report.Left > options.MaxBytes
	return report, errors.Join(failed...)
}

func rank(e *entry) int {
	switch {
	case e.orphan:
		return 0
	case e.last:
		return 2
	}
	return 1
}

func entriesOf(inventory *gocache.Inventory, foreign bool) []*entry {
	var entries []*entry
	byOutput := map[string]*entry{}
	for _, action := range inventory.Actions {
		each := byOutput[action.Output]
		if each == nil {
			each = &entry{orphan: true}
			byOutput[action.Output] = each
			entries = append(entries, each)
		}
		each.add(&action.File)
	}
	for id, output := range inventory.Outputs {
		each := byOutput[id]
		if each == nil {
			each = &entry{orphan: true}
			entries = append(entries, each)
		} else {
			each.orphan = false
		}
		each.add(&output.File)
	}
	useless := slices.Clone(inventory.Strays)
	if foreign {
		useless = append(useless, inventory.Foreign...)
	}
	for _, file := range useless {
		each := &entry{orphan: true}
		each.add(file)
		entries = append(entries, each)
	}
	for _, file := range inventory.Fuzz {
		each := &entry{last: true}
		each.add(file)
		entries = append(entries, each)
	}
	return entries
}

func (e *entry) add(file *gocache.File) {
	e.files = append(e.files, file)
	e.bytes += file.Occupied
}

func remove(c *gocache.Cache, each *entry) error {
	for _, file := range each.files {
		if err := c.Remove(file.Path); err != nil {
			return err
		}
	}
	return nil
}

func forget(inventory *gocache.Inventory, gone map[string]bool) {
	maps.DeleteFunc(inventory.Actions, func(_ string, each *gocache.Action) bool { return gone[each.Path] })
	maps.DeleteFunc(inventory.Outputs, func(_ string, each *gocache.Output) bool { return gone[each.Path] })
	for _, files := range []*[]*gocache.File{&inventory.Strays, &inventory.Foreign, &inventory.Fuzz} {
		*files = slices.DeleteFunc(*files, func(each *gocache.File) bool { return gone[each.Path] })
	}
}
