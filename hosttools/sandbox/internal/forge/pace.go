package forge

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// longestPause between two registrations that fail. A wrong credential is asked about once a minute, not every second.
const longestPause = time.Minute

// pacer spaces the attempts of a unit that systemd starts again and again. What is wrong may be put right meanwhile:
// then the next attempt begins at once.
type pacer struct {
	// mark is a file with the number of failures in a row, as old as the last one.
	mark string
	// watched are files that make another attempt worth it when they change.
	watched []string
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

// wait lasts 4 seconds after the first failure and twice as long after each further one.
func (p *pacer) wait() {
	count, last := p.failures()
	if count == 0 {
		return
	}
	pause := min(2*time.Second<<min(count, 10), longestPause)
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

func (p *pacer) succeeded() { _ = os.Remove(p.mark) }
