package checks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tree is the source tree and what is known about it.
type tree struct {
	Options
	temp    string
	modules []*module
	// work is the workspace at the top of the tree; nil: there is none.
	work *workFile
}

// module is one go.mod.
type module struct {
	// dir is absolute; file is its go.mod relative to the tree.
	dir, file string
	text      string
	modFile
}

// modFile is what `go mod edit -json` says.
type modFile struct {
	Module    struct{ Path string }
	Go        string
	Toolchain string
	Require   []struct {
		Path, Version string
		Indirect      bool
	}
	Exclude []struct{ Path, Version string }
	Replace []struct {
		Old, New struct{ Path, Version string }
	}
}

// workFile is what `go work edit -json` says, which leaves out the toolchain line.
type workFile struct {
	text      string
	Toolchain string `json:"-"`
	Go        string
	Use       []struct{ DiskPath string }
	Replace   []struct {
		Old, New struct{ Path, Version string }
	}
}

// find reads every go.mod of the tree, and go.work at its top. Directories that go itself passes over are passed over.
func (t *tree) find(ctx context.Context) error {
	err := filepath.WalkDir(t.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != t.Dir && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "vendor" || name == "testdata" || name == "node_modules") {
			return filepath.SkipDir
		}
		if name != "go.mod" || !entry.Type().IsRegular() {
			return nil
		}
		m, err := t.module(ctx, path)
		if err == nil {
			t.modules = append(t.modules, m)
		}
		return err
	})
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(t.Dir, "go.work"))
	if err == nil {
		t.work = &workFile{text: string(text), Toolchain: toolchainLine(string(text))}
		err = t.parse(ctx, t.Dir, t.work, "work")
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil && len(t.modules) == 0 {
		err = fmt.Errorf("%s holds no go.mod; name the tree with -dir", shown(t.Dir))
	}
	return err
}

func (t *tree) module(ctx context.Context, path string) (*module, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &module{dir: filepath.Dir(path), file: t.relative(path), text: string(text)}
	return m, t.parse(ctx, m.dir, &m.modFile, "mod")
}

// parse has go itself read a go.mod or go.work.
func (t *tree) parse(ctx context.Context, dir string, into any, kind string) error {
	out, err := t.goCommand(ctx, dir, []string{"GOWORK="}, kind, "edit", "-json")
	if err != nil {
		return fmt.Errorf("%s: %w", shown(t.relative(dir)), err)
	}
	return json.Unmarshal([]byte(out), into)
}

// relative is a path of the tree with slashes.
func (t *tree) relative(path string) string {
	relative, err := filepath.Rel(t.Dir, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(relative)
}

// beside is another file of the module's directory, relative to the tree.
func (m *module) beside(name string) string {
	return strings.TrimSuffix(m.file, "go.mod") + name
}

// copied puts go.mod and go.sum where go may change them, for -modfile.
func (t *tree) copied(m *module) (string, error) {
	dir, err := os.MkdirTemp(t.temp, "mod-")
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(m.text), 0o600); err != nil {
		return "", err
	}
	sums, err := os.ReadFile(filepath.Join(m.dir, "go.sum"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o600)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return filepath.Join(dir, "go.mod"), err
}

// lineOf is the first line that has all of the words, comments left out; 0: none.
func lineOf(text string, words ...string) int {
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "//")
		fields := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\r\"`()", r) })
		found := 0
		for _, word := range words {
			for _, field := range fields {
				if field == word {
					found++
					break
				}
			}
		}
		if found == len(words) {
			return i + 1
		}
	}
	return 0
}

// toolchainLine is what the toolchain line of a go.work names; empty: there is none.
func toolchainLine(text string) string {
	for _, line := range strings.Split(text, "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "toolchain" {
			return fields[1]
		}
	}
	return ""
}
