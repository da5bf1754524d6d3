package cache

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// lab is a module and a build cache that the go command filled with it.
type lab struct {
	t        *testing.T
	app      string
	cache    string
	expected []byte
}

var sources = map[string]string{
	"go.mod":          "module example.com/app\n\ngo 1.24\n",
	"main.go":         "package main\n\nimport \"example.com/app/greet\"\n\nfunc main() { println(greet.Hello()) }\n",
	"greet/greet.go":  "package greet\n\nfunc Hello() string { return \"hello\" }\n",
	"greet/a_test.go": "package greet\n\nimport \"testing\"\n\nfunc TestHello(t *testing.T) {\n\tif Hello() != \"hello\" {\n\t\tt.Fatal()\n\t}\n}\n",
}

// filled builds and runs once for all tests; each gets a copy.
var filled = sync.OnceValues(func() (*lab, error) {
	folder := os.Getenv(labVariable)
	made := folder == ""
	if made {
		var err error
		if folder, err = os.MkdirTemp("", "gofleet-cache-"); err != nil {
			return nil, err
		}
	}
	l := &lab{app: filepath.Join(folder, "app"), cache: filepath.Join(folder, "cache")}
	if made {
		if err := l.fill(folder); err != nil {
			return nil, err
		}
	}
	var err error
	l.expected, err = os.ReadFile(filepath.Join(folder, "reference"))
	return l, err
})

// labVariable names what a test that runs itself again has made already.
const labVariable = "GOFLEET_TEST_LAB"

func (l *lab) fill(folder string) error {
	for name, text := range sources {
		path := filepath.Join(l.app, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, args := range [][]string{{"build", "-o", filepath.Join(folder, "reference"), "."}, {"run", "."}} {
		if _, err := l.run(args...); err != nil {
			return err
		}
	}
	return nil
}

func TestMain(m *testing.M) {
	if helper() {
		return
	}
	code := m.Run()
	if template, err := filled(); err == nil && os.Getenv(labVariable) == "" {
		os.RemoveAll(filepath.Dir(template.app))
	}
	os.Exit(code)
}

// newLab is a filled cache of the test's own.
func newLab(t *testing.T) *lab {
	t.Helper()
	template, err := filled()
	must(t, err)
	l := &lab{t, template.app, filepath.Join(t.TempDir(), "cache"), template.expected}
	clone(t, template.cache, l.cache)
	return l
}

func (l *lab) run(args ...string) (string, error) {
	command := exec.Command("go", args...)
	command.Dir = l.app
	command.Env = append(os.Environ(), "GOCACHE="+l.cache, "GOFLAGS=-trimpath -buildvcs=false", "GOTOOLCHAIN=local", "GOPROXY=off", "GOWORK=off")
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	err := command.Run()
	return said.String(), err
}

// builds proves that the cache gives the same program as ever.
func (l *lab) builds() {
	l.t.Helper()
	program := filepath.Join(l.t.TempDir(), "program")
	if said, err := l.run("build", "-o", program, "."); err != nil {
		l.t.Fatalf("go build: %v\n%s", err, said)
	}
	built, err := os.ReadFile(program)
	must(l.t, err)
	if !bytes.Equal(built, l.expected) {
		l.t.Fatal("go build made another program")
	}
}

// runs proves the same of the cached executable.
func (l *lab) runs() {
	l.t.Helper()
	if said, err := l.run("run", "."); err != nil || said != "hello\n" {
		l.t.Fatalf("go run: %v\n%s", err, said)
	}
}

// keeper is one that spares nothing, as while no go command runs.
func (l *lab) keeper() *Keeper {
	return &Keeper{Name: "1", Path: l.cache, State: filepath.Join(l.t.TempDir(), "state"), Own: true, Now: time.Now}
}

// outputs and actions are all that there are, by path.
func (l *lab) outputs() []string { return glob(l.t, l.cache, "??/*-d") }
func (l *lab) actions() []string { return glob(l.t, l.cache, "??/*-a") }

// executable is the cached program of `go run`.
func (l *lab) executable() string {
	l.t.Helper()
	for _, path := range l.outputs() {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return path
		}
	}
	l.t.Fatal("go run left no executable")
	return ""
}

func glob(t *testing.T, parts ...string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(parts...))
	must(t, err)
	return found
}

func clone(t *testing.T, from, to string) {
	t.Helper()
	if said, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// age makes all files below a path look unused for this long; negative: from the future.
func age(t *testing.T, path string, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	must(t, filepath.WalkDir(path, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, then, then)
	}))
}

// flip changes one byte and restores the time of modification.
func flip(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	content, err := os.ReadFile(path)
	must(t, err)
	content[len(content)/2] ^= 1
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	_, err = file.Write(content)
	must(t, err)
	must(t, file.Close())
	must(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("it needs root")
	}
}

// inMountNamespace runs the test again in a mount namespace of its own; it reports whether this is that run.
func inMountNamespace(t *testing.T) bool {
	t.Helper()
	const mark = "GOFLEET_TEST_NAMESPACE"
	if os.Getenv(mark) == t.Name() {
		return true
	}
	needRoot(t)
	template, err := filled()
	must(t, err)
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	command.Env = append(os.Environ(), mark+"="+t.Name(), labVariable+"="+filepath.Dir(template.app))
	command.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return false
}

// mountTmpfs mounts a small file system over an empty directory.
func mountTmpfs(t *testing.T, options string) string {
	t.Helper()
	path := t.TempDir()
	must(t, syscall.Mount("tmpfs", path, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, options))
	t.Cleanup(func() { syscall.Unmount(path, syscall.MNT_DETACH) })
	return path
}
