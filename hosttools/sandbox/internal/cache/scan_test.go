package cache

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gofleet/sandbox/internal/cache/verify"
	"gofleet/sandbox/internal/files"
)

// plain is an output that the build needs: the package of the module.
func (l *lab) plain() string {
	l.t.Helper()
	for _, path := range l.outputs() {
		content, err := os.ReadFile(path)
		if err == nil && bytes.HasPrefix(content, []byte("!<arch>")) && bytes.Contains(content, []byte("greet.Hello")) {
			return path
		}
	}
	l.t.Fatal("the package is not in the cache")
	return ""
}

var zeros = strings.Repeat("0", 64)

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

// oneDamage are damages to a single place: what was damaged must go.
var oneDamage = map[string]func(t *testing.T, l *lab) (damaged string){
	"one byte of an output": func(t *testing.T, l *lab) string {
		flip(t, l.plain())
		return l.plain()
	},
	"one byte of an executable": func(t *testing.T, l *lab) string {
		flip(t, glob(t, l.executable(), "*")[0])
		return l.executable()
	},
	"an executable that is gone": func(t *testing.T, l *lab) string {
		must(t, os.Remove(glob(t, l.executable(), "*")[0]))
		return l.executable()
	},
	"two executables": func(t *testing.T, l *lab) string {
		write(t, filepath.Join(l.executable(), "other"), "#!/bin/sh\n")
		return l.executable()
	},
	"a link for an executable": func(t *testing.T, l *lab) string {
		path := glob(t, l.executable(), "*")[0]
		must(t, os.Remove(path))
		must(t, os.Symlink("/bin/true", path))
		return l.executable()
	},
	"a truncated output": func(t *testing.T, l *lab) string {
		path := l.plain()
		must(t, os.Truncate(path, 10))
		return path
	},
	"an empty output": func(t *testing.T, l *lab) string {
		path := l.plain()
		must(t, os.Truncate(path, 0))
		return path
	},
	"a longer output": func(t *testing.T, l *lab) string {
		path := l.plain()
		info, err := os.Stat(path)
		must(t, err)
		must(t, os.Truncate(path, info.Size()+1))
		return path
	},
	"an unreadable output": func(t *testing.T, l *lab) string {
		path := l.plain()
		must(t, os.Chmod(path, 0))
		return path
	},
	"an output that is a link out": func(t *testing.T, l *lab) string {
		path, out := l.plain(), filepath.Join(t.TempDir(), "out")
		must(t, os.Rename(path, out))
		must(t, os.Symlink(out, path))
		return path
	},
	"an output that is a pipe": func(t *testing.T, l *lab) string {
		path := l.plain()
		must(t, os.Remove(path))
		must(t, syscall.Mkfifo(path, 0o644))
		return path
	},
	"an action that names no output": func(t *testing.T, l *lab) string {
		id := strings.Repeat("ab", 32)
		path := filepath.Join(l.cache, "ab", id+"-a")
		write(t, path, fmt.Sprintf("v1 %s %s %20d %20d\n", id, zeros, 5, time.Now().UnixNano()))
		return path
	},
	"an action of size -1": func(t *testing.T, l *lab) string {
		path := l.actions()[0]
		id := strings.TrimSuffix(filepath.Base(path), "-a")
		write(t, path, fmt.Sprintf("v1 %s %s %20d %20d\n", id, zeros, -1, time.Now().UnixNano()))
		return path
	},
	"an empty action": func(t *testing.T, l *lab) string {
		write(t, l.actions()[0], "")
		return l.actions()[0]
	},
	"another action's content": func(t *testing.T, l *lab) string {
		content, err := os.ReadFile(l.actions()[0])
		must(t, err)
		write(t, l.actions()[1], string(content))
		return l.actions()[1]
	},
	"an unreadable action": func(t *testing.T, l *lab) string {
		must(t, os.Chmod(l.actions()[0], 0))
		return l.actions()[0]
	},
	"an action that is a directory": func(t *testing.T, l *lab) string {
		path := l.actions()[0]
		must(t, os.Remove(path))
		must(t, os.MkdirAll(filepath.Join(path, "below"), 0o755))
		return path
	},
	"an action that is a link out": func(t *testing.T, l *lab) string {
		path, out := l.actions()[0], filepath.Join(t.TempDir(), "out")
		must(t, os.Rename(path, out))
		must(t, os.Symlink(out, path))
		return path
	},
	"a name of garbage": func(t *testing.T, l *lab) string {
		path := filepath.Join(l.cache, "00", "a\nb")
		write(t, path, "garbage")
		return path
	},
	"a name in upper case": func(t *testing.T, l *lab) string {
		path := filepath.Join(l.cache, "00", strings.Repeat("0A", 32)+"-d")
		write(t, path, "garbage")
		return path
	},
	"a directory of directories": func(t *testing.T, l *lab) string {
		must(t, os.MkdirAll(filepath.Join(l.cache, "01", "deep", "er"), 0o755))
		return filepath.Join(l.cache, "01", "deep")
	},
	"a bucket that is a link out": func(t *testing.T, l *lab) string {
		bucket, out := filepath.Join(l.cache, "7f"), filepath.Join(t.TempDir(), "out")
		must(t, os.Rename(bucket, out))
		must(t, os.Symlink(out, bucket))
		return bucket
	},
	"a bucket that is a file": func(t *testing.T, l *lab) string {
		bucket := filepath.Join(l.cache, "7f")
		must(t, os.RemoveAll(bucket))
		write(t, bucket, "")
		return bucket
	},
}

func TestEachDamageIsFoundAndGoes(t *testing.T) {
	for name, damage := range oneDamage {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			damaged := damage(t, l)
			k := l.keeper()
			report, err := k.Scan(ScanOptions{})
			must(t, err)
			if len(report.Scan.Broken) == 0 || exists(damaged) {
				t.Fatalf("%s is still there; found: %v", damaged, report.Scan.Broken)
			}
			again, err := k.Scan(ScanOptions{Keep: true})
			must(t, err)
			if len(again.Scan.Broken) != 0 {
				t.Errorf("found again: %v", again.Scan.Broken)
			}
			l.builds()
			if strings.Contains(name, "executable") {
				l.runs()
			}
		})
	}
}

// TestABuildIsRightAfterMuchDamage damages every file of a cache, each in one of several ways.
func TestABuildIsRightAfterMuchDamage(t *testing.T) {
	l := newLab(t)
	for i, path := range l.outputs() {
		info, err := os.Stat(path)
		must(t, err)
		switch {
		case info.IsDir() || info.Size() == 0:
		case i%4 == 0:
			must(t, os.Remove(path))
		case i%4 == 1:
			must(t, os.Truncate(path, info.Size()/2))
		case i%4 == 2:
			must(t, os.Truncate(path, 0))
		default:
			flip(t, path)
		}
	}
	for i, path := range l.actions() {
		if i%3 == 0 {
			write(t, path, strings.Repeat("garbage\n", i%40))
		}
	}
	k := l.keeper()
	report, err := k.Scan(ScanOptions{})
	must(t, err)
	if len(report.Scan.Broken) < len(l.outputs()) {
		t.Errorf("only %d were found", len(report.Scan.Broken))
	}
	l.builds()
}

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
