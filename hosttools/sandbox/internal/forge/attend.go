package forge

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/slot"
)

// A lender gives an agent one job after another, and has to be told that one is enough.
type lender interface {
	state(ctx context.Context, id string) (nodeState, error)
	close(ctx context.Context, id string) error
}

const (
	// glance is between two looks at what an agent has on the disk, and costs the forge nothing.
	glance = 200 * time.Millisecond
	// followEvery is between two questions about an agent that has a job.
	followEvery = 2 * time.Second
	// lookEvery is between two about one that seems to have none.
	lookEvery = 10 * time.Second
	// answerWithin bounds what is asked at once.
	answerWithin = 10 * time.Second
)

// Attend lets no agent take a second job where its forge would give it one, as root, until it is told to end: an agent
// that has a job gets no other, and one that has had its job ends.
func Attend(c *config.Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	var all sync.WaitGroup
	for i := range c.Slots {
		all.Add(1)
		go func(a *attendant) {
			defer all.Done()
			for sleep(ctx, glance) {
				a.look(ctx)
			}
		}(&attendant{c: c, s: &c.Slots[i], end: slot.AskToEnd})
	}
	all.Wait()
	return nil
}

// attendant looks after the agents of one slot, one after the other. What it remembers only spares questions.
type attendant struct {
	c *config.Config
	s *config.Slot
	// end tells the slot's agent to end.
	end func(*config.Config, *config.Slot)
	// id is the agent that the rest is about.
	id     string
	closed bool
	next   time.Time
	said   string
}

func (a *attendant) look(ctx context.Context) {
	id := a.agent()
	if id != a.id {
		a.id, a.closed, a.next = id, false, time.Now()
	}
	begun := !a.closed && a.begun()
	if id == "" || !begun && time.Now().Before(a.next) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	had, err := a.ask(ctx, begun)
	a.next = time.Now().Add(lookEvery)
	if a.closed || err != nil {
		a.next = time.Now().Add(followEvery)
	}
	a.say(err)
	if had {
		a.end(a.c, a.s)
	}
}

// agent is the one that the slot has now; empty: none, or one that is being made known.
func (a *attendant) agent() string {
	r, err := readRecord(a.c, a.s.Number)
	if err != nil || len(r.agents) == 0 {
		return ""
	}
	return r.agents[len(r.agents)-1].ID
}

// begun: the agent has made the directory that it makes before any job's first step. Jobs can write there, so it is looked
// at without opening anything.
func (a *attendant) begun() bool {
	_, err := os.Lstat(filepath.Join(a.s.Workspace, config.Checkout, "workspace"))
	return err == nil
}

// ask has the forge give a busy agent no further job, and reports that the agent has had its job.
func (a *attendant) ask(ctx context.Context, begun bool) (had bool, err error) {
	f, err := open(a.c.Agent)
	if err != nil {
		return false, err
	}
	l, ok := f.(lender)
	if !ok {
		return false, fmt.Errorf("agent.kind %q: its forge gives an agent one job, which needs no attendance", a.c.Agent.Kind)
	}
	if begun {
		if err := a.close(ctx, l); err != nil {
			return false, err
		}
	}
	state, err := l.state(ctx, a.id)
	if isCode(err, http.StatusNotFound) {
		// It is being made unknown just now.
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !state.Idle && !state.Closed {
		return false, a.close(ctx, l)
	}
	return state.Idle && state.Closed, nil
}

func (a *attendant) close(ctx context.Context, l lender) error {
	err := l.close(ctx, a.id)
	if isCode(err, http.StatusNotFound) {
		return nil
	}
	a.closed = err == nil
	return err
}

// say prints what is wrong, once until it is something else.
func (a *attendant) say(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != a.said && text != "" {
		fmt.Fprintf(os.Stderr, "gofleet-sandbox: slot %d: %s\n", a.s.Number, text)
	}
	a.said = text
}
