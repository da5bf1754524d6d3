package modules

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/module"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), 0o644))
}

// serve puts a version into a directory that GOPROXY reads.
func serve(t *testing.T, proxy string, v module.Version) {
	t.Helper()
	mod := "module " + v.Path + "\n"
	write(t, filepath.Join(proxy, v.File("mod")), mod)
	write(t, filepath.Join(proxy, v.File("info")), fmt.Sprintf(`{"Version":%q}`, v.Version))
	file, err := os.Create(filepath.Join(proxy, v.File("zip")))
	must(t, err)
	z := zip.NewWriter(file)
	for name, content := range map[string]string{"go.mod": mod, "sub/a.go": "package sub\n"} {
		w, err := z.Create(v.String() + "/" + name)
		must(t, err)
		_, err = w.Write([]byte(content))
		must(t, err)
	}
	must(t, errors.Join(z.Close(), file.Close()))
}

type lab struct {
	*config.Config
	proxy string
}

// newLab is an empty shared cache and a proxy of files.
func newLab(t *testing.T) *lab {
	t.Helper()
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Skip("SKIPPED: needs a go command")
	}
	top := t.TempDir()
	l := &lab{proxy: filepath.Join(top, "proxy")}
	l.Config = &config.Config{
		Go: goCommand, State: filepath.Join(top, "state"), PauseMark: filepath.Join(top, "paused"),
		Modules: config.Modules{Shared: filepath.Join(top, "modules"), Environment: map[string]string{
			"GOPROXY": "file://" + l.proxy, "GONOSUMDB": "example.com/*", "GOFLAGS": "-mod=vendor", "GOVCS": "*:all",
		}},
		Watch: config.Watch{LowPercent: 100},
	}
	must(t, os.MkdirAll(l.Modules.Shared, 0o700))
	must(t, os.MkdirAll(l.Wanted(), 0o700))
	t.Cleanup(func() {
		// Its directories are read-only.
		filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error { os.Chmod(path, 0o755); return nil })
	})
	return l
}

// TestMain runs all tests as somebody else where root runs them: no module user is root.
func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		os.Exit(m.Run())
	}
	os.Exit(asNobody())
}

func asNobody() int {
	const nobody = 65534
	folder, err := os.MkdirTemp("", "modules-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	program, err := os.ReadFile("/proc/self/exe")
	own := filepath.Join(folder, "test")
	if err := errors.Join(err, os.WriteFile(own, program, 0o755), os.Chown(folder, nobody, nobody)); err != nil {
		panic(err)
	}
	// The go command's own log of what a test reads is root's.
	arguments := slices.DeleteFunc(slices.Clone(os.Args[1:]), func(each string) bool { return strings.HasPrefix(each, "-test.testlogfile=") })
	cmd := exec.Command(own, arguments...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "TMPDIR="+folder, "HOME="+folder)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := cmd.Run(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func (l *lab) ask(t *testing.T, names ...string) {
	t.Helper()
	write(t, filepath.Join(l.Wanted(), "1-1"), strings.Join(names, "\n")+"\n")
}

func TestWhatJobsNameIsFetchedWholeAndNothingElse(t *testing.T) {
	l := newLab(t)
	good := []module.Version{{Path: "example.com/a", Version: "v1.0.0"}, {Path: "example.com/B/c/v2", Version: "v2.1.0-RC1"}}
	for _, each := range good {
		serve(t, l.proxy, each)
	}
	l.ask(t, good[0].String(), "example.com/gone@v1.0.0", "not a name", "--flag@v1.0.0", good[1].String(), good[0].String())
	must(t, Fetch(l.Config))
	for _, each := range good {
		if !has(l.Modules.Shared, each) {
			t.Errorf("%v is not there", each)
		}
	}
	info, err := os.Stat(filepath.Join(l.Modules.Shared, good[1].Directory()))
	if err != nil || info.Mode().Perm() != 0o555 {
		t.Errorf("%v %v", info, err)
	}
	info, err = os.Stat(filepath.Join(l.Modules.Shared, "cache", "download", "example.com"))
	if err != nil || info.Mode().Perm() != 0o775 {
		t.Errorf("jobs add to it in layers of their own: %v %v", info, err)
	}
	if left, _ := os.ReadDir(l.Wanted()); len(left) > 0 {
		t.Errorf("%v", left)
	}
	if _, err := os.Lstat(filepath.Join(l.Modules.Shared, private, "staging")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("staging is left")
	}
	// The go command takes it for a module cache, with the network off.
	work := t.TempDir()
	write(t, filepath.Join(work, "go.mod"), "module x\n\nrequire example.com/a v1.0.0\n")
	write(t, filepath.Join(work, "x.go"), "package x\n\nimport _ \"example.com/a/sub\"\n")
	cmd := exec.Command(l.Go, "mod", "download", "example.com/a@v1.0.0", "example.com/B/c/v2@v2.1.0-RC1")
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "GOMODCACHE="+l.Modules.Shared, "GOPROXY=off", "GOSUMDB=off", "GOFLAGS=", "GOTOOLCHAIN=local")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v %s", err, out)
	}
	versions, err := Versions(l.Modules.Shared)
	if err != nil || len(versions) != 2 {
		t.Errorf("%v %v", versions, err)
	}
	must(t, Remove(t.Context(), l.Modules.Shared, good[0]))
	if has(l.Modules.Shared, good[0]) || !has(l.Modules.Shared, good[1]) {
		t.Error("another one was removed")
	}
}

func TestWhatWasCutOffIsFetchedAgain(t *testing.T) {
	l := newLab(t)
	v := module.Version{Path: "example.com/a", Version: "v1.0.0"}
	serve(t, l.proxy, v)
	for range 2 {
		// Files without the tree: it was cut off while it was being put there; and a staging of before.
		write(t, filepath.Join(l.Modules.Shared, private, "staging", "mod", "x", "file"), "x")
		must(t, os.Chmod(filepath.Join(l.Modules.Shared, private, "staging", "mod", "x"), 0o555))
		l.ask(t, v.String())
		must(t, Fetch(l.Config))
		if !has(l.Modules.Shared, v) {
			t.Fatal("not there")
		}
		must(t, exec.Command("chmod", "-R", "u+w", filepath.Join(l.Modules.Shared, v.Directory())).Run())
		must(t, os.RemoveAll(filepath.Join(l.Modules.Shared, v.Directory())))
	}
}

func TestAVersionIsOnTheDiskBeforeItHasItsName(t *testing.T) {
	l := newLab(t)
	v := module.Version{Path: "example.com/a", Version: "v1.0.0"}
	serve(t, l.proxy, v)
	before := syncFileSystem
	t.Cleanup(func() { syncFileSystem = before })
	synced := false
	syncFileSystem = func(path string) error {
		if _, err := os.Lstat(filepath.Join(path, "mod", v.Directory())); err != nil || has(l.Modules.Shared, v) {
			t.Errorf("too early or too late: %v", err)
		}
		synced = true
		return before(path)
	}
	l.ask(t, v.String())
	must(t, Fetch(l.Config))
	if !synced || !has(l.Modules.Shared, v) {
		t.Errorf("synced: %v", synced)
	}
	// A disk that cannot take it: nobody may see it.
	w := module.Version{Path: "example.com/b", Version: "v1.0.0"}
	serve(t, l.proxy, w)
	syncFileSystem = func(string) error { return syscall.EIO }
	l.ask(t, w.String())
	if err := Fetch(l.Config); !errors.Is(err, syscall.EIO) || has(l.Modules.Shared, w) {
		t.Errorf("%v", err)
	}
}

func TestNothingIsFetchedThatNobodyVouchesFor(t *testing.T) {
	l := newLab(t)
	v := module.Version{Path: "example.com/a", Version: "v1.0.0"}
	serve(t, l.proxy, v)
	l.Modules.Environment["GOSUMDB"] = "off"
	l.ask(t, v.String())
	if err := Fetch(l.Config); err == nil || !strings.Contains(err.Error(), "GOSUMDB is off") {
		t.Errorf("%v", err)
	}
	if has(l.Modules.Shared, v) {
		t.Error("fetched")
	}
}

func TestAVersionThatOnlyAServerOfSourcesHasIsNotFetched(t *testing.T) {
	l := newLab(t)
	l.Modules.Environment["GONOSUMDB"] = "*"
	l.Modules.Environment["GOPRIVATE"] = "*"
	l.Modules.Environment["GOPROXY"] += ",direct"
	l.ask(t, "localhost.localdomain/a.git@v1.0.0")
	must(t, Fetch(l.Config))
	l.Modules.Environment["GOPROXY"] = "direct"
	l.ask(t, "localhost.localdomain/a.git@v1.0.0")
	if err := Fetch(l.Config); err == nil || !strings.Contains(err.Error(), "from a proxy only") {
		t.Errorf("%v", err)
	}
	if versions, err := Versions(l.Modules.Shared); err != nil || len(versions) > 0 {
		t.Errorf("%v %v", versions, err)
	}
}

func TestWithoutTheSharedCacheNothingIsDone(t *testing.T) {
	l := newLab(t)
	l.ask(t, "example.com/a@v1.0.0")
	must(t, os.Remove(l.Modules.Shared))
	must(t, Fetch(l.Config))
	if _, err := os.Lstat(filepath.Join(l.Wanted(), "1-1")); err != nil {
		t.Errorf("what jobs asked for is forgotten: %v", err)
	}
}

func TestAFullOrPausedHostFetchesNothing(t *testing.T) {
	l := newLab(t)
	v := module.Version{Path: "example.com/a", Version: "v1.0.0"}
	serve(t, l.proxy, v)
	for _, change := range []func(){
		func() { write(t, l.PauseMark, "") },
		func() { must(t, os.Remove(l.PauseMark)); l.Watch.LowPercent = 0 },
		func() { l.Watch.LowPercent, l.Modules.MaxBytes = 100, 1 },
	} {
		change()
		l.ask(t, v.String())
		must(t, Fetch(l.Config))
		if has(l.Modules.Shared, v) {
			t.Error("fetched")
		}
	}
	if !Full(l.Modules.Shared) {
		t.Error("whoever makes room is not told")
	}
	l.Modules.MaxBytes = 1 << 30
	l.ask(t, v.String())
	must(t, Fetch(l.Config))
	if !has(l.Modules.Shared, v) {
		t.Error("not fetched")
	}
}
