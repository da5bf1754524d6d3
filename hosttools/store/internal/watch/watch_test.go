package watch

import (
	"os"
	"path/filepath"
	"testing"

	"gofleet/store/internal/state"
	. "gofleet/store/internal/storetest"
)

func TestTheStoreIsReadOnlyAboveTheMarkAndUntilItIsBelowTheOther(t *testing.T) {
	c := Config(t)
	mark := filepath.Join(c.Runtime, RestartMark)
	for n, step := range []struct {
		percent           int64
		readOnly, restart bool
	}{
		{50, false, false}, {94, false, false}, {95, true, true}, {96, true, false}, {90, true, false}, {85, true, false},
		{84, false, true}, {90, false, false}, {99, true, true}, {0, false, true},
	} {
		says, err := Switch(c, Usage{StoreBytes: step.percent, MaxBytes: 100})
		Must(t, err)
		asked := Exists(mark)
		if ReadOnly(c) != step.readOnly || asked != step.restart || (says != "") != step.restart {
			t.Errorf("step %d, %d %%: read-only %v, restart %v, says %q", n, step.percent, ReadOnly(c), asked, says)
		}
		if Exists(c.Watch.ReadOnlyEnvironment) != step.readOnly {
			t.Errorf("step %d: the environment does not fit", n)
		}
		os.Remove(mark)
	}
}

func TestAnInterruptedSwitchIsFinished(t *testing.T) {
	c := Config(t)
	full := Usage{StoreBytes: 99, MaxBytes: 100}
	// The flag came, Athens' settings did not.
	Must(t, os.WriteFile(c.Watch.ReadOnlyFlag, nil, 0o640))
	if _, err := Switch(c, full); err != nil || !Exists(c.Watch.ReadOnlyEnvironment) || !Exists(filepath.Join(c.Runtime, RestartMark)) {
		t.Fatalf("not finished: %v", err)
	}
	// The settings went, the flag did not.
	Must(t, os.Remove(c.Watch.ReadOnlyEnvironment))
	if _, err := Switch(c, Usage{MaxBytes: 100}); err != nil || ReadOnly(c) {
		t.Fatalf("not finished: %v", err)
	}
}

func TestTheFullestCounts(t *testing.T) {
	for _, each := range []struct {
		usage Usage
		what  string
	}{
		{Usage{UsedBytes: 90, FreeBytes: 10, UsedInodes: 1, FreeInodes: 9, StoreBytes: 1, MaxBytes: 10}, "of the file system's bytes"},
		{Usage{UsedBytes: 10, FreeBytes: 90, UsedInodes: 9, FreeInodes: 1, StoreBytes: 1, MaxBytes: 10}, "of the file system's inodes"},
		{Usage{UsedBytes: 10, FreeBytes: 90, StoreBytes: 9, MaxBytes: 10}, "of the store's budget"},
	} {
		if percent, what := each.usage.Percent(); percent != 90 || what != each.what {
			t.Errorf("%v %s, wanted 90 %s", percent, what, each.what)
		}
	}
}

func TestExcess(t *testing.T) {
	u := Usage{UsedBytes: 950, FreeBytes: 50, UsedInodes: 90, FreeInodes: 10, StoreBytes: 500, MaxBytes: 400}
	if bytes, inodes := u.Excess(80); bytes != 180 || inodes != 10 {
		t.Errorf("%d bytes, %d inodes", bytes, inodes)
	}
	if bytes, inodes := (Usage{UsedBytes: 1, FreeBytes: 9}).Excess(80); bytes != 0 || inodes != 0 {
		t.Errorf("%d bytes, %d inodes of nothing", bytes, inodes)
	}
}

func TestMeasureCountsWhatCameSince(t *testing.T) {
	c := Config(t)
	u, err := Measure(c, &state.State{})
	Must(t, err)
	if u.UsedBytes <= 0 || u.FreeBytes <= 0 || u.StoreBytes != 0 {
		t.Fatalf("%+v", u)
	}
	u, err = Measure(c, &state.State{Counted: 1, StoreBytes: 5, UsedBytes: u.UsedBytes - 1<<30})
	if err != nil || u.StoreBytes < 5+1<<29 {
		t.Fatalf("%+v %v", u, err)
	}
}
