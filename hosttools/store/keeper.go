package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"gofleet/store/internal/config"
	"gofleet/store/internal/files"
	"gofleet/store/internal/ledger"
	"gofleet/store/internal/metrics"
	"gofleet/store/internal/ready"
	"gofleet/store/internal/state"
	"gofleet/store/internal/tree"
	"gofleet/store/internal/watch"
)

// readFor is how long one run reads versions; what is left is for the next one. A restart of Athens that a full disk
// asks for waits for the end of the run.
const readFor = 20 * time.Second

// keeper is one invocation.
type keeper struct {
	c     *config.Config
	s     *state.State
	known *ledger.Ledger
	sums  []string
}

// open reads what earlier runs left. The lock is held until the returned function is called; it is nil where another run
// has it and wait is false.
func (k *keeper) open(wait bool) (func(), error) {
	if err := errors.Join(files.Directory(k.c.State, 0o750), files.Directory(k.c.Runtime, 0o750)); err != nil {
		return nil, err
	}
	unlock, err := files.Lock(filepath.Join(k.c.State, "lock"), wait)
	if err != nil || unlock == nil {
		return nil, err
	}
	k.s, err = state.Open(k.c.State)
	if err == nil {
		k.known, err = ledger.Open(k.c.State)
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

func (k *keeper) save() error { return errors.Join(k.s.Save(), k.known.Save()) }

// run is one turn of the timer. Each step is done whatever became of the one before.
func (k *keeper) run([]string) error {
	unlock, err := k.open(false)
	if err != nil {
		return err
	}
	if unlock == nil {
		// An import or a long repair goes on; how full the store is matters all the same.
		return k.watchUnlocked()
	}
	defer unlock()
	now := time.Now()
	problems := []error{k.recountIfNeeded(), k.flip()}
	if now.Unix()-k.s.LastRepair >= k.c.Repair.EverySeconds {
		problems = append(problems, k.repairPass(false, now.Add(readFor)), k.flip())
	}
	problems = append(problems, k.collectIfNeeded(now), k.flip(), k.write(now), k.save())
	return errors.Join(problems...)
}

func (k *keeper) watchUnlocked() error {
	s, err := state.Open(k.c.State)
	if err != nil {
		return err
	}
	k.s = s
	return k.flip()
}

func (k *keeper) watch([]string) error {
	if err := files.Directory(k.c.Runtime, 0o750); err != nil {
		return err
	}
	return k.watchUnlocked()
}

// flip makes the store read-only or writable.
func (k *keeper) flip() error {
	usage, err := watch.Measure(k.c, k.s)
	if err != nil {
		return err
	}
	says, err := watch.Switch(k.c, usage)
	if says != "" {
		fmt.Println(says)
	}
	return err
}

// recountIfNeeded counts the store where only a guess says that it is too large: others may have filled the disk.
func (k *keeper) recountIfNeeded() error {
	usage, err := watch.Measure(k.c, k.s)
	if err != nil || usage.Growth == 0 || k.c.Watch.MaxBytes == 0 {
		return err
	}
	if 100*usage.StoreBytes < int64(k.c.Watch.AlertPercent)*k.c.Watch.MaxBytes {
		return nil
	}
	bytes, versions, err := tree.Count(k.c.Store)
	if err != nil {
		return err
	}
	return k.count(bytes, versions)
}

// count remembers how large the store is and what the file system held then.
func (k *keeper) count(bytes, versions int64) error {
	usage, err := watch.Measure(k.c, k.s)
	if err == nil {
		k.s.Counted, k.s.UsedBytes = time.Now().Unix(), usage.UsedBytes
		k.s.StoreBytes, k.s.Versions = bytes, versions
	}
	return err
}

func (k *keeper) ready([]string) error {
	says, err := ready.Check(k.c)
	if err == nil {
		fmt.Println(says)
	}
	return err
}

func (k *keeper) metrics([]string) error {
	s, err := state.Open(k.c.State)
	if err != nil {
		return err
	}
	k.s = s
	return k.write(time.Now())
}

func (k *keeper) write(now time.Time) error {
	usage, err := watch.Measure(k.c, k.s)
	if err != nil {
		return err
	}
	return metrics.Write(k.c, k.s, usage, now)
}
