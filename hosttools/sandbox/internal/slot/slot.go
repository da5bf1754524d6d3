// Package slot knows whether a slot has a job, and keeps a job and what reclaims apart.
package slot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/lock"
)

// MakeLock makes the slot's lock file, which its user may open and hold; nobody but root and that user can.
func MakeLock(c *config.Config, s *config.Slot, uid, gid int) error {
	path := c.Lock(s)
	file, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE|syscall.O_NOFOLLOW, 0o400)
	if err != nil {
		return err
	}
	return errors.Join(file.Chown(uid, gid), file.Chmod(0o400), file.Close())
}

// Hold takes the slot's lock, shared or exclusive, waiting as long as the context lasts. Nil: somebody
// else has it.
func Hold(ctx context.Context, c *config.Config, s *config.Slot, how int) (release func(), err error) {
	file, err := os.OpenFile(c.Lock(s), os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	held, err := lock.Try(ctx, file, how)
	if err != nil || !held {
		return nil, errors.Join(err, file.Close())
	}
	return func() { file.Close() }, nil
}

// Busy reports whether the slot has a job, or what is left of one that nobody has cleared yet.
func Busy(c *config.Config, s *config.Slot) bool {
	_, err := os.Lstat(c.Busy(s))
	return err == nil
}

// MarkBusy and MarkIdle frame a job, preparations and clearing included. The lock alone would not: root prepares, the
// slot's user runs, and between the two nobody holds it.
func MarkBusy(c *config.Config, s *config.Slot) error {
	return os.WriteFile(c.Busy(s), []byte(time.Now().UTC().Format(time.RFC3339)+"\n"), 0o644)
}

// MarkIdle ends what MarkBusy began.
func MarkIdle(c *config.Config, s *config.Slot) error {
	if err := os.Remove(c.Busy(s)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Since is when the slot's job began; the zero time without one.
func Since(c *config.Config, s *config.Slot) time.Time {
	text, err := os.ReadFile(c.Busy(s))
	if err != nil {
		return time.Time{}
	}
	at, _ := time.Parse(time.RFC3339, strings.TrimSpace(string(text)))
	return at
}

// Idle takes the lock of a slot without a job, so that none begins until it is given back, waiting as long as the context
// lasts. Nil: it still has one.
func Idle(ctx context.Context, c *config.Config, s *config.Slot) (release func(), err error) {
	for {
		release, err := Hold(ctx, c, s, lock.Exclusive)
		if errors.Is(err, os.ErrNotExist) {
			// No job has ever been here.
			return func() {}, nil
		}
		if err != nil || release == nil {
			return nil, err
		}
		if !Busy(c, s) || abandoned(s) {
			return release, nil
		}
		release()
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// AllIdle is Idle for every slot.
func AllIdle(ctx context.Context, c *config.Config) (release func(), busy []int, err error) {
	var held []func()
	giveBack := func() {
		for _, each := range held {
			each()
		}
	}
	for i := range c.Slots {
		release, err := Idle(ctx, c, &c.Slots[i])
		if err != nil {
			giveBack()
			return nil, nil, err
		}
		if release == nil {
			busy = append(busy, c.Slots[i].Number)
			continue
		}
		held = append(held, release)
	}
	if len(busy) > 0 {
		giveBack()
		return nil, busy, nil
	}
	return giveBack, nil, nil
}

// abandoned reports that a slot's unit is off, although it is marked busy: clearing after the job was cut off.
func abandoned(s *config.Slot) bool {
	if s.Unit == "" {
		return false
	}
	out, _ := exec.Command("systemctl", "show", "--property=ActiveState", "--value", "--", s.Unit).Output()
	state := strings.TrimSpace(string(out))
	return state == "inactive" || state == "failed"
}

// AskToEnd tells a slot's agent to take no further job, if it knows a signal for that: once, when a pause begins, for many
// take a second one for an order to end at once. An agent that cannot be told goes on until its job ends.
func AskToEnd(c *config.Config, s *config.Slot) {
	if c.Job.DrainSignal == "" || !Busy(c, s) {
		return
	}
	// The main process is `gofleet-sandbox run`, which passes it on. Without one the slot is being prepared or cleared.
	out, err := exec.Command("systemctl", "kill", "--kill-who=main", "--signal="+c.Job.DrainSignal, "--", s.Unit).CombinedOutput()
	if err != nil {
		fmt.Printf("%s does not get %s: %v: %s\n", s.Unit, c.Job.DrainSignal, err, strings.TrimSpace(string(out)))
	}
}
