// Package cache keeps Go build caches: what is done to them before, after and beside jobs, one at a time.
package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"gofleet/sandbox/internal/cache/gocache"
	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/cpackages"
	"gofleet/sandbox/internal/files"
	"gofleet/sandbox/internal/owner"
)

// Keeper keeps one build cache.
type Keeper struct {
	// Name tells a host's caches apart: the number of its slot, or "shared".
	Name string
	Path string
	// State is the directory for what is known of the cache; no job may write it. Empty: nothing is remembered.
	State string
	// MaxBytes is the budget, 0: none but that of the file system.
	MaxBytes int64
	// MaxFiles is the same of files; 0: any.
	MaxFiles int64
	MaxAge   time.Duration
	// Persisted is where it is kept over a reboot; empty: it is not.
	Persisted string
	// Packages is where dpkg says what is installed: with other C libraries a cache of one slot is emptied before its next job.
	// Empty: nobody looks.
	Packages string
	// Shared: jobs of several users use it at once.
	Shared bool
	// Own: nobody else keeps files in the directory.
	Own bool
	// Grace spares what was used this recently; zero: no go command uses the cache meanwhile.
	Grace time.Duration
	// Wait is for the lock.
	Wait time.Duration
	Now  func() time.Time
}

// Defaults of a keeper.
const (
	// Grace is the hour in which the go command does not note a use again, and an hour for a build.
	Grace = 2 * time.Hour
	Wait  = time.Minute
)

// Of are the keepers of a sandbox's caches; slot 0 means all. Where jobs discard what they write, the one cache is that
// which they read.
func Of(c *config.Config, slot int) ([]*Keeper, error) {
	keeper := func(name, path string) *Keeper {
		k := &Keeper{
			Name: name, Path: path, State: filepath.Join(c.State, "cache", name), MaxBytes: c.Cache.MaxBytes,
			MaxAge: time.Duration(c.Cache.MaxAgeSeconds) * time.Second, Own: true, Grace: Grace, Wait: Wait, Now: time.Now,
			Packages: cpackages.Status,
		}
		if c.Cache.Persist != "" {
			k.Persisted = filepath.Join(c.Cache.Persist, name)
		}
		return k
	}
	if c.Cache.Shared != "" {
		k := keeper("shared", c.Cache.Shared)
		k.Shared = true
		return []*Keeper{k}, nil
	}
	var keepers []*Keeper
	for _, each := range c.Slots {
		if slot == 0 || each.Number == slot {
			keepers = append(keepers, keeper(strconv.Itoa(each.Number), each.BuildCache))
		}
	}
	if len(keepers) == 0 {
		return nil, fmt.Errorf("there is no slot %d; there are %d, from 1", slot, len(c.Slots))
	}
	return keepers, nil
}

// use gives `do` the open cache, alone among keepers and with the rights of its owner, then notes what it reports.
func (k *Keeper) use(do func(*gocache.Cache, *gocache.Inventory, *Report) error) (*Report, error) {
	return k.locked(func(report *Report) error {
		return k.open(func(c *gocache.Cache, inventory *gocache.Inventory) error {
			err := do(c, inventory, report)
			report.holds(inventory)
			return err
		})
	})
}

// open gives `do` the cache with the rights of its owner, and what it holds.
func (k *Keeper) open(do func(*gocache.Cache, *gocache.Inventory) error) error {
	return owner.As(k.Path, func() error {
		c, err := gocache.Open(k.Path, k.Own)
		if err != nil {
			return err
		}
		defer c.Close()
		inventory, err := c.Read()
		if err != nil {
			return err
		}
		return do(c, inventory)
	})
}

func (k *Keeper) locked(do func(*Report) error) (*Report, error) {
	unlock, err := files.Lock(k.Path, k.Wait)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if k.State != "" {
		if err := os.MkdirAll(k.State, 0o755); err != nil {
			return nil, err
		}
	}
	report := k.read()
	report.Cache, report.Time, report.Budget = k.Path, k.Now().Unix(), k.Budget()
	err = do(report)
	report.Error = ""
	if err != nil {
		report.Error = err.Error()
	}
	return report, errors.Join(err, k.write(report))
}

// Budget is how many bytes the cache may occupy; 0: any. In memory it is at most nine tenths of the file system, for a
// full one drops what a go command stores, without a word.
func (k *Keeper) Budget() int64 {
	const tmpfs = 0x01021994 // TMPFS_MAGIC of statfs(2)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(k.Path, &fs); err != nil || fs.Type != tmpfs {
		return k.MaxBytes
	}
	most := int64(fs.Blocks) * int64(fs.Bsize) / 10 * 9
	if k.MaxBytes == 0 {
		return most
	}
	return min(most, k.MaxBytes)
}
