package cache

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"gofleet/sandbox/internal/cache/gocache"
	"gofleet/sandbox/internal/cpackages"
	"gofleet/sandbox/internal/remove"
)

// forgetOtherLibraries empties the cache, and its persisted copy, where the host's C packages are not those of before: the
// go command would link what was built with those. Which entries that are nothing tells.
func (k *Keeper) forgetOtherLibraries() error {
	if k.Packages == "" || k.State == "" {
		return nil
	}
	now, err := cpackages.Fingerprint(k.Packages)
	if err != nil || now == k.read().Libraries {
		return err
	}
	_, err = k.locked(func(report *Report) error {
		if report.Libraries != "" {
			fmt.Printf("%s is emptied: the host has other C compilers, headers or libraries than those it was built with\n", k.Path)
			// The copy first: cut off after it, this is done again.
			if err := errors.Join(k.forgetCopy(), k.open(forgetActions)); err != nil {
				return err
			}
		}
		report.Libraries = now
		return nil
	})
	return err
}

func (k *Keeper) forgetCopy() error {
	if k.Persisted == "" {
		return nil
	}
	return remove.Tree(context.Background(), filepath.Join(k.Persisted, "cache"))
}

// forgetActions leaves outputs, which are nothing without an action, to be pruned.
func forgetActions(c *gocache.Cache, inventory *gocache.Inventory) error {
	var failed []error
	for _, each := range inventory.Actions {
		failed = append(failed, c.Remove(each.Path))
	}
	return errors.Join(failed...)
}
