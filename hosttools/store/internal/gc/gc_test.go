package gc

import (
	"errors"
	"slices"
	"testing"
	"time"

	"gofleet/store/internal/config"
	"gofleet/store/internal/ledger"
	. "gofleet/store/internal/storetest"
)

const day = 24 * time.Hour

// aged is a store of four versions, 1 to 4 days since they were written or read last.
func aged(t *testing.T) (*config.Config, *ledger.Ledger) {
	t.Helper()
	c := Config(t)
	for n, each := range []string{"v1.0.0", "v2.0.0", "v3.0.0", "v4.0.0"} {
		Age(t, Add(t, c, "example.com/a", each), time.Duration(n+1)*day)
	}
	known, err := ledger.Open(c.State)
	Must(t, err)
	return c, known
}

func collect(t *testing.T, c *config.Config, known *ledger.Ledger, need Need, want ...string) {
	t.Helper()
	report, err := Collect(c, known, need, time.Now())
	Must(t, err)
	if !slices.Equal(report.Removed, want) {
		t.Errorf("removed %v, wanted %v", report.Removed, want)
	}
	if report.LeftVersions != 4-int64(len(want)) || (len(want) > 0) != (report.Bytes > 0) {
		t.Errorf("%+v", report)
	}
}

func TestTheLeastRecentlyUsedGoUntilThereIsRoom(t *testing.T) {
	c, known := aged(t)
	collect(t, c, known, Need{Bytes: 1}, "example.com/a@v4.0.0")
	c, known = aged(t)
	collect(t, c, known, Need{Inodes: 5}, "example.com/a@v4.0.0", "example.com/a@v3.0.0")
	c, known = aged(t)
	collect(t, c, known, Need{})
}

func TestAVersionThatSomebodyReadsStays(t *testing.T) {
	c, known := aged(t)
	Age(t, Add(t, c, "example.com/a", "v4.0.0"), 2*time.Hour)
	collect(t, c, known, Need{Bytes: 1}, "example.com/a@v3.0.0")
}

func TestOldVersionsGoWithoutNeed(t *testing.T) {
	c, known := aged(t)
	c.GC.UnusedForSeconds = int64((2*day + day/2).Seconds())
	collect(t, c, known, Need{}, "example.com/a@v4.0.0", "example.com/a@v3.0.0")
}

func TestNewOnesAndKeptModulesStay(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"new":     func(c *config.Config) { c.GC.KeepNewerThanSeconds = int64((5 * day).Seconds()) },
		"kept":    func(c *config.Config) { c.GC.Keep = []string{"other.example/*", "example.com/*"} },
		"offline": func(c *config.Config) { c.Offline, c.GC.UnusedForSeconds = true, 1 },
	} {
		t.Run(name, func(t *testing.T) {
			c, known := aged(t)
			change(c)
			report, err := Collect(c, known, Need{Bytes: 1}, time.Now())
			if !errors.Is(err, ErrStuck) || len(report.Removed) != 0 {
				t.Fatalf("%v, removed %v", err, report.Removed)
			}
		})
	}
}
