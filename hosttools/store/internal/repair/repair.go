// Package repair finds versions that must not be served and takes them out, so that the next request fetches them anew.
package repair

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"gofleet/store/internal/config"
	"gofleet/store/internal/ledger"
	"gofleet/store/internal/tree"
)

// Broken is a version that must not be served, and why.
type Broken struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Report is what a pass over the store found.
type Report struct {
	Versions int64
	Bytes    int64
	// Read is how many versions were read from end to end.
	Read int64
	// Busy versions are being written.
	Busy int64
	// Unread versions should have been read, but the time was over.
	Unread int64
	Broken []Broken
	// Failed versions could not be read or removed; they are left for the next pass.
	Failed []Broken
}

// Options of a pass.
type Options struct {
	// Remove takes broken versions out; without it they are only reported.
	Remove bool
	// All reads every version whatever is known of it.
	All bool
	Now time.Time
	// Until when versions are read, so that what watches the disk gets its turn; zero: however long it takes.
	Until time.Time
}

// Pass looks at every version: those unknown or changed are read, and of the others those that were not read for the
// longest, so that all are within the configured time.
func Pass(c *config.Config, known *ledger.Ledger, options Options) (*Report, error) {
	p := &pass{c: c, known: known, options: options, seen: map[string]bool{}}
	if options.Remove {
		if err := tree.EmptyTrash(c.Trash()); err != nil {
			return nil, err
		}
	}
	if err := tree.Walk(c.Store, p.visit); err != nil {
		return &p.report, err
	}
	p.readOldest()
	for name, entry := range known.Versions {
		if !p.seen[name] && entry.Stamps != nil {
			entry.Stamps = nil
			known.Versions[name] = entry
		}
	}
	return &p.report, nil
}

type pass struct {
	c       *config.Config
	known   *ledger.Ledger
	options Options
	report  Report
	seen    map[string]bool
	// unchanged versions, of which some are read all the same.
	unchanged []*tree.Version
}

func (p *pass) visit(v *tree.Version) error {
	name := v.String()
	p.seen[name] = true
	p.report.Versions++
	p.report.Bytes += v.Bytes()
	entry, recorded := p.known.Versions[name]
	if recorded && !p.options.All && maps.Equal(entry.Stamps, stamps(v)) {
		p.unchanged = append(p.unchanged, v)
		return nil
	}
	p.judge(v)
	return nil
}

// readOldest reads a share of the unchanged versions: as much as must be read per pass to be through in time, but
// everything that is overdue.
func (p *pass) readOldest() {
	within, every := p.c.Repair.ReadAllWithinSeconds, p.c.Repair.EverySeconds
	now := p.options.Now.Unix()
	entry := func(v *tree.Version) ledger.Entry { return p.known.Versions[v.String()] }
	slices.SortFunc(p.unchanged, func(a, b *tree.Version) int { return int(entry(a).Read - entry(b).Read) })
	share := int64(len(p.unchanged))*every/within + 1
	for i, v := range p.unchanged {
		age := now - entry(v).Read
		// In the second half of the time the work is spread over the passes; nothing is read twice in the first half.
		if age >= within || (int64(i) < share && age >= within/2) {
			p.judge(v)
		}
	}
}

func (p *pass) judge(v *tree.Version) {
	name := v.String()
	if until := p.options.Until; !until.IsZero() && p.report.Read > 0 && time.Now().After(until) {
		p.report.Unread++
		return
	}
	entry, err := inspect(v, p.known.Versions[name], p.c.Offline)
	p.report.Read++
	switch {
	case err == nil:
		entry.Read = p.options.Now.Unix()
		p.known.Versions[name] = entry
	case p.options.Now.Sub(v.Changed) < config.Seconds(p.c.Repair.GraceSeconds):
		p.report.Busy++
	case inputOutput(err):
		p.report.Failed = append(p.report.Failed, Broken{name, err.Error()})
	default:
		p.discard(v, err)
	}
}

func (p *pass) discard(v *tree.Version, why error) {
	name := v.String()
	p.report.Broken = append(p.report.Broken, Broken{name, why.Error()})
	if !p.options.Remove {
		return
	}
	if err := tree.Discard(v.Dir, p.c.Trash()); err != nil {
		p.report.Failed = append(p.report.Failed, Broken{name, fmt.Sprintf("cannot be removed: %v", err)})
		return
	}
	p.report.Versions--
	p.report.Bytes -= v.Bytes()
	if entry, recorded := p.known.Versions[name]; recorded {
		// Its sums stay: what is fetched anew must be the same.
		entry.Stamps = nil
		p.known.Versions[name] = entry
	}
}
