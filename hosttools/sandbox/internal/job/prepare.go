// Package job makes what a job finds, runs it, and clears what it leaves.
package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/keyring"
	"gofleet/sandbox/internal/lock"
	"gofleet/sandbox/internal/pause"
	"gofleet/sandbox/internal/slot"
)

// ErrPaused is that no new job may begin and that the time to wait for that is over.
var ErrPaused = errors.New("no new job may begin")

// Prepare makes a slot ready for a job, as root: it waits while the pause mark is there, clears what an earlier job left,
// and makes workspace, inputs and caches.
func Prepare(c *config.Config, s *config.Slot) error {
	// The unit's own is for what jobs write.
	syscall.Umask(0o022)
	owner, err := lookUp(s.User)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.JobLock), 0o755); err != nil {
		return err
	}
	if err := slot.MakeLock(c, s, owner.uid, owner.gid); err != nil {
		return err
	}
	release, err := waitForTurn(c, s)
	if err != nil {
		return err
	}
	defer release()
	if err := slot.MarkBusy(c, s); err != nil {
		return err
	}
	if err := clearSlot(c, s); err != nil {
		return fmt.Errorf("what an earlier job left: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(s.Workspace), 0o755); err != nil {
		return err
	}
	if err := bound(c, s); err != nil {
		return fmt.Errorf("a file system of %d bytes for the job: %w", c.Job.WorkspaceBytes, err)
	}
	if err := makeWorkspace(s.Workspace, owner, c.Inputs); err != nil {
		return err
	}
	if err := errors.Join(mountModules(c, s, owner), mountBuilds(c, s, owner), mountAgent(c, s, owner)); err != nil {
		return err
	}
	beginCache(c, s)
	return nil
}

// waitForTurn takes the slot's lock while there is no pause mark.
func waitForTurn(c *config.Config, s *config.Slot) (release func(), err error) {
	patience := config.Or(c.Job.PauseWaitSeconds, 60)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		if !pause.Paused(c.PauseMark) {
			release, err := slot.Hold(ctx, c, s, lock.Exclusive)
			if err != nil {
				return nil, err
			}
			if release != nil && !pause.Paused(c.PauseMark) {
				return release, nil
			}
			if release != nil {
				release()
			}
		}
		select {
		case <-ctx.Done():
			mark, err := pause.Read(c.PauseMark)
			if err != nil {
				return nil, err
			}
			if len(mark) == 0 {
				return nil, fmt.Errorf("%w: %s is held; waited %v", ErrPaused, c.Lock(s), patience)
			}
			return nil, fmt.Errorf("%w: %v (%s); waited %v", ErrPaused, mark, c.PauseMark, patience)
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// clearSlot takes away all that a job had. It may be repeated, and finishes what was cut off.
func clearSlot(c *config.Config, s *config.Slot) error {
	ctx, cancel := context.WithTimeout(context.Background(), config.Or(c.Job.DeleteSeconds, 300))
	defer cancel()
	if err := unbound(c, s); err != nil {
		return err
	}
	return errors.Join(clearWorkspace(ctx, s.Workspace), clearCaches(ctx, c, s), clearKeys(s))
}

// clearKeys takes away what the slot's user has in the kernel's keyrings.
func clearKeys(s *config.Slot) error {
	owner, err := lookUp(s.User)
	if err != nil {
		return err
	}
	return keyring.Forget(owner.uid, owner.gid)
}
