package watch

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/lock"
	"gofleet/sandbox/internal/pause"
	"gofleet/sandbox/internal/slot"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// heap is a build cache of files of 64 KiB, of which the first letter says whether they are results of tests.
type heap struct {
	path string
	slot int
	log  *[]string
}

func (h heap) Path() string { return h.path }
func (h heap) Slot() int    { return h.slot }

func (h heap) Occupied() (bytes, files int64, err error) {
	entries, err := os.ReadDir(h.path)
	return int64(len(entries)) << 16, int64(len(entries)), err
}

func (h heap) ExpireTests() error {
	*h.log = append(*h.log, "tests")
	found, err := filepath.Glob(filepath.Join(h.path, "t*"))
	for _, each := range found {
		err = errors.Join(err, os.Remove(each))
	}
	return err
}

func (h heap) Shrink(bytes, files int64) error {
	*h.log = append(*h.log, "builds")
	entries, err := os.ReadDir(h.path)
	for i := 0; i < len(entries) && (int64(len(entries)-i)<<16 > bytes || int64(len(entries)-i) > files); i++ {
		err = errors.Join(err, os.Remove(filepath.Join(h.path, entries[i].Name())))
	}
	return err
}

type lab struct {
	*config.Config
	w   watcher
	log []string
	// disk is a file system of 8 MiB; memory another one, the build cache of slot 1.
	disk, memory string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: needs root: file systems of a size")
	}
	top := t.TempDir()
	// The thread is not unlocked: it ends with the test, and its namespace with it.
	runtime.LockOSThread()
	must(t, syscall.Unshare(syscall.CLONE_NEWNS|syscall.CLONE_FS))
	must(t, syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	l := &lab{disk: filepath.Join(top, "disk"), memory: filepath.Join(top, "memory")}
	for _, each := range []string{l.disk, l.memory} {
		must(t, os.Mkdir(each, 0o755))
		must(t, syscall.Mount("none", each, "tmpfs", 0, "size=8m,nr_inodes=1000"))
		t.Cleanup(func() { syscall.Unmount(each, syscall.MNT_DETACH) })
	}
	l.Config = &config.Config{
		Component: "ci", State: filepath.Join(top, "state"), PauseMark: filepath.Join(top, "paused"), JobLock: filepath.Join(top, "jobs.lock"),
		Metrics: filepath.Join(top, "metrics.prom"),
		Slots:   []config.Slot{{Number: 1, BuildCache: l.memory}, {Number: 2, BuildCache: filepath.Join(l.disk, "build")}},
		Watch:   config.Watch{Paths: []string{l.disk}, LowPercent: 60, PausePercent: 70, ReclaimPercent: 90, WaitSeconds: 1},
	}
	must(t, os.MkdirAll(l.State, 0o755))
	must(t, os.MkdirAll(filepath.Join(l.disk, "build"), 0o755))
	for i := range l.Slots {
		must(t, slot.MakeLock(l.Config, &l.Slots[i], 0, 0))
	}
	l.w = watcher{c: l.Config, now: time.Now, caches: func(*config.Config) ([]BuildCache, error) {
		return []BuildCache{heap{l.memory, 1, &l.log}, heap{filepath.Join(l.disk, "build"), 2, &l.log}}, nil
	}}
	return l
}

// fill makes a number of files of 64 KiB; 128 of them fill a file system of the lab.
func fill(t *testing.T, folder, prefix string, count int) {
	t.Helper()
	must(t, os.MkdirAll(folder, 0o755))
	for i := range count {
		must(t, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s%d", prefix, i)), make([]byte, 1<<16), 0o644))
	}
}

func (l *lab) report() Report { return last(filepath.Join(l.State, "watch.json")) }

func TestBelowAllMarksNothingHappens(t *testing.T) {
	l := newLab(t)
	fill(t, filepath.Join(l.disk, "build"), "b", 80)
	must(t, l.w.run())
	if r := l.report(); pause.Paused(l.PauseMark) || len(l.log) > 0 || r.Alarm != "" || len(r.FileSystems) < 2 {
		t.Errorf("%+v %v", r, l.log)
	}
}

func TestOfWhatIsMissingTheFileSystemAboveIsWatched(t *testing.T) {
	l := newLab(t)
	l.Watch.Paths = []string{filepath.Join(l.disk, "none", "at", "all")}
	l.Watch.Toolchains = []string{filepath.Join(l.disk, "toolchains", "none")}
	fill(t, filepath.Join(l.disk, "database"), "x", 100)
	if err := l.w.run(); !errors.Is(err, ErrNothingFreed) {
		t.Errorf("%v", err)
	}
	if r := l.report(); !pause.Paused(l.PauseMark) || !strings.Contains(r.Alarm, l.disk+":") {
		t.Errorf("%+v", r)
	}
}

func TestAPauseBeginsAndLastsToTheLowerMark(t *testing.T) {
	l := newLab(t)
	jobs := filepath.Join(l.disk, "job")
	fill(t, jobs, "x", 95)
	must(t, slot.MarkBusy(l.Config, &l.Slots[1]))
	must(t, l.w.run())
	if mark, _ := pause.Read(l.PauseMark); !strings.Contains(mark[pause.Watch].Why, "% of the bytes are used") || len(l.log) > 0 {
		t.Errorf("%v %v", mark, l.log)
	}
	must(t, exec.Command("sh", "-c", "rm "+jobs+"/x1?").Run())
	must(t, l.w.run())
	if !pause.Paused(l.PauseMark) {
		t.Error("the pause ended between the marks")
	}
	must(t, os.RemoveAll(jobs))
	must(t, l.w.run())
	if pause.Paused(l.PauseMark) {
		t.Error("the pause lasts")
	}
}

func TestAnAgentIsAskedAgainWhileAPauseLasts(t *testing.T) {
	l := newLab(t)
	asked, known := 0, true
	github := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		known = known && r.Method != http.MethodDelete
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(github.Close)
	credential := filepath.Join(l.State, "credential")
	must(t, os.WriteFile(credential, []byte("token"), 0o400))
	l.Agent = &config.Agent{Kind: config.GitHub, API: github.URL, Credential: credential, Scope: "corp"}
	record, err := json.Marshal([]map[string]any{{"name": "runner", "id": "7", "at": l.Agent}})
	must(t, err)
	must(t, os.MkdirAll(filepath.Dir(l.Registration(2)), 0o700))
	must(t, os.WriteFile(l.Registration(2), record, 0o600))
	must(t, slot.MarkBusy(l.Config, &l.Slots[1]))
	fill(t, filepath.Join(l.disk, "job"), "x", 95)
	must(t, l.w.run())
	if !pause.Paused(l.PauseMark) || asked == 0 || !known {
		t.Fatalf("asked %d times; known: %v", asked, known)
	}
	// GitHub would not have the runner go; an idle one would wait for a job for ever.
	must(t, l.w.run())
	if known {
		t.Error("not asked again")
	}
	before := asked
	must(t, l.w.run())
	if asked != before {
		t.Error("asked about a runner that is no more")
	}
}

func TestInodesCountAsBytesDo(t *testing.T) {
	l := newLab(t)
	for i := range 750 {
		must(t, os.WriteFile(filepath.Join(l.disk, fmt.Sprint(i)), nil, 0o644))
	}
	must(t, slot.MarkBusy(l.Config, &l.Slots[1]))
	must(t, l.w.run())
	if mark, _ := pause.Read(l.PauseMark); !strings.Contains(mark[pause.Watch].Why, "% of the inodes are used") {
		t.Errorf("%v", mark)
	}
}

func TestTooManyFilesAreEmptiedAsTooManyBytesAre(t *testing.T) {
	l := newLab(t)
	build := filepath.Join(l.disk, "build")
	// Small ones, which take no room: 850 of 1000 inodes.
	for i := range 850 {
		must(t, os.WriteFile(filepath.Join(build, fmt.Sprintf("b%03d", i)), nil, 0o644))
	}
	must(t, l.w.run())
	r := l.report()
	if !slices.Contains(l.log, "builds") || r.FreedInodes < 250 || r.FileSystems[0].Percent >= 60 || pause.Paused(l.PauseMark) || r.Alarm != "" {
		t.Errorf("%+v %v", r, l.log)
	}
	if left, err := os.ReadDir(build); err != nil || len(left) < 500 {
		t.Errorf("more was removed than was needed: %d are left, %v", len(left), err)
	}
}

func TestTheCheapestGoesFirstAndNoMoreThanNeeded(t *testing.T) {
	l := newLab(t)
	build := filepath.Join(l.disk, "build")
	fill(t, build, "b", 60)
	fill(t, build, "t", 60)
	must(t, l.w.run())
	r := l.report()
	if !slices.Equal(l.log, []string{"tests"}) || r.FreedBytes != 60<<16 || len(r.Steps) != 1 || pause.Paused(l.PauseMark) || r.Alarm != "" {
		t.Errorf("%+v %v", r, l.log)
	}
	l.log = nil
	fill(t, build, "c", 60)
	must(t, l.w.run())
	r = l.report()
	if !slices.Equal(l.log, []string{"tests", "builds"}) || r.FileSystems[0].Percent >= 60 || r.FileSystems[0].Percent < 55 || r.TotalBytes <= r.FreedBytes {
		t.Errorf("%+v %v", r, l.log)
	}
	text, err := os.ReadFile(l.Metrics)
	if err != nil || !strings.Contains(string(text), `gofleet_sandbox_reclaim_stuck{component="ci"} 0`) || !strings.Contains(string(text), fmt.Sprintf("gofleet_sandbox_reclaimed_bytes_total{component=\"ci\"} %d\n", r.TotalBytes)) {
		t.Errorf("%s %v", text, err)
	}
}

func TestSeveralCachesOfAFileSystemAreEnoughWhereTheyAre(t *testing.T) {
	l := newLab(t)
	l.Slots = append(l.Slots, config.Slot{Number: 3, BuildCache: filepath.Join(l.disk, "third")})
	must(t, slot.MakeLock(l.Config, &l.Slots[2], 0, 0))
	l.w.caches = func(*config.Config) ([]BuildCache, error) {
		return []BuildCache{heap{l.Slots[1].BuildCache, 2, &l.log}, heap{l.Slots[2].BuildCache, 3, &l.log}}, nil
	}
	// Module versions, 11 of 128 parts each: dearer than what is built.
	left := l.versions(t)
	for _, each := range left()[2:] {
		must(t, exec.Command("rm", "-r", each).Run())
	}
	fill(t, l.Slots[1].BuildCache, "b", 48)
	fill(t, l.Slots[2].BuildCache, "b", 48)
	must(t, l.w.run())
	r := l.report()
	if len(left()) != 2 || r.FileSystems[0].Percent >= 60 || r.FileSystems[0].Percent < 57 {
		t.Errorf("%v %+v", left(), r)
	}
	// Each has given as much as the other.
	for _, each := range l.Slots[1:] {
		if entries, err := os.ReadDir(each.BuildCache); err != nil || len(entries) < 24 || len(entries) > 28 {
			t.Errorf("%s has %d parts, %v", each.BuildCache, len(entries), err)
		}
	}
}

func TestAPausedHostWithoutJobsIsEmptiedBelowTheUpperMark(t *testing.T) {
	l := newLab(t)
	fill(t, filepath.Join(l.disk, "build"), "b", 100)
	must(t, l.w.run())
	if pause.Paused(l.PauseMark) || !slices.Contains(l.log, "builds") {
		t.Errorf("it would be paused for ever: %v", l.log)
	}
}

func TestRunningJobsAreWaitedForAndNotTheirSlotsTouched(t *testing.T) {
	l := newLab(t)
	build := filepath.Join(l.disk, "build")
	fill(t, build, "b", 120)
	must(t, slot.MarkBusy(l.Config, &l.Slots[1]))
	err := l.w.run()
	if !errors.Is(err, ErrNothingFreed) || !strings.Contains(err.Error(), "slots 2 have had a job all the time") || len(l.log) > 0 {
		t.Errorf("%v %v", err, l.log)
	}
	l.Watch.WaitSeconds = 20
	go func() {
		time.Sleep(700 * time.Millisecond)
		slot.MarkIdle(l.Config, &l.Slots[1])
	}()
	must(t, l.w.run())
	if !slices.Contains(l.log, "builds") {
		t.Errorf("%v", l.log)
	}
}

func TestNoJobBeginsWhileItsSlotIsEmptied(t *testing.T) {
	l := newLab(t)
	fill(t, filepath.Join(l.disk, "build"), "b", 120)
	held := true
	inner := l.w.caches
	l.w.caches = func(c *config.Config) ([]BuildCache, error) {
		list, err := inner(c)
		return []BuildCache{probe{list[1], func() {
			held = exec.Command("flock", "-n", "-x", c.Lock(&c.Slots[1]), "true").Run() != nil
		}}}, err
	}
	must(t, l.w.run())
	if !held {
		t.Error("the lock was free meanwhile")
	}
	if file, err := os.Open(l.Lock(&l.Slots[1])); err == nil {
		defer file.Close()
		if free, _ := lock.Try(t.Context(), file, lock.Exclusive); !free {
			t.Error("the lock is held afterwards")
		}
	}
}

type probe struct {
	BuildCache
	do func()
}

func (p probe) Shrink(bytes, files int64) error {
	p.do()
	return p.BuildCache.Shrink(bytes, files)
}

func TestNothingFreedIsAnAlarm(t *testing.T) {
	l := newLab(t)
	fill(t, filepath.Join(l.disk, "database"), "x", 120)
	if err := l.w.run(); !errors.Is(err, ErrNothingFreed) {
		t.Errorf("%v", err)
	}
	text, _ := os.ReadFile(l.Metrics)
	if r := l.report(); r.Alarm == "" || !strings.Contains(string(text), `gofleet_sandbox_reclaim_stuck{component="ci"} 1`) || !strings.Contains(string(text), `gofleet_sandbox_paused{component="ci"} 1`) {
		t.Errorf("%+v %s", r, text)
	}
}

func TestAFullCacheInMemoryIsEmptiedBetweenJobsAndHoldsUpNobodyElse(t *testing.T) {
	l := newLab(t)
	fill(t, l.memory, "b", 95)
	must(t, slot.MarkBusy(l.Config, &l.Slots[0]))
	must(t, slot.MarkBusy(l.Config, &l.Slots[1]))
	must(t, l.w.run())
	if pause.Paused(l.PauseMark) || len(l.log) > 0 {
		t.Errorf("%v", l.log)
	}
	must(t, slot.MarkIdle(l.Config, &l.Slots[0]))
	must(t, l.w.run())
	if r := l.report(); pause.Paused(l.PauseMark) || !slices.Contains(l.log, "builds") || r.FreedBytes == 0 {
		t.Errorf("%+v %v", r, l.log)
	}
}

// versions puts ten versions of eleven parts each into the shared module cache; the last one came first.
func (l *lab) versions(t *testing.T) (left func() []string) {
	t.Helper()
	l.Modules.Shared = filepath.Join(l.disk, "modules")
	for i := range 10 {
		version := fmt.Sprintf("v1.%d.0", i)
		fill(t, filepath.Join(l.Modules.Shared, "example.com", "a@"+version), "x", 11)
		zip := filepath.Join(l.Modules.Shared, "cache", "download", "example.com", "a", "@v", version+".zip")
		must(t, os.MkdirAll(filepath.Dir(zip), 0o755))
		for _, kind := range []string{"zip", "ziphash", "info", "mod"} {
			must(t, os.WriteFile(strings.TrimSuffix(zip, "zip")+kind, nil, 0o444))
		}
		must(t, os.Chtimes(zip, time.Time{}, time.Unix(int64(1000-i), 0)))
		must(t, os.Chmod(filepath.Join(l.Modules.Shared, "example.com", "a@"+version), 0o555))
	}
	return func() []string {
		found, err := filepath.Glob(filepath.Join(l.Modules.Shared, "example.com", "*"))
		must(t, err)
		return found
	}
}

func TestOldVersionsOfModulesGoAndNewOnesStay(t *testing.T) {
	l := newLab(t)
	left := l.versions(t)
	must(t, l.w.run())
	// 110 of 128 parts are used; below 60 % are six versions, the newest of which is v1.0.0 by its time.
	if left := left(); len(left) != 6 || filepath.Base(left[5]) != "a@v1.5.0" {
		t.Errorf("%v", left)
	}
	if zips, _ := filepath.Glob(filepath.Join(l.Modules.Shared, "cache", "download", "example.com", "a", "@v", "*")); len(zips) != 24 {
		t.Errorf("%v", zips)
	}
}

func TestToolchainsThatNoReleaseNamesGo(t *testing.T) {
	l := newLab(t)
	defer func(a, b string) { components, hostLock = a, b }(components, hostLock)
	components, hostLock = filepath.Join(l.State, "etc"), filepath.Join(l.State, "lock")
	folder := filepath.Join(l.disk, "go")
	for _, name := range []string{"go1.25.1-a", "go1.26.0-b", "go1.26.1-c", "go1.27.0-d"} {
		fill(t, filepath.Join(folder, name), "x", 28)
		must(t, os.Chtimes(filepath.Join(folder, name), time.Time{}, time.Now().Add(-24*time.Hour)))
	}
	// Being staged: no release names it yet.
	must(t, os.Chtimes(filepath.Join(folder, "go1.27.0-d"), time.Time{}, time.Now()))
	for release, name := range map[string]string{"0123": "go1.26.0-b", "4567": "go1.26.1-c"} {
		manifest := filepath.Join(components, "go", "releases", release, ".gofleet", "manifest")
		must(t, os.MkdirAll(filepath.Dir(manifest), 0o755))
		must(t, os.WriteFile(manifest, []byte("gofleet\t1\ndownload\t"+name+"\tany\tmodule\th1:x\t-\t-\n"), 0o644))
	}
	l.Watch.Toolchains = []string{folder, filepath.Join(l.disk, "strange")}
	fill(t, filepath.Join(l.disk, "strange", "go1.0"), "x", 1)
	names := func() string {
		found, err := filepath.Glob(filepath.Join(l.disk, "*", "go1*"))
		must(t, err)
		for i := range found {
			found[i] = filepath.Base(found[i])
		}
		return strings.Join(found, " ")
	}
	must(t, os.WriteFile(hostLock, nil, 0o644))
	held, err := lock.File(hostLock)
	must(t, err)
	if err := l.w.run(); !errors.Is(err, ErrNothingFreed) || names() != "go1.25.1-a go1.26.0-b go1.26.1-c go1.27.0-d go1.0" {
		t.Errorf("while a component is being changed: %v %s", err, names())
	}
	held()
	must(t, l.w.run())
	if names() != "go1.26.0-b go1.26.1-c go1.27.0-d go1.0" {
		t.Error(names())
	}
}

func TestContainerCachesComeLastAndTheirFailureIsSaid(t *testing.T) {
	l := newLab(t)
	// Commands of a configuration run on disks; here all is in memory.
	images := filepath.Join(l.disk, "images")
	fill(t, images, "x", 120)
	l.Watch.Containers = [][]string{{"sh", "-c", "echo broken; exit 3"}}
	if err := runCommand(t.Context(), l.Watch.Containers[0]); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("%v", err)
	}
	steps, err := l.w.steps()
	if err != nil || steps[len(steps)-1].name != "container cache" || steps[len(steps)-1].slot != 0 {
		t.Errorf("%+v %v", steps, err)
	}
	disk := FileSystem{Percent: 99}
	if needed(steps[len(steps)-1], []FileSystem{disk}, []FileSystem{disk}, 60) == nil {
		t.Error("not used on a full disk")
	}
}

func TestRealCachesAreEmptied(t *testing.T) {
	l := newLab(t)
	l.w.caches = caches
	own, nonsense := filepath.Join(l.disk, "build"), l.memory
	id := func(i int) string { return fmt.Sprintf("%02x%062x", i, i) }
	for i := range 120 {
		must(t, os.MkdirAll(filepath.Join(own, id(i)[:2]), 0o755))
		must(t, os.WriteFile(filepath.Join(own, id(i)[:2], id(i)+"-d"), make([]byte, 1<<16), 0o644))
		action := fmt.Sprintf("v1 %s %s %20d %20d\n", id(i), id(i), 1<<16, time.Now().UnixNano())
		must(t, os.WriteFile(filepath.Join(own, id(i)[:2], id(i)+"-a"), []byte(action), 0o644))
	}
	// What a job has made of its own cache, so that no keeper takes it for one.
	fill(t, nonsense, "x", 120)
	if err := l.w.run(); err != nil && !strings.Contains(err.Error(), "no Go build cache") {
		t.Error(err)
	}
	for _, each := range l.report().FileSystems {
		if each.Percent >= 60 {
			t.Errorf("%v", each)
		}
	}
	if left, err := filepath.Glob(filepath.Join(own, "*", "*-d")); err != nil || len(left) < 30 {
		t.Errorf("more was removed than was needed: %d are left, %v", len(left), err)
	}
}
