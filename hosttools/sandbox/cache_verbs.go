package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"gofleet/sandbox/internal/cache"
)

func declarePreflight(flags *flag.FlagSet) run {
	s := declareScope(flags)
	fail := flags.Bool("fail", false, "end with 4 if a cache is over its budget all the same")
	within := flags.Duration("for", 10*time.Second, "read entries for this long at most; the next scan goes on")
	return func([]string) error {
		return s.each(func(k *cache.Keeper) (*cache.Report, error) {
			report, err := k.Preflight(*within)
			if !*fail && errors.Is(err, cache.ErrOverBudget) {
				fmt.Fprintln(flags.Output(), "warning:", err)
				err = nil
			}
			return report, err
		}, func(r *cache.Report) string {
			if r.Scan == nil || r.Stores == nil || !*r.Stores {
				return "stores nothing"
			}
			return fmt.Sprintf("%s, %s", pruned(r), scanned(r))
		})
	}
}

func declareKeep(flags *flag.FlagSet) run {
	s := declareScope(flags)
	older := flags.Duration("older", 7*24*time.Hour, "read what was last read longer ago")
	within := flags.Duration("for", 10*time.Minute, "read entries for this long at most; the next run goes on")
	return func([]string) error {
		return s.each(func(k *cache.Keeper) (*cache.Report, error) {
			if s.isMissing(k) {
				return nil, nil
			}
			return k.Upkeep(*older, *within)
		}, func(r *cache.Report) string { return fmt.Sprintf("%s, %s", pruned(r), scanned(r)) })
	}
}

func declareScan(flags *flag.FlagSet) run {
	s := declareScope(flags)
	var options cache.ScanOptions
	flags.BoolVar(&options.All, "all", false, "read every entry, whatever is remembered")
	flags.DurationVar(&options.Reread, "older", 0, "also read what was last read longer ago, such as 168h")
	flags.BoolVar(&options.Keep, "keep", false, "remove nothing; implies -fail")
	flags.DurationVar(&options.For, "for", 0, "read entries for this long at most; 0: to the end")
	fail := flags.Bool("fail", false, "end with 5 if anything was damaged, also if it is removed")
	return func([]string) error {
		return s.each(func(k *cache.Keeper) (*cache.Report, error) {
			report, err := k.Scan(options)
			if err == nil && (*fail || options.Keep) && len(report.Scan.Broken) > 0 {
				err = fmt.Errorf("%s: %d files are %w", k.Path, len(report.Scan.Broken), cache.ErrBroken)
			}
			return report, err
		}, scanned)
	}
}

func scanned(r *cache.Report) string {
	if r.Scan == nil {
		return "not scanned"
	}
	text := fmt.Sprintf("%d read, %d remembered, %d unread, %d unfinished, %d damaged", r.Scan.Read, r.Scan.Remembered, r.Scan.Unread, r.Scan.Busy, len(r.Scan.Broken))
	for _, each := range r.Scan.Broken {
		text += fmt.Sprintf("\n  %s: %s", each.Path, each.Reason)
	}
	return text
}

func declarePrune(flags *flag.FlagSet) run {
	s := declareScope(flags)
	return func([]string) error { return s.each((*cache.Keeper).Prune, pruned) }
}

func declareQuota(flags *flag.FlagSet) run {
	s := declareScope(flags)
	fail := flags.Bool("fail", false, "end with 4 if a cache is over its budget all the same")
	return func([]string) error {
		return s.each(func(k *cache.Keeper) (*cache.Report, error) {
			if k.Budget() == 0 {
				return nil, usageError{fmt.Errorf("%s has no budget: set one by -max-bytes", k.Path)}
			}
			k.MaxAge = 0
			report, err := k.Prune()
			if err == nil && *fail && report.Prune.Over {
				err = fmt.Errorf("%s: %w: %d bytes, of %d", k.Path, cache.ErrOverBudget, report.Prune.Left, k.Budget())
			}
			return report, err
		}, pruned)
	}
}

func pruned(r *cache.Report) string {
	if r.Prune == nil {
		return "not pruned"
	}
	text := fmt.Sprintf("%d entries and %d bytes removed, %d bytes left", r.Prune.Removed, r.Prune.Freed, r.Prune.Left)
	if r.Prune.Over {
		text += fmt.Sprintf(", over its budget of %d", r.Budget)
	}
	return text
}

func declareExpireTests(flags *flag.FlagSet) run {
	s := declareScope(flags)
	return func([]string) error {
		return s.each((*cache.Keeper).ExpireTests, func(r *cache.Report) string {
			return fmt.Sprintf("%d results and %d bytes removed", r.Tests.Results, r.Tests.Freed)
		})
	}
}

func declareMark(flags *flag.FlagSet) run {
	s := declareScope(flags)
	return func([]string) error {
		return s.each((*cache.Keeper).Mark, func(*cache.Report) string { return "marked" })
	}
}

func declareStats(flags *flag.FlagSet) run {
	s := declareScope(flags)
	return func([]string) error {
		return s.each((*cache.Keeper).Count, func(r *cache.Report) string {
			text := fmt.Sprintf("%d bytes, %d actions, %d outputs", r.Occupied, r.Actions, r.Outputs)
			if r.Job != nil {
				text += fmt.Sprintf("; since the mark %d actions reused, %d added", r.Job.Reused, r.Job.Added)
			}
			return text
		})
	}
}

func declarePersist(flags *flag.FlagSet) run {
	return declareCopy(flags, (*cache.Keeper).Persist, func(r *cache.Report) *cache.Transfer { return r.Persist })
}

func declareRestore(flags *flag.FlagSet) run {
	return declareCopy(flags, (*cache.Keeper).Restore, func(r *cache.Report) *cache.Transfer { return r.Restore })
}

func declareCopy(flags *flag.FlagSet, do func(*cache.Keeper, string) (*cache.Report, error), part func(*cache.Report) *cache.Transfer) run {
	s := declareScope(flags)
	return func(arguments []string) error {
		return s.each(func(k *cache.Keeper) (*cache.Report, error) {
			directory := k.Persisted
			if len(arguments) > 0 {
				directory = arguments[0]
			}
			if directory == "" {
				return nil, usageError{fmt.Errorf("%s is kept nowhere: name a directory", k.Path)}
			}
			if s.isMissing(k) {
				return nil, nil
			}
			return do(k, directory)
		}, func(r *cache.Report) string {
			copied := part(r)
			if copied == nil {
				return "nothing copied"
			}
			return fmt.Sprintf("%d outputs (%d bytes) and %d actions copied, %d were there, %d damaged, %d left out, %.2f s",
				copied.Outputs, copied.Bytes, copied.Actions, copied.Present, len(copied.Broken), copied.LeftOut, copied.Seconds)
		})
	}
}

// isMissing says so of a cache of the settings that is not there: no job has had it yet, or somebody took it away; the
// next one makes it anew.
func (s *scope) isMissing(k *cache.Keeper) bool {
	_, err := os.Lstat(k.Path)
	if s.cache != "" || !errors.Is(err, os.ErrNotExist) {
		return false
	}
	fmt.Printf("%s: there is none\n", k.Path)
	return true
}

func declareReport(flags *flag.FlagSet) run {
	s := declareScope(flags)
	s.json = true
	return func([]string) error {
		return s.each(func(k *cache.Keeper) (*cache.Report, error) { return k.Known(), nil }, nil)
	}
}
