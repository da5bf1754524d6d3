package cacheprog

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain is also what the go command starts as its GOCACHEPROG.
func TestMain(m *testing.M) {
	cache := os.Getenv("TEST_CACHEPROG_CACHE")
	if cache == "" {
		os.Exit(m.Run())
	}
	options := Options{Cache: cache, Command: os.Args[1:], Write: os.Getenv("TEST_CACHEPROG_WRITE") != "", Stderr: os.Stderr}
	if err := Serve(options, os.Stdin, os.Stdout); err != nil {
		panic(err)
	}
}

// lab is a module of one package, a build cache of the job's own, and somebody's program with its store.
type lab struct {
	t                                *testing.T
	work, cache, program, store, log string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("SKIPPED: needs a go command")
	}
	top := t.TempDir()
	l := &lab{t, filepath.Join(top, "work"), filepath.Join(top, "cache"), filepath.Join(top, "store-program"), filepath.Join(top, "store"), filepath.Join(top, "log")}
	for _, each := range []string{l.work, l.cache, l.store} {
		l.must(os.Mkdir(each, 0o755))
	}
	l.source("const Answer = 42")
	l.must(os.WriteFile(filepath.Join(l.work, "go.mod"), []byte("module example.com/a\n\ngo 1.24\n"), 0o644))
	out, err := exec.Command("go", "build", "-o", l.program, "./testdata/store").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return l
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// source is what there is to compile; without imports, nothing else is.
func (l *lab) source(text string) {
	l.t.Helper()
	l.must(os.WriteFile(filepath.Join(l.work, "a.go"), []byte("package a\n\n"+text+"\n"), 0o644))
}

type built struct {
	compiled bool
	said     string
	// asked are requests of the program.
	asked string
}

// build runs a real go build through Serve.
func (l *lab) build(write bool, program ...string) built {
	l.t.Helper()
	l.must(errors.Join(ignore(os.Remove(l.log), fs.ErrNotExist)))
	self, err := os.Executable()
	l.must(err)
	cmd := exec.Command("go", "build", "-x", ".")
	cmd.Dir = l.work
	cmd.Env = append(os.Environ(), "GOCACHEPROG="+strings.Join(append([]string{self}, program...), " "), "TEST_CACHEPROG_CACHE="+l.cache,
		"GOCACHE="+l.cache, "GOFLAGS=", "GOTOOLCHAIN=local", "GOWORK=off")
	if write {
		cmd.Env = append(cmd.Env, "TEST_CACHEPROG_WRITE=1")
	}
	said, err := cmd.CombinedOutput()
	if err != nil {
		l.t.Fatalf("%v: %s", err, said)
	}
	asked, err := os.ReadFile(l.log)
	l.must(ignore(err, fs.ErrNotExist))
	return built{strings.Contains(string(said), "compile -o "), string(said), string(asked)}
}

func (l *lab) forget() {
	l.t.Helper()
	l.must(os.RemoveAll(l.cache))
	l.must(os.Mkdir(l.cache, 0o755))
}

func ignore(err, allowed error) error {
	if errors.Is(err, allowed) {
		return nil
	}
	return err
}

func TestABuildTakesFromTheProgramWhatAnotherGaveIt(t *testing.T) {
	l := newLab(t)
	first := l.build(true, l.program, l.store, l.log)
	if !first.compiled || !strings.Contains(first.asked, "put") || !strings.HasSuffix(first.asked, "close \n") {
		t.Fatalf("%+v", first)
	}
	l.forget()
	if second := l.build(false, l.program, l.store, l.log); second.compiled || !strings.Contains(second.asked, "get \n") {
		t.Errorf("%+v", second)
	}
	// From then on it is the job's own, and a plain go command has it, too.
	if third := l.build(false, "/nowhere/program"); third.compiled {
		t.Errorf("%+v", third)
	}
	cmd := exec.Command("go", "build", "-x", ".")
	cmd.Dir, cmd.Env = l.work, append(os.Environ(), "GOCACHEPROG=", "GOCACHE="+l.cache, "GOFLAGS=", "GOTOOLCHAIN=local", "GOWORK=off")
	if said, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(said), "compile -o ") {
		t.Errorf("%v: %s", err, said)
	}
}

func TestWhatAJobBuildsStaysWithItUnlessSaidOtherwise(t *testing.T) {
	l := newLab(t)
	if got := l.build(false, l.program, l.store, l.log); !got.compiled || strings.Contains(got.asked, "put") {
		t.Errorf("%+v", got)
	}
	if left, err := os.ReadDir(l.store); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
	if got := l.build(false, l.program, l.store, l.log); got.compiled {
		t.Errorf("its own cache has it: %+v", got)
	}
}

func TestAProgramThatLiesEndsOrIsMissingOnlyCostsTime(t *testing.T) {
	l := newLab(t)
	l.build(true, l.program, l.store, l.log)
	for name, program := range map[string][]string{
		"lies": {l.program, l.store, l.log, "lies"}, "ends": {l.program, l.store, l.log, "ends"},
		"is missing": {"/nowhere/program"}, "says nothing": {"/bin/true"},
	} {
		l.forget()
		got := l.build(false, program...)
		if !got.compiled || strings.Count(got.said, "warning: "+program[0]) != 1 {
			t.Errorf("one that %s: %+v", name, got)
		}
	}
}
