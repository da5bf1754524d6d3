package forge

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"gofleet/sandbox/internal/agent"
	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/pause"
)

const (
	// registerWithin bounds one registration, what is left of earlier ones included.
	registerWithin = 60 * time.Second
	// deregisterWithin bounds the way back: a forge that cannot be reached holds up neither a stop nor a destroy.
	deregisterWithin = 10 * time.Second
	// attempts to make an agent known, each by a name of its own.
	attempts = 5
)

// Register makes the slot's agent known for one job and hands it to the slot, as root. What a crash left known goes
// first. After a failure the next attempt waits, unless the credential has changed or a pause begins.
func Register(c *config.Config, s *config.Slot) error {
	owner, err := user.Lookup(s.User)
	if err != nil {
		return err
	}
	uid, err1 := strconv.Atoi(owner.Uid)
	gid, err2 := strconv.Atoi(owner.Gid)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	pace := paceOf(c, s.Number)
	pace.wait()
	if pause.Paused(c.PauseMark) {
		return fmt.Errorf("register the agent of slot %d: no new job may begin (%s)", s.Number, c.PauseMark)
	}
	ctx, cancel := context.WithTimeout(context.Background(), registerWithin)
	defer cancel()
	handed, err := register(ctx, c, s)
	if err != nil {
		pace.failed(later(err, 0))
		return fmt.Errorf("register the agent of slot %d: %w", s.Number, err)
	}
	pace.began()
	return agent.Give(s, handed, uid, gid)
}

func register(ctx context.Context, c *config.Config, s *config.Slot) (agent.Handed, error) {
	f, err := open(c.Agent)
	if err != nil {
		return agent.Handed{}, err
	}
	r, err := readRecord(c, s.Number)
	if err != nil {
		return agent.Handed{}, err
	}
	if err := forget(ctx, c.Agent, r, false); err != nil {
		// Another agent has another name: what stays of this one is removed later.
		fmt.Fprintf(os.Stderr, "gofleet-sandbox: what the forge still knows of slot %d: %v\n", s.Number, err)
	}
	wait := firstWait
	for attempt := 1; ; attempt++ {
		name, err := newName(c, s)
		if err != nil {
			return agent.Handed{}, err
		}
		if err := r.add(name, c.Agent); err != nil {
			return agent.Handed{}, err
		}
		id, handed, err := f.create(ctx, s, name)
		if err == nil {
			return handed, r.setID(name, id)
		}
		if !mayHaveWorked(err) {
			// The forge said no: there is nothing to remove.
			r.agents = r.agents[:len(r.agents)-1]
			if err := r.write(); err != nil {
				return agent.Handed{}, err
			}
		}
		if !again(err) || attempt == attempts || !sleep(ctx, later(err, wait)) {
			return agent.Handed{}, err
		}
		wait *= 2
	}
}

// again reports whether another attempt, by another name, may do.
func again(err error) bool {
	var status *statusError
	if errors.As(err, &status) {
		return status.transient() || taken(err)
	}
	return true
}

// taken: an agent that is not this slot's has the name already.
func taken(err error) bool {
	var status *statusError
	if !errors.As(err, &status) {
		return false
	}
	exists := strings.Contains(strings.ToLower(status.said), "already")
	return status.code == http.StatusConflict || status.code == http.StatusUnprocessableEntity && exists
}

// End is what comes after each job of a slot, as root: its agent becomes unknown. One that failed before it began, or that
// ended at once, holds up the next registration, unless it was told to end.
func End(c *config.Config, s *config.Slot, failed bool) error {
	pace := paceOf(c, s.Number)
	if pause.Paused(c.PauseMark) {
		pace.asked()
	}
	pace.ended(failed)
	return Deregister(c, s.Number)
}

// Deregister makes unknown what the forge knows of a slot's agents, as root, whatever happened to them. Within a bounded
// time; what could not be done is said and remembered for the next registration.
func Deregister(c *config.Config, slot int) error { return deregister(c, slot, false) }

// deregister does the same while the agent may still run.
func deregister(c *config.Config, slot int, runs bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), deregisterWithin)
	defer cancel()
	r, err := readRecord(c, slot)
	if err != nil || len(r.agents) == 0 {
		return err
	}
	if err := forget(ctx, c.Agent, r, runs); err != nil {
		return fmt.Errorf("the forge still knows an agent of slot %d: %w", slot, err)
	}
	return nil
}

// errElsewhere is that an agent was made known to a forge that the settings no longer name: the credential is another's.
var errElsewhere = errors.New("remove it there: its forge's credential is no longer here")

// forget removes every agent of a record; those that stay are said and stay recorded, but for what cannot be removed here.
func forget(ctx context.Context, now *config.Agent, r *record, runs bool) error {
	var left []known
	var failures []error
	for _, each := range r.agents {
		err := errElsewhere
		if now != nil && each.At.API == now.API {
			err = forgetOne(ctx, each, runs)
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("%s at %s: %w", each.Name, each.At.API, err))
		}
		if err != nil && !errors.Is(err, errElsewhere) {
			left = append(left, each)
		}
	}
	r.agents = left
	return errors.Join(append(failures, r.write())...)
}

func forgetOne(ctx context.Context, each known, runs bool) error {
	f, err := open(&each.At)
	if err != nil {
		return err
	}
	id := each.ID
	if id == "" {
		found, err := f.find(ctx, each.Name)
		if err != nil || found == "" {
			return err
		}
		id = found
	}
	return f.remove(ctx, id, runs)
}

// newName tells an agent from all others: its host, the sandbox and the slot, for people, and a number that no other
// registration has. At most 64 characters, GitHub's limit.
func newName(c *config.Config, s *config.Slot) (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", err
	}
	host, _, _ = strings.Cut(host, ".")
	random := make([]byte, 6)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	rest := fmt.Sprintf("-%d-%s", s.Number, hex.EncodeToString(random))
	front := host + "-" + c.Component
	return front[:min(len(front), 64-len(rest))] + rest, nil
}
