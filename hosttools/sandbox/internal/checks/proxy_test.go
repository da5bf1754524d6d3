package checks

import (
	"archive/zip"
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// proxy is a directory as GOPROXY, with modules of files.
type proxy struct {
	t   *testing.T
	dir string
}

// surroundings gives the test a module cache and a proxy of its own, and nothing of the machine's settings.
func surroundings(t *testing.T) *proxy {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command")
	}
	base := t.TempDir()
	cache := filepath.Join(base, "mod")
	p := &proxy{t, filepath.Join(base, "proxy")}
	for key, value := range map[string]string{
		"GOMODCACHE": cache, "GOPROXY": "file://" + p.dir, "GOSUMDB": "off", "GOENV": "off", "GOFLAGS": "-mod=mod",
		"GOPATH": filepath.Join(base, "go"),
	} {
		t.Setenv(key, value)
	}
	t.Cleanup(func() {
		_ = filepath.WalkDir(cache, func(path string, _ fs.DirEntry, err error) error {
			_ = os.Chmod(path, 0o700)
			return err
		})
	})
	return p
}

// publish adds a version of a module.
func (p *proxy) publish(path, version string, files map[string]string) {
	p.t.Helper()
	dir := filepath.Join(p.dir, filepath.FromSlash(path), "@v")
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		entry, err := w.Create(path + "@" + version + "/" + name)
		if err == nil {
			_, err = entry.Write([]byte(files[name]))
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		p.t.Fatal(err)
	}
	list, _ := os.ReadFile(filepath.Join(dir, "list"))
	write(p.t, dir, map[string]string{
		"list": string(list) + version + "\n", version + ".info": `{"Version":"` + version + `"}`,
		version + ".mod": files["go.mod"], version + ".zip": archive.String(),
	})
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// goRun runs go in a directory, as a developer would.
func goRun(t *testing.T, dir string, arguments ...string) {
	t.Helper()
	run := exec.Command("go", arguments...)
	run.Dir = dir
	run.Env = append(os.Environ(), "GOFLAGS=", "PWD="+dir)
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v: %s", strings.Join(arguments, " "), err, out)
	}
}

const (
	depMod = "module example.com/dep\n\ngo 1.21\n"
	depGo  = "// Package dep says something.\npackage dep\n\n// Says it.\nfunc Says() string { return \"here\" }\n"
	appGo  = "package main\n\nimport \"example.com/dep\"\n\nfunc main() { println(dep.Says()) }\n"
)

// app publishes a dependency and returns the tree of a clean module that uses it.
func app(t *testing.T, p *proxy) string {
	t.Helper()
	p.publish("example.com/dep", "v1.0.0", map[string]string{"go.mod": depMod, "dep.go": depGo})
	p.publish("example.com/dep", "v1.1.0", map[string]string{"go.mod": depMod, "dep.go": depGo})
	return tree1(t, "example.com/app", "require example.com/dep v1.1.0\n", appGo)
}

func tree1(t *testing.T, path, requires, main string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, map[string]string{"go.mod": "module " + path + "\n\ngo 1.21\n\n" + requires, "main.go": main})
	goRun(t, dir, "mod", "tidy")
	return dir
}

// of runs checks on a tree that nobody may write, and makes sure that nothing of it changed.
func of(t *testing.T, dir string, names ...string) []Report {
	t.Helper()
	return with(t, Options{Dir: dir, Go: "go"}, names...)
}

func with(t *testing.T, o Options, names ...string) []Report {
	t.Helper()
	before := snapshot(t, o.Dir)
	freeze(t, o.Dir, 0o555, 0o444)
	defer freeze(t, o.Dir, 0o755, 0o644)
	reports, err := Run(context.Background(), o, names)
	if err != nil {
		t.Fatal(err)
	}
	if after := snapshot(t, o.Dir); after != before {
		t.Errorf("the tree was changed:\n%s\nwas\n%s", after, before)
	}
	return reports
}

func one(t *testing.T, dir, name string) Report {
	t.Helper()
	return of(t, dir, name)[0]
}

func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var found strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || strings.Contains(path, "/.git/") {
			return err
		}
		found.WriteString(path + "\n")
		if entry.Type().IsRegular() {
			text, err := os.ReadFile(path)
			found.Write(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found.String()
}

func freeze(t *testing.T, dir string, directories, files os.FileMode) {
	t.Helper()
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.Chmod(path, directories)
		case entry.Type().IsRegular():
			return os.Chmod(path, files)
		}
		return nil
	})
}
