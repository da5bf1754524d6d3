package forge

import (
	"fmt"
	"os"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/pause"
)

const (
	// longestPause between two registrations that come to nothing. A wrong credential is asked about once a minute, not
	// every second.
	longestPause = time.Minute
	// shortest is how long an agent runs at least that has taken a job: it connects, is given one and reports.
	shortest = 10 * time.Second
	// longestLimit is how long a forge that wants to be asked later is left alone at a time: a start of a unit must end.
	longestLimit = 10 * time.Minute
	// free is how many attempts in a row may come to nothing before the next one waits: a job may be short.
	free = 2
)

// pacer spaces the attempts of a unit that systemd starts again and again: those that fail to register, and those whose
// agent ends at once or never begins. What is wrong may be put right meanwhile: then the next attempt begins at once.
type pacer struct {
	// mark is a file as old as the last failure, with the number of failures in a row and, in Unix seconds, when the forge
	// wants to be asked again; 0: it does not say.
	mark string
	// paused is a file that is there while no new job may begin.
	paused string
	// watched are files that make another attempt worth it when they change.
	watched []string
}

func paceOf(c *config.Config, slot int) *pacer {
	p := &pacer{mark: fmt.Sprintf("%s/register.%d", c.Runtime, slot), paused: c.PauseMark}
	if c.Agent != nil {
		p.watched = []string{c.Agent.Credential}
	}
	return p
}

func (p *pacer) failures() (count int, last, again time.Time) {
	info, err := os.Stat(p.mark)
	if err != nil {
		return 0, time.Time{}, time.Time{}
	}
	text, _ := os.ReadFile(p.mark)
	var seconds int64
	if _, _ = fmt.Sscan(string(text), &count, &seconds); seconds > 0 {
		again = time.Unix(seconds, 0)
	}
	return max(count, 0), info.ModTime(), again
}

// wait lasts 4 seconds after the third failure in a row and twice as long after each further one, and as long as the forge
// asks for. It ends with a pause, in which there is nothing to register for.
func (p *pacer) wait() {
	count, last, again := p.failures()
	left := time.Duration(0)
	if count > free {
		longest := min(2*time.Second<<min(count-free, 10), longestPause)
		// A clock that was set back since makes the last failure one of the future.
		left = longest - min(max(time.Since(last), 0), longest)
	}
	if !again.IsZero() {
		left = max(left, min(time.Until(again), longestLimit))
	}
	for end := time.Now().Add(left); time.Now().Before(end) && !p.changedSince(last) && !pause.Paused(p.paused); {
		time.Sleep(200 * time.Millisecond)
	}
}

func (p *pacer) changedSince(last time.Time) bool {
	for _, path := range p.watched {
		for _, look := range []func(string) (os.FileInfo, error){os.Stat, os.Lstat} {
			if info, err := look(path); err == nil && info.ModTime().After(last) {
				return true
			}
		}
	}
	return false
}

// failed counts a failure, after which the forge wants to be left alone for a time; 0: it does not say.
func (p *pacer) failed(after time.Duration) {
	count, _, _ := p.failures()
	again := int64(0)
	if after > 0 {
		again = time.Now().Add(after).Unix()
	}
	// Without the mark the next attempt comes sooner, and that is all.
	_ = os.WriteFile(p.mark, fmt.Appendf(nil, "%d %d\n", count+1, again), 0o600)
}

// began: an agent is known, and how it ends says whether that was of use.
func (p *pacer) began() { _ = os.WriteFile(p.running(), nil, 0o600) }

// asked: whatever comes of the agent that is known, it was told to end.
func (p *pacer) asked() { _ = os.Remove(p.running()) }

// ended: an agent that was known is no more. One that ended at once counts as a failure, whatever it said.
func (p *pacer) ended(failed bool) {
	info, err := os.Stat(p.running())
	if err != nil {
		return
	}
	p.asked()
	if failed || time.Since(info.ModTime()) < shortest {
		p.failed(0)
		return
	}
	_ = os.Remove(p.mark)
}

// running is a file as old as the registration of the agent that is known.
func (p *pacer) running() string { return p.mark + ".running" }
