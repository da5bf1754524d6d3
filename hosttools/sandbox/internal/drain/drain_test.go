package drain

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/pause"
	"gofleet/sandbox/internal/slot"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDrainPausesAndWaitsForJobs(t *testing.T) {
	top := t.TempDir()
	c := &config.Config{PauseMark: filepath.Join(top, "paused"), JobLock: filepath.Join(top, "lock"), Slots: []config.Slot{{Number: 1}, {Number: 2}}}
	for i := range c.Slots {
		must(t, slot.MakeLock(c, &c.Slots[i], os.Geteuid(), os.Getegid()))
	}
	must(t, slot.MarkBusy(c, &c.Slots[1]))
	if err := Drain(c, "new disks", 0); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), "slots 2,") {
		t.Errorf("%v", err)
	}
	var out bytes.Buffer
	must(t, WriteStatus(c, &out))
	var s Status
	must(t, json.Unmarshal(out.Bytes(), &s))
	if s.Paused[pause.Operator].Why != "new disks" || s.Slots[0].Busy || !s.Slots[1].Busy || s.Slots[1].Since == "" {
		t.Errorf("%s", out.String())
	}
	go func() {
		time.Sleep(300 * time.Millisecond)
		slot.MarkIdle(c, &c.Slots[1])
	}()
	must(t, Drain(c, "new disks", 10*time.Second))
	if _, err := pause.Set(c.PauseMark, pause.Watch, "full", time.Now()); err != nil {
		t.Fatal(err)
	}
	must(t, Resume(c))
	if !pause.Paused(c.PauseMark) {
		t.Error("another's pause was ended")
	}
	if _, err := pause.Clear(c.PauseMark, pause.Watch); err != nil || pause.Paused(c.PauseMark) {
		t.Error("paused still", err)
	}
}
