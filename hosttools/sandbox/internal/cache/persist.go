package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gofleet/sandbox/internal/cache/gocache"
	"gofleet/sandbox/internal/cache/prune"
	"gofleet/sandbox/internal/cache/transfer"
	"gofleet/sandbox/internal/files"
	"gofleet/sandbox/internal/owner"
)

// Generation is the file `generation.json` beside a persisted cache: the last copy that came to its end.
type Generation struct {
	// Number grows by one with each.
	Number int64 `json:"number"`
	// Time in Unix seconds.
	Time    int64 `json:"time"`
	Actions int   `json:"actions"`
	Outputs int   `json:"outputs"`
	Bytes   int64 `json:"bytes"`
}

// Persist copies the cache to a directory on disk, `<directory>/cache` and `<directory>/generation.json`, that is kept
// within the cache's age and budget. It is the runner's, not the cache owner's: no job can change it.
func (k *Keeper) Persist(directory string) (*Report, error) {
	return k.beside(directory, func(cache, kept *gocache.Cache, report *Report) error {
		there, here, err := inventories(cache, kept)
		if err != nil {
			return err
		}
		if err := transfer.Refresh(kept, there, here); err != nil {
			return err
		}
		room := prune.Options{MaxAge: k.MaxAge, Foreign: true, Now: k.Now()}
		if k.MaxBytes > 0 {
			room.MaxBytes = max(1, k.MaxBytes-transfer.Missing(there, here))
		}
		if _, err := prune.Pass(kept, here, room); err != nil {
			return err
		}
		copied, err := transfer.Copy(cache, kept, there, here, transfer.Options{MaxBytes: k.MaxBytes, User: os.Geteuid(), Group: os.Getegid()})
		report.Persist = &Transfer{Time: k.Now().Unix(), Report: *copied}
		report.holds(there)
		if err != nil {
			return err
		}
		return k.seal(directory, kept)
	})
}

// seal notes that a copy is whole, once it is on the disk.
func (k *Keeper) seal(directory string, kept *gocache.Cache) error {
	if err := files.SyncFileSystem(directory); err != nil {
		return err
	}
	all, err := kept.Read()
	if err != nil {
		return err
	}
	generation := Generation{
		Number: ReadGeneration(directory).Number + 1, Time: k.Now().Unix(),
		Actions: len(all.Actions), Outputs: len(all.Outputs), Bytes: all.Occupied(),
	}
	text, err := json.Marshal(generation)
	if err != nil {
		return err
	}
	return files.Replace(filepath.Join(directory, "generation.json"), append(text, '\n'), 0o600)
}

// ReadGeneration reads a persisted cache's generation; 0 where no copy came to its end.
func ReadGeneration(directory string) Generation {
	var generation Generation
	if text, err := os.ReadFile(filepath.Join(directory, "generation.json")); err != nil || json.Unmarshal(text, &generation) != nil {
		return Generation{}
	}
	return generation
}

// Restore copies back what the cache lacks, what was used last first. What is damaged is not restored, and removed from
// the directory, so that the next Persist copies it again. Nothing was persisted: nothing is restored.
func (k *Keeper) Restore(directory string) (*Report, error) {
	user, group, err := owner.Of(k.Path)
	if err != nil {
		return nil, err
	}
	return k.beside(directory, func(cache, kept *gocache.Cache, report *Report) error {
		here, there, err := inventories(kept, cache)
		if err != nil {
			return err
		}
		copied, err := transfer.Copy(kept, cache, here, there, transfer.Options{MaxBytes: k.Budget(), User: user, Group: group})
		report.Restore = &Transfer{Time: k.Now().Unix(), Report: *copied}
		report.Totals.Broken += int64(len(copied.Broken))
		for _, path := range copied.Broken {
			err = errors.Join(err, kept.Remove(path))
		}
		if now, failed := cache.Read(); failed == nil {
			report.holds(now)
		}
		return err
	})
}

// inventories reads both, and makes the target ready.
func inventories(from, to *gocache.Cache) (there, here *gocache.Inventory, err error) {
	if there, err = from.Read(); err != nil {
		return nil, nil, err
	}
	if here, err = to.Read(); err != nil {
		return nil, nil, err
	}
	return there, here, transfer.Clean(to, here)
}

// beside opens the cache and its persisted copy, alone among keepers. It keeps the rights of whoever runs this, who
// alone may write the copy: no path is followed out of the cache, and only what has the content of its name is copied.
func (k *Keeper) beside(directory string, do func(cache, kept *gocache.Cache, report *Report) error) (*Report, error) {
	if !filepath.IsAbs(directory) {
		return nil, fmt.Errorf("directory %q: must be an absolute path", directory)
	}
	if err := k.mayWrite(); err != nil {
		return nil, err
	}
	path := filepath.Join(directory, "cache")
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	return k.locked(func(report *Report) error {
		unlock, err := files.Lock(directory, k.Wait)
		if err != nil {
			return err
		}
		defer unlock()
		cache, err := gocache.Open(k.Path, k.Own)
		if err != nil {
			return err
		}
		defer cache.Close()
		kept, err := gocache.Open(path, true)
		if err != nil {
			return err
		}
		defer kept.Close()
		return do(cache, kept, report)
	})
}

func (k *Keeper) mayWrite() error {
	user, _, err := owner.Of(k.Path)
	if me := os.Geteuid(); err == nil && me != 0 && me != user {
		err = fmt.Errorf("%s belongs to user %d, this is user %d: run it as that user or as root", k.Path, user, me)
	}
	return err
}
