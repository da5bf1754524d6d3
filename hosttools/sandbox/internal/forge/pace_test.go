package forge

import (
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"testing"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/pause"
)

func failures(c *config.Config) int {
	count, _, _ := paceOf(c, 1).failures()
	return count
}

func waits(p *pacer) time.Duration {
	begin := time.Now()
	p.wait()
	return time.Since(begin)
}

func TestFailuresAreSpacedAndAChangeIsTriedAtOnce(t *testing.T) {
	top := t.TempDir()
	credential := filepath.Join(top, "credential")
	must(t, os.WriteFile(credential, nil, 0o400))
	old := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(credential, old, old))
	p := &pacer{mark: filepath.Join(top, "mark"), watched: []string{credential}}
	for range free {
		p.failed(0)
	}
	if waits(p) > time.Second {
		t.Error("waited after few failures")
	}
	p.failed(0)
	p.failed(0)
	now := time.Now().Add(-7 * time.Second)
	must(t, os.Chtimes(p.mark, now, now))
	if took := waits(p); took < 500*time.Millisecond {
		t.Errorf("waited %v of the second pause's last second", took)
	}
	for range 10 {
		p.failed(0)
	}
	go func() {
		time.Sleep(300 * time.Millisecond)
		_ = os.Chtimes(credential, time.Now(), time.Now())
	}()
	if took := waits(p); took < 250*time.Millisecond || took > longestPause/2 {
		t.Errorf("waited %v", took)
	}
	must(t, os.Chtimes(credential, old, old))
	p.began()
	long := time.Now().Add(-shortest)
	must(t, os.Chtimes(p.running(), long, long))
	p.ended(false)
	if waits(p) > time.Second {
		t.Error("waited after a success")
	}
}

func TestAClockThatIsSetBackHoldsUpNobody(t *testing.T) {
	p := &pacer{mark: filepath.Join(t.TempDir(), "mark")}
	for range free + 1 {
		p.failed(0)
	}
	tomorrow := time.Now().Add(24 * time.Hour)
	must(t, os.Chtimes(p.mark, tomorrow, tomorrow))
	ended := make(chan time.Duration, 1)
	go func() { ended <- waits(p) }()
	select {
	case <-ended:
	case <-time.After(longestPause / 2):
		t.Error("it waits until the clock is there again; the third failure has a pause of four seconds")
	}
}

func TestAForgeIsLeftAloneForAsLongAsItAsksFor(t *testing.T) {
	g, c, s := gitHubLab(t)
	c.PauseMark = filepath.Join(t.TempDir(), "paused")
	s.User = me(t)
	g.instead[generate] = []http.HandlerFunc{answer(429, `{}`, "Retry-After", "3600")}
	said(t, Register(c, s), "429")
	asked := len(g.requests)
	ended := make(chan error, 1)
	go func() { ended <- Register(c, s) }()
	select {
	case err := <-ended:
		t.Errorf("asked again at once, after the first failure: %v", err)
	case <-time.After(time.Second):
	}
	// A drain need not wait for that.
	_, err := pause.Set(c.PauseMark, pause.Operator, "drained", time.Now())
	must(t, err)
	select {
	case err := <-ended:
		said(t, err, "no new job may begin")
	case <-time.After(longestPause / 2):
		t.Error("goes on waiting")
	}
	if len(g.requests) != asked {
		t.Errorf("asked %q", g.requests[asked:])
	}
}

func me(t *testing.T) string {
	t.Helper()
	found, err := user.Current()
	must(t, err)
	return found.Username
}

func TestAgentsThatComeToNothingAreFailures(t *testing.T) {
	long := time.Now().Add(-shortest)
	for name, each := range map[string]struct {
		since  time.Time
		failed bool
		wanted int
	}{
		"one that ended at once":            {time.Now(), false, 1},
		"one whose job was long":            {long, false, 0},
		"a command before it failed slowly": {long, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, c, s := gitHubLab(t)
			p := paceOf(c, 1)
			p.began()
			must(t, os.Chtimes(p.running(), each.since, each.since))
			must(t, End(c, s, each.failed))
			if failures(c) != each.wanted {
				t.Errorf("%d failures", failures(c))
			}
			// Repeated, as after a crash, it says nothing new.
			must(t, End(c, s, false))
			if failures(c) != each.wanted {
				t.Errorf("%d failures", failures(c))
			}
		})
	}
}

func TestAgentsThatWereToldToEndAreNone(t *testing.T) {
	t.Run("by a stop of the unit", func(t *testing.T) {
		_, c, s := gitHubLab(t)
		paceOf(c, 1).began()
		t.Setenv("MAINPID", "2000000000")
		must(t, Leave(c, s))
		must(t, End(c, s, false))
		if failures(c) != 0 {
			t.Error("it counts")
		}
	})
	t.Run("by a pause", func(t *testing.T) {
		_, c, s := gitHubLab(t)
		paceOf(c, 1).began()
		c.PauseMark = filepath.Join(t.TempDir(), "paused")
		_, err := pause.Set(c.PauseMark, pause.Operator, "drained", time.Now())
		must(t, err)
		must(t, End(c, s, false))
		if failures(c) != 0 {
			t.Error("it counts")
		}
	})
}
