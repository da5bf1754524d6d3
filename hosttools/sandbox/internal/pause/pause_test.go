package pause

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestThePauseLastsAsLongAsSomebodyWantsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "paused")
	now := time.Unix(1000, 0)
	for n, step := range []struct {
		do              func() (bool, error)
		changed, paused bool
	}{
		{func() (bool, error) { return Set(path, Watch, "full", now) }, true, true},
		{func() (bool, error) { return Set(path, Watch, "fuller", now.Add(time.Hour)) }, false, true},
		{func() (bool, error) { return Set(path, Operator, "new disk", now) }, true, true},
		{func() (bool, error) { return Clear(path, Watch) }, true, true},
		{func() (bool, error) { return Clear(path, Watch) }, false, true},
		{func() (bool, error) { return Clear(path, Operator) }, true, false},
		{func() (bool, error) { return Clear(path, Operator) }, false, false},
	} {
		changed, err := step.do()
		if err != nil || changed != step.changed || Paused(path) != step.paused {
			t.Errorf("step %d: changed %v, paused %v, %v", n, changed, Paused(path), err)
		}
		if n == 1 {
			if m, _ := Read(path); m[Watch].Why != "fuller" || !m[Watch].Since.Equal(now) {
				t.Errorf("%+v", m)
			}
		}
	}
}

func TestAMarkMadeByHandCountsUntilTheOperatorEndsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "paused")
	for _, content := range []string{"", "moving racks\n", "{", "null"} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if m, err := Read(path); err != nil || len(m) != 1 {
			t.Errorf("%q: %v %v", content, m, err)
		}
		if _, err := Clear(path, Watch); err != nil || !Paused(path) {
			t.Errorf("%q: the watch ended it: %v", content, err)
		}
		if changed, err := Clear(path, Operator); err != nil || !changed || Paused(path) {
			t.Errorf("%q: %v %v", content, changed, err)
		}
	}
}
