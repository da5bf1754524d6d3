// Package drain is what an operator does before work on a host: no new job, and the end of those that run.
package drain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/forge"
	"gofleet/sandbox/internal/pause"
	"gofleet/sandbox/internal/slot"
)

// ErrBusy is that jobs still run when the time to wait is over. They go on, and the pause lasts.
var ErrBusy = errors.New("jobs are still running")

// Drain pauses the sandbox until Resume, or a reboot, and waits for its jobs to end.
func Drain(c *config.Config, reason string, wait time.Duration) error {
	if strings.TrimSpace(reason) == "" {
		reason = "drained"
	}
	begins := !pause.Paused(c.PauseMark)
	if _, err := pause.Set(c.PauseMark, pause.Operator, reason, time.Now()); err != nil {
		return err
	}
	if begins {
		forge.AskToEnd(c)
	}
	for end := time.Now().Add(wait); ; {
		busy, err := await(c, min(time.Until(end), askEvery))
		if err != nil || len(busy) == 0 {
			return err
		}
		if time.Until(end) <= 0 {
			return fmt.Errorf("%w: slots %s, after %v; no other begins: drain again to wait on, or resume", ErrBusy, strings.Trim(fmt.Sprint(busy), "[]"), wait)
		}
		forge.AskAgain(c)
	}
}

// askEvery is how long jobs are waited for before their forge is asked again. A variable for tests.
var askEvery = 30 * time.Second

// await waits for all slots and says which still have a job.
func await(c *config.Config, wait time.Duration) (busy []int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	release, busy, err := slot.AllIdle(ctx, c)
	if release != nil {
		release()
	}
	return busy, err
}

// Resume ends an operator's pause; one for another reason lasts.
func Resume(c *config.Config) error {
	if _, err := pause.Clear(c.PauseMark, pause.Operator); err != nil {
		return err
	}
	mark, err := pause.Read(c.PauseMark)
	if err != nil {
		return err
	}
	if len(mark) > 0 {
		fmt.Printf("still paused: %v\n", mark)
	}
	return nil
}

// Status of a sandbox, as JSON.
type Status struct {
	// Paused is a reason by who wants it; empty: jobs begin.
	Paused pause.Mark   `json:"paused"`
	Slots  []SlotStatus `json:"slots"`
}

// SlotStatus says whether a slot has a job: an agent that waits for one counts, too.
type SlotStatus struct {
	Slot int    `json:"slot"`
	Unit string `json:"unit"`
	Busy bool   `json:"busy"`
	// Since is when its workspace was made, RFC 3339.
	Since string `json:"since,omitempty"`
}

// WriteStatus writes what is going on now.
func WriteStatus(c *config.Config, to io.Writer) error {
	mark, err := pause.Read(c.PauseMark)
	if err != nil {
		return err
	}
	status := Status{Paused: mark, Slots: []SlotStatus{}}
	for i := range c.Slots {
		s := &c.Slots[i]
		one := SlotStatus{Slot: s.Number, Unit: s.Unit, Busy: slot.Busy(c, s)}
		if since := slot.Since(c, s); !since.IsZero() {
			one.Since = since.Format(time.RFC3339)
		}
		status.Slots = append(status.Slots, one)
	}
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	return encoder.Encode(status)
}
