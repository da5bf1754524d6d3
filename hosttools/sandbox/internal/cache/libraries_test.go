package cache

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// headers is a host's list of packages with one whose headers have this version.
func headers(version int) []byte {
	return fmt.Appendf(nil, "Package: zlib1g-dev\nStatus: install ok installed\nArchitecture: amd64\nVersion: %d\n", version)
}

func TestOtherLibrariesEmptyACacheAndItsCopy(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	top := t.TempDir()
	k.Packages, k.Persisted = filepath.Join(top, "status"), filepath.Join(top, "kept")
	begin := func() {
		t.Helper()
		_, err := k.Begin(time.Minute)
		must(t, err)
	}
	must(t, os.WriteFile(k.Packages, headers(1), 0o644))
	// Of a cache that is kept for the first time nobody knows: it stays.
	begin()
	_, err := k.Persist(k.Persisted)
	must(t, err)
	begin()
	if len(l.actions()) == 0 || len(l.outputs()) == 0 {
		t.Fatal("emptied without a reason")
	}
	must(t, os.WriteFile(k.Packages, headers(2), 0o644))
	begin()
	if left := append(l.actions(), l.outputs()...); len(left) > 0 {
		t.Errorf("%d files are left", len(left))
	}
	_, err = k.Restore(k.Persisted)
	must(t, err)
	if left := l.actions(); len(left) > 0 {
		t.Errorf("%d actions came back from the copy", len(left))
	}
	l.builds()
	begin()
	if len(l.actions()) == 0 {
		t.Error("emptied again")
	}
}

func TestABuildWithOtherHeadersIsRight(t *testing.T) {
	l := newLab(t)
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("SKIPPED: needs gcc")
	}
	host := t.TempDir()
	t.Setenv("CGO_ENABLED", "1")
	t.Setenv("C_INCLUDE_PATH", host)
	k := l.keeper()
	k.Packages = filepath.Join(host, "status")
	app := l.app
	l.app = t.TempDir()
	t.Cleanup(func() { l.app = app })
	must(t, os.WriteFile(filepath.Join(l.app, "go.mod"), []byte("module example.com/c\n"), 0o644))
	must(t, os.WriteFile(filepath.Join(l.app, "main.go"), []byte("package main\n\n// #include <answer.h>\nimport \"C\"\n\nfunc main() { println(C.ANSWER) }\n"), 0o644))
	says := func(version int, wanted string) {
		t.Helper()
		if said, err := l.run("run", "."); err != nil || said != wanted {
			t.Errorf("with version %d it says %q, not %q; %v", version, said, wanted, err)
		}
	}
	install := func(version int) {
		t.Helper()
		must(t, os.WriteFile(filepath.Join(host, "answer.h"), fmt.Appendf(nil, "#define ANSWER %d\n", version), 0o644))
		must(t, os.WriteFile(k.Packages, headers(version), 0o644))
	}
	install(1)
	_, err := k.Begin(time.Minute)
	must(t, err)
	says(1, "1\n")
	install(2)
	// What this is for.
	says(2, "1\n")
	_, err = k.Begin(time.Minute)
	must(t, err)
	says(2, "2\n")
}
