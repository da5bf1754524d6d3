// Package gc removes whole versions that nobody has asked for the longest.
package gc

import (
	"errors"
	"slices"
	"strings"
	"time"

	"gofleet/store/internal/config"
	"gofleet/store/internal/ledger"
	"gofleet/store/internal/module"
	"gofleet/store/internal/tree"
)

// Need is what must be freed, whatever the age.
type Need struct{ Bytes, Inodes int64 }

// Report is what was freed and what is left.
type Report struct {
	Removed []string
	Bytes   int64
	Inodes  int64
	// Left is what remains in the store.
	Left         int64
	LeftVersions int64
}

// ErrStuck says that nothing of what is needed could be freed.
var ErrStuck = errors.New("0 B freed: every version is kept or too new; raise the budget or add disk")

// Collect removes versions unused for longer than configured, and then the least recently used ones until the need is
// met. It keeps new ones and those of the configured modules.
func Collect(c *config.Config, known *ledger.Ledger, need Need, now time.Time) (*Report, error) {
	report := &Report{}
	var candidates []*tree.Version
	err := tree.Walk(c.Store, func(v *tree.Version) error {
		report.Left += v.Bytes()
		report.LeftVersions++
		if now.Sub(v.Changed) >= config.Seconds(c.GC.KeepNewerThanSeconds) && !kept(c, v.Path) {
			candidates = append(candidates, v)
		}
		return nil
	})
	if err != nil {
		return report, err
	}
	slices.SortFunc(candidates, func(a, b *tree.Version) int {
		if order := a.Used().Compare(b.Used()); order != 0 {
			return order
		}
		return strings.Compare(a.String(), b.String())
	})
	byAge := c.GC.UnusedForSeconds > 0 && !c.Offline && keepsAccessTimes(c.Store)
	if c.Offline {
		candidates = nil
	}
	for _, v := range candidates {
		old := byAge && now.Sub(v.Used()) > config.Seconds(c.GC.UnusedForSeconds)
		if !old && report.Bytes >= need.Bytes && report.Inodes >= need.Inodes {
			break
		}
		if err := tree.Discard(v.Dir, c.Trash()); err != nil {
			return report, err
		}
		if entry, recorded := known.Versions[v.String()]; recorded {
			// Its sums stay: what is fetched anew must be the same.
			entry.Stamps = nil
			known.Versions[v.String()] = entry
		}
		report.Removed = append(report.Removed, v.String())
		report.Bytes += v.Bytes()
		report.Inodes += int64(len(v.Files)) + 1
		report.Left -= v.Bytes()
		report.LeftVersions--
	}
	if len(report.Removed) == 0 && (need.Bytes > 0 || need.Inodes > 0) {
		return report, ErrStuck
	}
	return report, nil
}

func kept(c *config.Config, modulePath string) bool {
	return slices.ContainsFunc(c.GC.Keep, func(pattern string) bool { return module.Matches(pattern, modulePath) })
}
