package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"gofleet/store/internal/config"
	"gofleet/store/internal/files"
	"gofleet/store/internal/ledger"
	"gofleet/store/internal/module"
	"gofleet/store/internal/tree"
)

// Report is what an import did.
type Report struct {
	// Versions that are now in the store, and were not before.
	Imported int
	// ModOnly versions have a go.mod and nothing else.
	ModOnly int
	// Present versions were there already.
	Present int
	Bytes   int64
	// Refused says why versions were left out.
	Refused []string
}

// Import brings a bundle or a module cache into the store: everything is staged and checked first, then each version is
// placed by one rename. Sums are those of go.sum, by `module@version` and `module@version/go.mod`; what they do not name
// is taken as it is.
func Import(c *config.Config, known *ledger.Ledger, source string, sums map[string]string, now time.Time) (*Report, error) {
	s, err := newStage(c)
	if err != nil {
		return nil, err
	}
	defer s.remove()
	if err := eachFile(source, s.add); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	if err := s.complete(); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	i := &importer{c: c, known: known, stage: s, now: now, report: Report{Bytes: s.copied}}
	ready := i.check(sums)
	if err := syncFileSystem(c.Store); err != nil {
		return nil, err
	}
	for _, each := range ready {
		if err := i.place(each); err != nil {
			return &i.report, err
		}
	}
	slices.Sort(i.report.Refused)
	return &i.report, syncFileSystem(c.Store)
}

type importer struct {
	c      *config.Config
	known  *ledger.Ledger
	stage  *stage
	now    time.Time
	report Report
}

type checked struct {
	*staged
	entry ledger.Entry
}

// check looks at all staged versions, several at once, and returns those that are good.
func (i *importer) check(sums map[string]string) []checked {
	all := i.stage.order
	entries, problems := make([]ledger.Entry, len(all)), make([]error, len(all))
	work := make(chan int)
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for n := range work {
				h1, mod, read, err := i.stage.finish(all[n], sums)
				entries[n], problems[n] = ledger.Entry{H1: h1, Mod: mod}, err
				if read {
					entries[n].Read = i.now.Unix()
				}
			}
		}()
	}
	for n, each := range all {
		if each.hasMod {
			work <- n
		}
	}
	close(work)
	wait.Wait()
	var good []checked
	for n, each := range all {
		switch {
		case !each.hasMod && !each.hasZip:
			// An answer to a version query, no version.
		case !each.hasMod:
			i.refuse(fmt.Sprintf("%s: no go.mod", each))
		case problems[n] != nil:
			i.refuse(problems[n].Error())
		default:
			good = append(good, checked{each, entries[n]})
		}
	}
	return good
}

func (i *importer) refuse(why string) { i.report.Refused = append(i.report.Refused, why) }

func (i *importer) place(each checked) error {
	name, dir := each.String(), tree.Dir(i.c.Store, each.Version)
	was := i.known.Versions[name]
	if was.H1 != "" && each.hasZip && was.H1 != each.entry.H1 || was.Mod != "" && was.Mod != each.entry.Mod {
		i.refuse(fmt.Sprintf("%s: sum is %s, was %s when it was first seen", name, each.entry.H1, was.H1))
		return nil
	}
	now, err := tree.Read(i.c.Store, each.Version)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && now.Complete():
		i.report.Present++
		return nil
	case err == nil && i.now.Sub(now.Changed) < config.Seconds(i.c.Repair.GraceSeconds) && !i.c.Offline:
		i.refuse(fmt.Sprintf("%s: is being written", name))
		return nil
	case !each.hasZip:
		return i.placeMod(each, now)
	case err == nil:
		if err := tree.Discard(dir, i.c.Trash()); err != nil {
			return err
		}
	}
	if err := i.rename(each, dir); err != nil {
		return err
	}
	i.report.Imported++
	return nil
}

// placeMod places a version that is nothing but its go.mod: for the front, and where nothing could ever be fetched, for
// Athens too, which is then asked for nothing else of it.
func (i *importer) placeMod(each checked, now *tree.Version) error {
	mod, err := os.ReadFile(filepath.Join(each.dir, tree.Mod))
	if err != nil {
		return err
	}
	path := filepath.Join(i.c.ModFiles(), filepath.FromSlash(each.File("mod")))
	if err := files.Directory(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	wrote, err := files.Ensure(path, mod, 0o640)
	if err != nil {
		return err
	}
	if wrote {
		i.report.ModOnly++
	} else {
		i.report.Present++
	}
	if !i.c.Offline || now != nil {
		return nil
	}
	return i.rename(each, tree.Dir(i.c.Store, each.Version))
}

func (i *importer) rename(each checked, dir string) error {
	if err := files.Directory(filepath.Dir(dir), 0o750); err != nil {
		return err
	}
	if err := os.Rename(each.dir, dir); err != nil {
		return err
	}
	placed, err := tree.Read(i.c.Store, each.Version)
	if err != nil {
		return err
	}
	each.entry.Stamps = map[string]ledger.Stamp{}
	for name, info := range placed.Files {
		each.entry.Stamps[name] = ledger.StampOf(info)
	}
	i.known.Versions[each.String()] = each.entry
	return nil
}

// ReadSums reads go.sum files: `module@version` or `module@version/go.mod` to h1. Two files must not disagree.
func ReadSums(paths []string) (map[string]string, error) {
	sums := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for n, line := range strings.Split(string(text), "\n") {
			words := strings.Fields(line)
			if len(words) == 0 {
				continue
			}
			if len(words) != 3 {
				return nil, fmt.Errorf("%s:%d: wanted a module, a version and a sum", path, n+1)
			}
			v, h1 := module.Version{Path: words[0], Version: strings.TrimSuffix(words[1], "/go.mod")}, words[2]
			if err := v.Check(); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", path, n+1, err)
			}
			name := words[0] + "@" + words[1]
			if was := sums[name]; was != "" && was != h1 {
				return nil, fmt.Errorf("%s:%d: %s has two sums, %s and %s", path, n+1, name, was, h1)
			}
			sums[name] = h1
		}
	}
	return sums, nil
}
