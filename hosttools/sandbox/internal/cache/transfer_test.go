package cache

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"gofleet/sandbox/internal/cache/transfer"
)

func empty(t *testing.T, path string) {
	t.Helper()
	must(t, os.RemoveAll(path))
	must(t, os.Mkdir(path, 0o755))
}

// linked is how many actions a build adds when nothing was compiled: what the linker printed is stored with each link.
const linked = 1

// compiled is how many actions a build added.
func (l *lab) compiled(k *Keeper) int {
	l.t.Helper()
	_, err := k.Mark()
	must(l.t, err)
	l.builds()
	report, err := k.Count()
	must(l.t, err)
	return report.Job.Added
}

func TestWhatIsRestoredIsWhatWasPersisted(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	directory := filepath.Join(t.TempDir(), "kept")
	first, err := k.Persist(directory)
	must(t, err)
	second, err := k.Persist(directory)
	must(t, err)
	if first.Persist.Outputs != len(l.outputs()) || second.Persist.Outputs+second.Persist.Actions != 0 {
		t.Errorf("first %+v, second %+v", first.Persist, second.Persist)
	}
	if generation := ReadGeneration(directory); generation.Number != 2 || generation.Actions != len(l.actions()) {
		t.Errorf("%+v", generation)
	}
	saved := filepath.Join(t.TempDir(), "saved")
	clone(t, l.cache, saved)
	empty(t, l.cache)
	_, err = k.Restore(directory)
	must(t, err)
	for _, pattern := range []string{"??/*-a", "??/*-d", "??/*-d/*"} {
		for _, path := range glob(t, saved, pattern) {
			name, err := filepath.Rel(saved, path)
			must(t, err)
			was, err := os.Stat(path)
			must(t, err)
			is, err := os.Stat(filepath.Join(l.cache, name))
			must(t, err)
			late := was.ModTime().Sub(is.ModTime()).Abs()
			if was.Size() != is.Size() && !was.IsDir() || was.Mode() != is.Mode() || late > time.Second && pattern != "??/*-d/*" {
				t.Fatalf("%s: %v %v %v, was %v %v %v", name, is.Size(), is.Mode(), is.ModTime(), was.Size(), was.Mode(), was.ModTime())
			}
		}
	}
	if added := l.compiled(k); added > linked {
		t.Errorf("%d actions were not restored", added)
	}
	l.runs()
}

func TestDamageIsNeitherPersistedNorRestored(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	directory := filepath.Join(t.TempDir(), "kept")
	damaged := l.plain()
	was, err := os.ReadFile(damaged)
	must(t, err)
	flip(t, damaged)
	report, err := k.Persist(directory)
	must(t, err)
	name, err := filepath.Rel(l.cache, damaged)
	must(t, err)
	kept := filepath.Join(directory, "cache", name)
	if len(report.Persist.Broken) != 1 || exists(kept) {
		t.Fatalf("%+v", report.Persist)
	}
	must(t, os.WriteFile(damaged, was, 0o644))
	_, err = k.Persist(directory)
	must(t, err)
	for i, damage := range []func(){
		func() { flip(t, kept) },
		func() { must(t, os.Truncate(kept, 3)) },
		func() { must(t, os.Truncate(kept, 0)) },
	} {
		damage()
		empty(t, l.cache)
		_, err := k.Restore(directory)
		must(t, err)
		if exists(damaged) {
			t.Errorf("damage %d was restored", i)
		}
		l.builds()
		_, err = k.Persist(directory)
		must(t, err)
		if now, err := os.ReadFile(kept); err != nil || string(now) != string(was) {
			t.Errorf("damage %d stayed in what is persisted: %v", i, err)
		}
	}
}

func TestWhatIsRestoredBelongsToTheCachesOwner(t *testing.T) {
	needRoot(t)
	l := newLab(t)
	k := l.keeper()
	directory := filepath.Join(t.TempDir(), "kept")
	_, err := k.Persist(directory)
	must(t, err)
	empty(t, l.cache)
	must(t, os.Chown(l.cache, 65534, 65533))
	must(t, os.Chmod(l.cache, 0o770|os.ModeSetgid))
	_, err = k.Restore(directory)
	must(t, err)
	for _, path := range append(glob(t, l.cache, "??"), append(l.outputs(), l.actions()...)...) {
		info, err := os.Stat(path)
		must(t, err)
		owner := info.Sys().(*syscall.Stat_t)
		if owner.Uid != 65534 || owner.Gid != 65533 {
			t.Fatalf("%s belongs to %d:%d", path, owner.Uid, owner.Gid)
		}
		if info.IsDir() && info.Mode() != os.ModeDir|0o770|os.ModeSetgid {
			t.Fatalf("%s: %v", path, info.Mode())
		}
	}
}

func TestNothingPersistedRestoresNothing(t *testing.T) {
	l := newLab(t)
	empty(t, l.cache)
	report, err := l.keeper().Restore(filepath.Join(t.TempDir(), "kept"))
	must(t, err)
	if report.Restore.Outputs != 0 || len(l.outputs()) != 0 {
		t.Errorf("%+v", report.Restore)
	}
}

func TestWhatIsPersistedHasABudget(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	directory := filepath.Join(t.TempDir(), "kept")
	report, err := k.Persist(directory)
	must(t, err)
	k.MaxBytes = report.Occupied / 2
	age(t, l.plain(), -time.Minute)
	_, err = k.Persist(directory)
	must(t, err)
	generation := ReadGeneration(directory)
	name, err := filepath.Rel(l.cache, l.plain())
	must(t, err)
	if generation.Bytes > k.MaxBytes || generation.Outputs == 0 || !exists(filepath.Join(directory, "cache", name)) {
		t.Errorf("%+v, of %d", generation, k.MaxBytes)
	}
	empty(t, l.cache)
	report, err = k.Restore(directory)
	must(t, err)
	if report.Restore.LeftOut != 0 || report.Outputs != generation.Outputs {
		t.Errorf("%+v", report.Restore)
	}
}

// TestKilledAtAnyMoment kills copies at random points: what they leave is usable, and the next copy completes it.
func TestKilledAtAnyMoment(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	whole := filepath.Join(t.TempDir(), "whole")
	began := time.Now()
	_, err := k.Persist(whole)
	must(t, err)
	took := time.Since(began)
	original := filepath.Join(t.TempDir(), "original")
	clone(t, l.cache, original)
	for round := range 12 {
		after := time.Duration(rand.Int64N(int64(took)))
		directory := filepath.Join(t.TempDir(), "kept")
		verb := []string{"persist", "restore"}[round%2]
		if verb == "restore" {
			directory = whole
			empty(t, l.cache)
		}
		killed := kill(t, verb, l.cache, directory, after)
		if verb == "persist" {
			empty(t, l.cache)
			_, err := k.Restore(directory)
			must(t, err)
		}
		report, err := k.Scan(ScanOptions{Keep: true, All: true})
		must(t, err)
		for _, each := range report.Scan.Broken {
			if each.Reason != "not a name of the go command's" {
				t.Errorf("%s, ended after %v (%v): %+v", verb, after, killed, each)
			}
		}
		if round < 2 {
			l.builds()
		}
		_, err = k.Restore(whole)
		must(t, err)
		report, err = k.Scan(ScanOptions{Keep: true, All: true})
		must(t, err)
		if len(report.Scan.Broken) != 0 || report.Actions < len(glob(t, original, "??/*-a")) {
			t.Errorf("%s, ended after %v: a whole restore left %d actions and %v", verb, after, report.Actions, report.Scan.Broken)
		}
	}
	if added := l.compiled(k); added > linked {
		t.Errorf("%d actions were lost", added)
	}
}

func kill(t *testing.T, verb, cache, directory string, after time.Duration) bool {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "GOFLEET_TEST_COPY="+verb, "GOFLEET_TEST_CACHE="+cache, "GOFLEET_TEST_DIRECTORY="+directory)
	command.Stderr = os.Stderr
	must(t, command.Start())
	time.Sleep(after)
	must(t, command.Process.Signal(syscall.SIGKILL))
	state, err := command.Process.Wait()
	must(t, err)
	return !state.Exited()
}

func TestAFullFileSystem(t *testing.T) {
	if !inMountNamespace(t) {
		return
	}
	l := newLab(t)
	k := l.keeper()
	directory := filepath.Join(t.TempDir(), "kept")
	all, err := k.Persist(directory)
	must(t, err)
	small := "size=" + itoa(all.Occupied/2)

	t.Run("restore into too small a cache", func(t *testing.T) {
		l := *l
		l.t, l.cache = t, mountTmpfs(t, small+",mode=0700")
		k := l.keeper()
		report, err := k.Restore(directory)
		must(t, err)
		if report.Restore.LeftOut == 0 || report.Restore.Outputs == 0 || report.Occupied > report.Budget {
			t.Errorf("%+v", report.Restore)
		}
		_, err = k.Scan(ScanOptions{})
		must(t, err)
		l.builds()
	})
	t.Run("restore beside what fills it", func(t *testing.T) {
		l := *l
		l.t, l.cache = t, mountTmpfs(t, small+",mode=0700")
		must(t, os.Mkdir(filepath.Join(l.cache, "fuzz"), 0o755))
		must(t, os.WriteFile(filepath.Join(l.cache, "fuzz", "big"), make([]byte, all.Occupied/3), 0o644))
		k := l.keeper()
		if _, err := k.Restore(directory); err != nil && !errors.Is(err, transfer.ErrNoRoom) {
			t.Errorf("%v", err)
		}
		report, err := k.Scan(ScanOptions{})
		must(t, err)
		if len(report.Scan.Broken) != 0 {
			t.Errorf("%v", report.Scan.Broken)
		}
	})
	t.Run("no inodes", func(t *testing.T) {
		l := *l
		l.t, l.cache = t, mountTmpfs(t, "nr_inodes=200,mode=0700")
		k := l.keeper()
		if _, err := k.Restore(directory); !errors.Is(err, transfer.ErrNoRoom) || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%v", err)
		}
		report, err := k.Scan(ScanOptions{})
		must(t, err)
		if len(report.Scan.Broken) != 0 || report.Actions == 0 {
			t.Errorf("%v, %d actions", report.Scan.Broken, report.Actions)
		}
	})
	t.Run("persist to a full disk", func(t *testing.T) {
		l := newLab(t)
		k := l.keeper()
		directory := mountTmpfs(t, small)
		_, err := k.Persist(directory)
		if !errors.Is(err, transfer.ErrNoRoom) || ReadGeneration(directory).Number != 0 {
			t.Errorf("%v", err)
		}
		empty(t, l.cache)
		restored, err := k.Restore(directory)
		must(t, err)
		if restored.Restore.Outputs == 0 {
			t.Errorf("%+v", restored.Restore)
		}
	})
	t.Run("preflight of a full cache", func(t *testing.T) {
		cache := mountTmpfs(t, "size=4m,mode=0700")
		must(t, os.Mkdir(filepath.Join(cache, "00"), 0o755))
		must(t, ignoreFull(os.WriteFile(filepath.Join(cache, "big"), make([]byte, 5<<20), 0o644)))
		k := &Keeper{Path: cache, State: filepath.Join(t.TempDir(), "state"), Now: time.Now}
		if report, err := k.Preflight(0); !errors.Is(err, ErrNotStoring) || *report.Stores {
			t.Errorf("%v", err)
		}
		// In a cache that nobody else uses, what fills it goes.
		k.Own = true
		if report, err := k.Preflight(0); err != nil || !*report.Stores {
			t.Errorf("%v", err)
		}
	})
	t.Run("preflight of a cache that is read-only", func(t *testing.T) {
		cache := mountTmpfs(t, "size=4m,mode=0700")
		must(t, syscall.Mount("", cache, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "size=4m,mode=0700"))
		if _, err := (&Keeper{Path: cache, Now: time.Now}).Preflight(0); !errors.Is(err, ErrNotStoring) {
			t.Errorf("%v", err)
		}
	})
}

func ignoreFull(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return nil
	}
	return err
}
