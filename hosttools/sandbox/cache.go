package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gofleet/sandbox/internal/cache"
	"gofleet/sandbox/internal/cache/metrics"
	"gofleet/sandbox/internal/cache/transfer"
	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/files"
)

// Exit codes of gofleet-cache.
const (
	exitNotStoring = 3 + iota
	// exitOverBudget of quota and preflight with -fail.
	exitOverBudget
	// exitBroken of scan with -fail or -keep.
	exitBroken
	exitLocked
	exitNoRoom
)

// What exit codes of gofleet-cache mean, whichever command they are of.
var (
	notStoring = code{exitNotStoring, "a go command would store nothing: read-only, full or missing. It says nothing of it and ends well"}
	overBudget = code{exitOverBudget, "over its budget, and nothing more may be removed"}
	broken     = code{exitBroken, "damaged files were found"}
	locked     = code{exitLocked, "another `gofleet-cache` works on the cache"}
	noRoom     = code{exitNoRoom, "the file system is full; what was copied can be used"}
)

// cacheCommands keep Go build caches.
var cacheCommands = []command{
	{"preflight", "", "make caches ready for a job: writable, within budget, verified", declarePreflight, []code{notStoring, overBudget, locked}},
	{"keep", "", "what a timer does beside jobs: prune, and read again what was not read for a week", declareKeep, []code{locked}},
	{"scan", "", "find damaged entries and remove them", declareScan, []code{broken, locked}},
	{"prune", "", "remove what is too old, then down to the budget", declarePrune, []code{locked}},
	{"quota", "", "remove down to the budget", declareQuota, []code{overBudget, locked}},
	{"expire-tests", "", "expire the results of tests and remove them", declareExpireTests, []code{locked}},
	{"mark", "", "a job begins: stats measures from here", declareMark, []code{locked}},
	{"stats", "", "what caches hold, and how much of the work since the mark they spared", declareStats, []code{locked}},
	{"persist", "[DIRECTORY]", "copy to disk what is not there yet", declarePersist, []code{locked, noRoom}},
	{"restore", "[DIRECTORY]", "copy back what the cache lacks", declareRestore, []code{locked, noRoom}},
	{"report", "", "the last report of each cache as JSON, and the metrics file", declareReport, nil},
}

// scope is which caches a command is for.
type scope struct {
	config, cache, state string
	slot                 int
	budget               size
	age                  time.Duration
	idle, json           bool
	grace, wait          time.Duration
}

func declareScope(flags *flag.FlagSet) *scope {
	s := &scope{}
	flags.StringVar(&s.config, "config", "", "the sandbox's settings `file`; default: the one of this host")
	flags.IntVar(&s.slot, "slot", 0, "only the cache of this slot `number`")
	flags.StringVar(&s.cache, "cache", "", "this `directory` instead of those of the settings")
	flags.StringVar(&s.state, "state", "", "with -cache: the `directory` for what is remembered; default: nothing is")
	flags.Var(&s.budget, "max-bytes", "the budget, such as 10GiB, in place of the settings'")
	flags.DurationVar(&s.age, "age", 0, "remove what was not used since, such as 72h, in place of the settings'")
	flags.BoolVar(&s.idle, "idle", false, "no go command uses the cache meanwhile: nothing is spared for being new")
	flags.DurationVar(&s.grace, "grace", cache.Grace, "spare what was used this recently")
	flags.DurationVar(&s.wait, "wait", cache.Wait, "how long to wait for another gofleet-cache")
	flags.BoolVar(&s.json, "json", false, "print the report")
	return s
}

// keepers are those of the scope, and the settings they are from, if any.
func (s *scope) keepers() ([]*cache.Keeper, *config.Config, error) {
	var keepers []*cache.Keeper
	var settings *config.Config
	if s.cache != "" {
		path, err := filepath.Abs(s.cache)
		if err != nil {
			return nil, nil, err
		}
		keepers = []*cache.Keeper{{Name: filepath.Base(path), Path: path, State: s.state, Now: time.Now}}
	} else {
		path, err := s.settings()
		if err != nil {
			return nil, nil, err
		}
		if settings, err = config.Read(path); err != nil {
			return nil, nil, err
		}
		if keepers, err = cache.Of(settings, s.slot); err != nil {
			return nil, nil, err
		}
	}
	for _, k := range keepers {
		k.Grace, k.Wait = s.grace, s.wait
		if s.idle {
			k.Grace = 0
		}
		if s.budget > 0 {
			k.MaxBytes = int64(s.budget)
		}
		if s.age > 0 {
			k.MaxAge = s.age
		}
		if os.Geteuid() != 0 && s.cache == "" {
			// What is remembered is root's.
			k.State = ""
		}
	}
	return keepers, settings, nil
}

const allSettings = "/etc/gofleet/*/sandbox.json"

func (s *scope) settings() (string, error) {
	if s.config != "" {
		return s.config, nil
	}
	found, err := filepath.Glob(allSettings)
	if err == nil && len(found) != 1 {
		err = usageError{fmt.Errorf("%d files match %s: name one by -config, or a directory by -cache", len(found), allSettings)}
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// each does something to every cache of the scope, says what came of it, and brings the metrics up to date.
func (s *scope) each(do func(*cache.Keeper) (*cache.Report, error), said func(*cache.Report) string) error {
	keepers, settings, err := s.keepers()
	if err != nil {
		return err
	}
	var failed []error
	for _, k := range keepers {
		report, err := do(k)
		failed = append(failed, err)
		if report == nil {
			continue
		}
		if s.json {
			failed = append(failed, print(report))
		} else {
			fmt.Printf("%s: %s\n", k.Path, said(report))
		}
	}
	if settings != nil && os.Geteuid() == 0 {
		failed = append(failed, metrics.Write(settings))
	}
	return coded(errors.Join(failed...))
}

func print(report *cache.Report) error {
	lines := json.NewEncoder(os.Stdout)
	lines.SetIndent("", "  ")
	return lines.Encode(report)
}

// coded gives an error the exit code of what is in it; the worst comes first.
func coded(err error) error {
	for _, each := range []struct {
		cause error
		code  int
	}{
		{cache.ErrNotStoring, exitNotStoring},
		{transfer.ErrNoRoom, exitNoRoom},
		{files.ErrLocked, exitLocked},
		{cache.ErrOverBudget, exitOverBudget},
		{cache.ErrBroken, exitBroken},
	} {
		if errors.Is(err, each.cause) {
			return &exitError{each.code, err}
		}
	}
	return err
}
