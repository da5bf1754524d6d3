package forge

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"gofleet/sandbox/internal/config"
)

const (
	// longestPause between two registrations that come to nothing. A wrong credential is asked about once a minute, not
	// every second.
	longestPause = time.Minute
	// shortest is how long an agent runs at least that has taken a job: it connects, is given one and reports.
	shortest = 10 * time.Second
	// free is how many attempts in a row may come to nothing before the next one waits: a job may be short.
	free = 2
)

// pacer spaces the attempts of a unit that systemd starts again and again: those that fail to register, and those whose
// agent ends at once or never begins. What is wrong may be put right meanwhile: then the next attempt begins at once.
type pacer struct {
	// mark is a file with the number of failures in a row, as old as the last one.
	mark string
	// watched are files that make another attempt worth it when they change.
	watched []string
}

func paceOf(c *config.Config, slot int) *pacer {
	p := &pacer{mark: fmt.Sprintf("%s/register.%d", c.Runtime, slot)}
	if c.Agent != nil {
		p.watched = []string{c.Agent.Credential}
	}
	return p
}

func (p *pacer) failures() (count int, last time.Time) {
	info, err := os.Stat(p.mark)
	if err != nil {
		return 0, time.Time{}
	}
	text, _ := os.ReadFile(p.mark)
	count, _ = strconv.Atoi(strings.TrimSpace(string(text)))
	return max(count, 0), info.ModTime()
}

// wait lasts 4 seconds after the third failure in a row and twice as long after each further one.
func (p *pacer) wait() {
	count, last := p.failures()
	if count <= free {
		return
	}
	pause := min(2*time.Second<<min(count-free, 10), longestPause)
	for time.Since(last) < pause && !p.changedSince(last) {
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

func (p *pacer) failed() {
	count, _ := p.failures()
	// Without the mark the next attempt comes sooner, and that is all.
	_ = os.WriteFile(p.mark, []byte(strconv.Itoa(count+1)+"\n"), 0o600)
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
		p.failed()
		return
	}
	_ = os.Remove(p.mark)
}

// running is a file as old as the registration of the agent that is known.
func (p *pacer) running() string { return p.mark + ".running" }
