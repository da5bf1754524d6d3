package watch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gofleet/sandbox/internal/pause"
	"gofleet/sandbox/internal/slot"
)

// fullModules is a shared cache of ten versions, 110 parts, whose user has found that it may have a hundred.
func fullModules(t *testing.T) (*lab, func() []string) {
	t.Helper()
	l := newLab(t)
	l.Watch.LowPercent, l.Watch.PausePercent, l.Watch.ReclaimPercent = 97, 98, 99
	left := l.versions(t)
	l.Modules.MaxBytes = 100 << 16
	mark := filepath.Join(l.Modules.Shared, ".gofleet", "full")
	must(t, os.MkdirAll(filepath.Dir(mark), 0o700))
	must(t, os.WriteFile(mark, nil, 0o600))
	return l, left
}

func (l *lab) saysFull(t *testing.T) bool {
	t.Helper()
	text, err := os.ReadFile(l.Metrics)
	must(t, err)
	return strings.Contains(string(text), `gofleet_sandbox_modules_full{component="ci"} 1`)
}

func TestASharedCacheAtItsBudgetLosesWhatCameFirst(t *testing.T) {
	l, left := fullModules(t)
	must(t, l.w.run())
	if left := left(); len(left) != 6 || filepath.Base(left[5]) != "a@v1.5.0" {
		t.Errorf("%v", left)
	}
	if r := l.report(); r.FreedBytes != 44<<16 || pause.Paused(l.PauseMark) || l.saysFull(t) {
		t.Errorf("%+v", r)
	}
	// Nothing more is done while it is not full again.
	must(t, l.w.run())
	if len(left()) != 6 {
		t.Errorf("%v", left())
	}
}

func TestJobsThatGoOnAreNotHeldUpForItAgainAndAgain(t *testing.T) {
	l, left := fullModules(t)
	must(t, slot.MarkBusy(l.Config, &l.Slots[1]))
	must(t, l.w.run())
	if len(left()) != 10 || pause.Paused(l.PauseMark) || !l.saysFull(t) {
		t.Errorf("%v", left())
	}
	must(t, slot.MarkIdle(l.Config, &l.Slots[1]))
	must(t, l.w.run())
	if len(left()) != 10 {
		t.Error("tried again at once")
	}
	l.w.now = func() time.Time { return time.Now().Add(trimEvery) }
	must(t, l.w.run())
	if len(left()) != 6 || l.saysFull(t) {
		t.Errorf("%v", left())
	}
}

func TestAPauseEndsWithItsRunAlsoWhereThatWasKilled(t *testing.T) {
	for name, budget := range map[string]int64{"after it had made room": 100 << 16, "and the budget is gone meanwhile": 0} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.Modules.Shared, l.Modules.MaxBytes = filepath.Join(l.disk, "modules"), budget
			_, err := pause.Set(l.PauseMark, pause.Modules, "full", time.Now())
			must(t, err)
			_, err = pause.Set(l.PauseMark, pause.Operator, "new disks", time.Now())
			must(t, err)
			must(t, l.w.run())
			mark, err := pause.Read(l.PauseMark)
			must(t, err)
			if len(mark) != 1 || mark[pause.Operator].Why != "new disks" {
				t.Errorf("%v", mark)
			}
		})
	}
}

func TestRunsOfTheWatchDoNotEndEachOthersPause(t *testing.T) {
	l, left := fullModules(t)
	l.Watch.WaitSeconds = 60
	must(t, slot.MarkBusy(l.Config, &l.Slots[1]))
	second := make(chan error, 1)
	go func() {
		for end := time.Now().Add(50 * time.Second); time.Now().Before(end) && !pause.Paused(l.PauseMark); time.Sleep(10 * time.Millisecond) {
		}
		go func() { second <- l.w.run() }()
		// Long enough for a run that would not wait.
		time.Sleep(500 * time.Millisecond)
		if !pause.Paused(l.PauseMark) {
			t.Error("the pause is over before its run")
		}
		_ = slot.MarkIdle(l.Config, &l.Slots[1])
	}()
	must(t, l.w.run())
	must(t, <-second)
	if len(left()) != 6 || pause.Paused(l.PauseMark) {
		t.Errorf("%v", left())
	}
}

func TestNoJobBeginsMeanwhile(t *testing.T) {
	l, left := fullModules(t)
	l.Watch.WaitSeconds = 60
	must(t, slot.MarkBusy(l.Config, &l.Slots[1]))
	paused := make(chan bool, 1)
	go func() {
		for end := time.Now().Add(50 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if mark, _ := pause.Read(l.PauseMark); mark[pause.Modules].Why != "" {
				paused <- true
				break
			}
		}
		_ = slot.MarkIdle(l.Config, &l.Slots[1])
	}()
	must(t, l.w.run())
	if len(paused) != 1 || len(left()) != 6 || pause.Paused(l.PauseMark) {
		t.Errorf("%v", left())
	}
}
