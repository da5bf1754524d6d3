package forge

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/slot"
)

// asksForge: the agent knows no signal that lets its job finish, so that only the forge can say whether it has one.
// Runners of GitHub's and agents of Jenkins's drop their job whatever they are told.
func asksForge(a *config.Agent) bool {
	return a != nil && (a.Kind == config.GitHub || a.Kind == config.Jenkins)
}

// AskToEnd lets agents take no further job: those without one end now, the others after it. All at once, since a forge
// that does not answer takes its time with each.
func AskToEnd(c *config.Config) {
	atOnce(c, func(s *config.Slot) {
		if err := askOne(c, s); err != nil {
			fmt.Printf("slot %d goes on until its job ends: %v\n", s.Number, err)
		}
	})
}

// AskAgain does the same while a pause lasts, for agents that their forge still knows: it may not have answered before, and
// one without a job would wait for one. No agent gets its signal twice.
func AskAgain(c *config.Config) {
	if !asksForge(c.Agent) {
		return
	}
	atOnce(c, func(s *config.Slot) {
		r, err := readRecord(c, s.Number)
		if err != nil || len(r.agents) == 0 {
			return
		}
		if err := askOne(c, s); err != nil && !errors.Is(err, errBusy) {
			fmt.Printf("slot %d goes on: %v\n", s.Number, err)
		}
	})
}

func atOnce(c *config.Config, do func(*config.Slot)) {
	var all sync.WaitGroup
	for i := range c.Slots {
		all.Add(1)
		go func(s *config.Slot) {
			defer all.Done()
			do(s)
		}(&c.Slots[i])
	}
	all.Wait()
}

func askOne(c *config.Config, s *config.Slot) error {
	if asksForge(c.Agent) && slot.Busy(c, s) {
		if err := deregister(c, s.Number, true); err != nil {
			return err
		}
	}
	slot.AskToEnd(c, s)
	return nil
}

// Leave goes before the signal that stops a slot's unit: the forge lets go of an agent without a job; one that has a job
// may finish it, in the time that is set.
func Leave(c *config.Config, s *config.Slot) error {
	agent, err := strconv.Atoi(os.Getenv("MAINPID"))
	if err != nil || agent <= 1 {
		// It has ended by itself.
		return nil
	}
	paceOf(c, s.Number).asked()
	if !asksForge(c.Agent) {
		// It knows what the signal means.
		return nil
	}
	left := deregister(c, s.Number, true)
	if left == nil || !errors.Is(left, errBusy) {
		return left
	}
	// The rest of the time is for what clears up.
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(c.Agent.StopSeconds)*time.Second*9/10)
	defer cancel()
	for asked := time.Now(); syscall.Kill(agent, 0) == nil; {
		if !sleep(ctx, 200*time.Millisecond) {
			return fmt.Errorf("the job of slot %d is ended: %w after %d seconds", s.Number, errBusy, c.Agent.StopSeconds)
		}
		if time.Since(asked) < followEvery {
			continue
		}
		// Not every agent ends with its job.
		if deregister(c, s.Number, true) == nil {
			return nil
		}
		asked = time.Now()
	}
	return nil
}
