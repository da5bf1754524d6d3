package drain

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
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

func TestADrainAsksTheForgeAgain(t *testing.T) {
	before := askEvery
	askEvery = 100 * time.Millisecond
	t.Cleanup(func() { askEvery = before })
	top := t.TempDir()
	c := &config.Config{State: top, PauseMark: filepath.Join(top, "paused"), JobLock: filepath.Join(top, "lock"), Slots: []config.Slot{{Number: 1}}}
	asked := 0
	github := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked == 1 {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		w.WriteHeader(http.StatusNoContent)
		// Its agent ends.
		must(t, slot.MarkIdle(c, &c.Slots[0]))
	}))
	t.Cleanup(github.Close)
	c.Agent = &config.Agent{Kind: config.GitHub, API: github.URL, Credential: filepath.Join(top, "credential"), Scope: "corp"}
	must(t, os.WriteFile(c.Agent.Credential, []byte("token"), 0o400))
	record, err := json.Marshal([]map[string]any{{"name": "runner", "id": "7", "at": c.Agent}})
	must(t, err)
	must(t, os.MkdirAll(filepath.Dir(c.Registration(1)), 0o700))
	must(t, os.WriteFile(c.Registration(1), record, 0o600))
	must(t, slot.MakeLock(c, &c.Slots[0], os.Geteuid(), os.Getegid()))
	must(t, slot.MarkBusy(c, &c.Slots[0]))
	if err := Drain(c, "", time.Minute); err != nil || asked != 2 {
		t.Errorf("asked %d times; %v", asked, err)
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
