package cache

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gofleet/sandbox/internal/cache/verify"
	"gofleet/sandbox/internal/files"
)

func TestWhatALinkNamesStays(t *testing.T) {
	l := newLab(t)
	out := filepath.Join(t.TempDir(), "out")
	must(t, os.Mkdir(out, 0o755))
	must(t, os.WriteFile(filepath.Join(out, "precious"), nil, 0o644))
	must(t, os.Symlink(out, filepath.Join(l.cache, "00", "link")))
	must(t, os.Symlink(out, filepath.Join(l.cache, "beside")))
	k := l.keeper()
	_, err := k.Scan(ScanOptions{})
	must(t, err)
	k.MaxBytes = 1
	_, err = k.Prune()
	must(t, err)
	if exists(filepath.Join(l.cache, "beside")) || exists(filepath.Join(l.cache, "00", "link")) || !exists(filepath.Join(out, "precious")) {
		t.Error("links should go, and what they name stay")
	}
}

func TestOnlyWhatChangedIsReadAgain(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	// Times of change within a tick of the clock do not tell.
	time.Sleep(200 * time.Millisecond)
	first, err := k.Scan(ScanOptions{})
	must(t, err)
	if first.Scan.Read != len(l.outputs()) || first.Scan.Remembered != 0 {
		t.Errorf("first: %+v", first.Scan)
	}
	second, err := k.Scan(ScanOptions{})
	must(t, err)
	if second.Scan.Read != 0 || second.Scan.Remembered != first.Scan.Read {
		t.Errorf("second: %+v", second.Scan)
	}
	path := l.plain()
	flip(t, path)
	third, err := k.Scan(ScanOptions{})
	must(t, err)
	if third.Scan.Read != 1 || len(third.Scan.Broken) < 2 || exists(path) {
		t.Errorf("an edit of equal size, with its time restored: %+v", third.Scan)
	}
}

func TestARewriteWithinATickIsNotRemembered(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	path := l.plain()
	content, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, content, 0o644))
	_, err = k.Scan(ScanOptions{})
	must(t, err)
	known, err := verify.ReadKnown(filepath.Join(k.State, "verified"))
	must(t, err)
	if _, there := known[strings.TrimSuffix(filepath.Base(path), "-d")]; there {
		t.Error("it is remembered")
	}
}

func TestKeepReportsAndRemovesNothing(t *testing.T) {
	l := newLab(t)
	path := l.plain()
	flip(t, path)
	report, err := l.keeper().Scan(ScanOptions{Keep: true})
	must(t, err)
	if len(report.Scan.Broken) < 2 || !exists(path) || report.Scan.Freed != 0 {
		t.Errorf("%+v", report.Scan)
	}
}

func TestAScanStopsInTimeAndGoesOn(t *testing.T) {
	l := newLab(t)
	time.Sleep(200 * time.Millisecond)
	k := l.keeper()
	report, err := k.Scan(ScanOptions{For: time.Nanosecond})
	must(t, err)
	if report.Scan.Unread == 0 {
		t.Fatal("it read all")
	}
	rest, err := k.Scan(ScanOptions{})
	must(t, err)
	if rest.Scan.Remembered != report.Scan.Read || rest.Scan.Unread != 0 {
		t.Errorf("%+v, then %+v", report.Scan, rest.Scan)
	}
}

func TestWhatIsInTheMakingIsSpared(t *testing.T) {
	l := newLab(t)
	unfinished := filepath.Join(l.cache, "12", strings.Repeat("12", 32)+"-d")
	must(t, os.WriteFile(unfinished, []byte("the first half"), 0o644))
	damaged := l.plain()
	flip(t, damaged)
	k := l.keeper()
	k.Grace = Grace
	report, err := k.Scan(ScanOptions{})
	must(t, err)
	if !exists(unfinished) || exists(damaged) || report.Scan.Busy != 1 {
		t.Errorf("unfinished: %v, damaged: %v, %d busy", exists(unfinished), exists(damaged), report.Scan.Busy)
	}
	k.Now = func() time.Time { return time.Now().Add(settle) }
	_, err = k.Scan(ScanOptions{})
	must(t, err)
	if exists(unfinished) {
		t.Error("it is there for ever")
	}
}

func TestBuildsGoOnDuringScans(t *testing.T) {
	l := newLab(t)
	must(t, os.RemoveAll(l.cache))
	must(t, os.Mkdir(l.cache, 0o755))
	k := l.keeper()
	k.Grace, k.Wait = Grace, time.Minute
	stop, done := make(chan bool), make(chan error)
	go func() {
		for {
			_, err := k.Scan(ScanOptions{All: true})
			if err == nil {
				_, err = k.Prune()
			}
			select {
			case <-stop:
				done <- err
				return
			default:
				if err != nil {
					done <- err
					return
				}
			}
		}
	}()
	l.builds()
	l.runs()
	close(stop)
	must(t, <-done)
	report, err := k.Scan(ScanOptions{All: true})
	must(t, err)
	if report.Totals.Broken != 0 || report.Totals.Pruned != 0 {
		t.Errorf("something was taken for damaged: %+v", report.Totals)
	}
}

func TestTwoAtOnceExcludeEachOther(t *testing.T) {
	l := newLab(t)
	unlock, err := files.Lock(l.cache, 0)
	must(t, err)
	k := l.keeper()
	for name, try := range map[string]func() (*Report, error){
		"scan":    func() (*Report, error) { return k.Scan(ScanOptions{}) },
		"prune":   k.Prune,
		"persist": func() (*Report, error) { return k.Persist(t.TempDir()) },
		"restore": func() (*Report, error) { return k.Restore(t.TempDir()) },
	} {
		if _, err := try(); !errors.Is(err, files.ErrLocked) {
			t.Errorf("%s: %v", name, err)
		}
	}
	unlock()
	results := make(chan error)
	for range 4 {
		go func() {
			waits := *k
			waits.Wait = time.Minute
			_, err := waits.Scan(ScanOptions{All: true})
			results <- err
		}()
	}
	for range 4 {
		must(t, <-results)
	}
}

func TestRootActsAsTheOwner(t *testing.T) {
	needRoot(t)
	l := newLab(t)
	const nobody = 65534
	for _, path := range append(append(glob(t, l.cache, "*"), glob(t, l.cache, "*/*")...), append(glob(t, l.cache, "*/*/*"), l.cache)...) {
		must(t, os.Lchown(path, nobody, nobody))
	}
	for path := l.cache; path != "/"; path = filepath.Dir(path) {
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o1 == 0 {
			must(t, os.Chmod(path, info.Mode().Perm()|0o111))
		}
	}
	secret := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(secret, []byte("secret"), 0o600))
	// What the owner may not read is damaged for it, whatever root could; what it may not remove stays.
	must(t, os.Lchown(l.plain(), 0, 0))
	must(t, os.Chmod(l.plain(), 0o600))
	must(t, os.Chmod(filepath.Join(l.cache, "7f"), 0))
	rooted := filepath.Join(l.cache, "11")
	must(t, os.Lchown(rooted, 0, 0))
	must(t, os.WriteFile(filepath.Join(rooted, "garbage"), nil, 0o644))
	k := l.keeper()
	report, err := k.Scan(ScanOptions{})
	if !errors.Is(err, os.ErrPermission) || !exists(filepath.Join(rooted, "garbage")) {
		t.Errorf("root removed what the owner could not: %v", err)
	}
	if len(report.Scan.Broken) < 2 || exists(filepath.Join(l.cache, "7f")) || os.Geteuid() != 0 {
		t.Errorf("%+v; now user %d", report.Scan, os.Geteuid())
	}
	info, err := os.Stat(filepath.Join(k.State, "verified"))
	must(t, err)
	if info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Error("the owner could forge what is remembered")
	}
}

func TestOnlyBuildCachesAreTouched(t *testing.T) {
	home := t.TempDir()
	must(t, os.WriteFile(filepath.Join(home, "letter"), nil, 0o644))
	k := &Keeper{Path: home, MaxBytes: 1, Now: time.Now}
	if _, err := k.Prune(); err == nil || !strings.Contains(err.Error(), "no Go build cache") || !exists(filepath.Join(home, "letter")) {
		t.Errorf("%v", err)
	}
}
