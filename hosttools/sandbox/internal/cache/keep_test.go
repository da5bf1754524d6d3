package cache

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func TestABudgetIsKeptAndTheBuildIsRight(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	before, err := k.Count()
	must(t, err)
	age(t, l.cache, 10*time.Hour)
	used := l.plain()
	age(t, used, time.Minute)
	k.MaxBytes = before.Occupied / 2
	report, err := k.Prune()
	must(t, err)
	if report.Prune.Over || report.Occupied > k.MaxBytes || report.Prune.Removed == 0 || !exists(used) {
		t.Errorf("%+v, of %d", report.Prune, k.MaxBytes)
	}
	scan, err := k.Scan(ScanOptions{})
	must(t, err)
	if len(scan.Scan.Broken) != 0 {
		t.Errorf("pruning left %v", scan.Scan.Broken)
	}
	l.builds()
}

func TestWhatIsTooOldGoes(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	age(t, l.cache, 73*time.Hour)
	recent := l.plain()
	age(t, recent, 71*time.Hour)
	k.MaxAge = 72 * time.Hour
	_, err := k.Prune()
	must(t, err)
	if left := l.outputs(); len(left) != 1 || left[0] != recent {
		t.Errorf("%d are left", len(left))
	}
}

func TestWhatIsUsedIsSparedAndTheBudgetFails(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	k.Grace, k.MaxBytes = Grace, 1
	report, err := k.Prune()
	must(t, err)
	if !report.Prune.Over || report.Prune.Removed != 0 {
		t.Errorf("%+v", report.Prune)
	}
	if _, err := k.Preflight(0); !errors.Is(err, ErrOverBudget) {
		t.Errorf("%v", err)
	}
}

func TestWhatIsFromTheFutureGrowsOld(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	age(t, l.cache, -10*365*24*time.Hour)
	k.MaxAge = time.Hour
	report, err := k.Prune()
	must(t, err)
	if report.Prune.Clamped == 0 || report.Prune.Removed != 0 {
		t.Errorf("%+v", report.Prune)
	}
	l.builds()
	k.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	_, err = k.Prune()
	must(t, err)
	if left := l.outputs(); len(left) != 0 {
		t.Errorf("%d are immortal", len(left))
	}
}

func TestAClockThatWasBehind(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	age(t, l.cache, 40*365*24*time.Hour)
	_, err := k.Preflight(0)
	must(t, err)
	if added := l.compiled(k); added > linked {
		t.Errorf("%d actions were lost", added)
	}
	mark := k.read().Mark
	k.Now = func() time.Time { return time.Unix(0, mark-1) }
	report, err := k.Count()
	must(t, err)
	if report.Job.HitRatio != nil {
		t.Error("a figure though the clock went backwards")
	}
}

func TestTestResultsExpire(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	tested := func() string {
		said, err := l.run("test", "./greet")
		must(t, err)
		return said
	}
	tested()
	if !strings.Contains(tested(), "(cached)") {
		t.Fatal("the result is not cached")
	}
	report, err := k.ExpireTests()
	must(t, err)
	if report.Tests.Results == 0 || report.Tests.Freed == 0 {
		t.Errorf("%+v", report.Tests)
	}
	if strings.Contains(tested(), "(cached)") {
		t.Error("the result is still there")
	}
	if !strings.Contains(tested(), "(cached)") {
		t.Error("a new result does not count")
	}
	if added := l.compiled(k); added > linked {
		t.Errorf("%d other actions went", added)
	}
	expiry := filepath.Join(l.cache, "testexpire.txt")
	must(t, os.WriteFile(expiry, []byte(strconv.FormatInt(time.Now().AddDate(10, 0, 0).UnixNano(), 10)+"\n"), 0o644))
	tested()
	if strings.Contains(tested(), "(cached)") {
		t.Fatal("an expiry in the future does no harm")
	}
	_, err = k.Scan(ScanOptions{})
	must(t, err)
	tested()
	if !strings.Contains(tested(), "(cached)") {
		t.Error("an expiry in the future keeps tests from being cached")
	}
}

func TestReuseOfAJob(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	_, err := k.Mark()
	must(t, err)
	l.builds()
	all, err := k.Count()
	must(t, err)
	if all.Job.Added > linked || all.Job.Reused < 20 || *all.Job.HitRatio < 0.9 {
		t.Errorf("nothing was new: %+v", all.Job)
	}
	_, err = k.Mark()
	must(t, err)
	none, err := k.Count()
	must(t, err)
	if none.Job.HitRatio != nil {
		t.Errorf("nothing was built: %+v", none.Job)
	}
	changed := filepath.Join(t.TempDir(), "app")
	clone(t, l.app, changed)
	l.app = changed
	must(t, os.WriteFile(filepath.Join(changed, "greet", "more.go"), []byte("package greet\n\nvar More = 1\n"), 0o644))
	_, err = l.run("build", "-o", os.DevNull, ".")
	must(t, err)
	some, err := k.Count()
	must(t, err)
	if some.Job.Added == 0 || *some.Job.HitRatio >= 1 || *some.Job.HitRatio < 0.5 {
		t.Errorf("one package was new: %+v", some.Job)
	}
}

func TestAReportSaysWhatIsKnown(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	flip(t, l.plain())
	_, err := k.Preflight(0)
	must(t, err)
	_, err = k.Persist(filepath.Join(t.TempDir(), "kept"))
	must(t, err)
	text, err := os.ReadFile(filepath.Join(k.State, "report.json"))
	must(t, err)
	var report Report
	must(t, json.Unmarshal(text, &report))
	if report.Schema != 1 || report.Cache != l.cache || !*report.Stores || len(report.Scan.Broken) == 0 || report.Persist.Outputs == 0 {
		t.Errorf("%s", text)
	}
	if report.Actions != len(l.actions()) || report.Outputs != len(l.outputs()) || report.Executables != 1 || report.Totals.Broken == 0 {
		t.Errorf("%s", text)
	}
}
