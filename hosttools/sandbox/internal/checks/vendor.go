package checks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// mostFiles are named; of the others only the number is.
const mostFiles = 50

// vendor: the vendored sources are those of the modules that go.mod requires. Go itself compares only modules.txt.
func vendor(ctx context.Context, t *tree, r *Report) error {
	dirs := map[string]*module{}
	for _, m := range t.modules {
		dirs[m.dir] = m
	}
	if t.work != nil && dirs[t.Dir] == nil {
		dirs[t.Dir] = nil
	}
	for _, dir := range sortedKeys(dirs) {
		if err := t.vendored(ctx, dir, dirs[dir], r); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) vendored(ctx context.Context, dir string, m *module, r *Report) error {
	there := filepath.Join(dir, "vendor")
	if info, err := os.Lstat(there); err != nil || !info.IsDir() {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		r.add(t.relative(there), 0, "it is no directory")
		return err
	}
	list, err := os.ReadFile(filepath.Join(there, "modules.txt"))
	if errors.Is(err, fs.ErrNotExist) {
		r.add(t.relative(there), 0, "there is no modules.txt in it, so go builds from it whatever it holds")
		return nil
	}
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp(t.temp, "vendor-")
	if err != nil {
		return err
	}
	wanted := filepath.Join(temp, "vendor")
	if bytes.HasPrefix(list, []byte("## workspace")) {
		err = t.vendorWork(ctx, wanted)
	} else if m == nil {
		r.add(t.relative(there)+"/modules.txt", 1, "it is not that of a workspace, and there is no go.mod beside it")
		return nil
	} else {
		var file string
		if file, err = t.copied(m); err == nil {
			_, err = t.goCommand(ctx, dir, nil, "mod", "vendor", "-modfile="+file, "-o", wanted)
		}
	}
	if err != nil {
		return err
	}
	return t.compare(wanted, there, r)
}

// vendorWork vendors the workspace from a copy of go.work, which go may complete.
func (t *tree) vendorWork(ctx context.Context, wanted string) error {
	if t.work == nil {
		return errors.New("vendor is that of a workspace, and there is no go.work beside it")
	}
	dir, err := os.MkdirTemp(t.temp, "work-")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "go.work")
	if err := os.WriteFile(file, []byte(t.work.text), 0o600); err != nil {
		return err
	}
	edits := []string{"work", "edit"}
	for _, use := range t.work.Use {
		edits = append(edits, "-dropuse="+use.DiskPath, "-use="+t.used(use.DiskPath))
	}
	if _, err := t.goCommand(ctx, dir, []string{"GOWORK=" + file}, append(edits, file)...); err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(t.Dir, "go.work.sum"))
	if err == nil {
		if err := os.WriteFile(file+".sum", sums, 0o600); err != nil {
			return err
		}
	}
	_, err = t.goCommand(ctx, t.Dir, []string{"GOWORK=" + file}, "work", "vendor", "-o", wanted)
	return err
}

// used is the directory of a `use` line.
func (t *tree) used(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(t.Dir, filepath.FromSlash(path))
}

// compare adds a finding for each file that differs, is missing or is too much.
func (t *tree) compare(wanted, there string, r *Report) error {
	want, err := files(wanted)
	if err != nil {
		return err
	}
	have, err := files(there)
	if err != nil {
		return err
	}
	wrong := map[string]string{}
	for name := range want {
		if _, is := have[name]; !is {
			wrong[name] = "is missing"
		}
	}
	for name, kind := range have {
		expected, is := want[name]
		switch {
		case !is:
			wrong[name] = "is of no module that is required"
		case kind != expected:
			wrong[name] = "is " + kind.String() + " instead of " + expected.String()
		default:
			same, err := equal(filepath.Join(wanted, name), filepath.Join(there, name))
			if err != nil {
				return err
			}
			if !same {
				wrong[name] = "is not what its module holds"
			}
		}
	}
	names := sortedKeys(wrong)
	for _, name := range names[:min(len(names), mostFiles)] {
		r.add(t.relative(filepath.Join(there, name)), 0, "%s", wrong[name])
	}
	if more := len(names) - mostFiles; more > 0 {
		r.add(t.relative(there), 0, "and %d other files", more)
	}
	return nil
}

// files are those of a directory by their names in it, with their kinds; links are not followed.
func files(root string) (map[string]kind, error) {
	found := map[string]kind{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root {
			return nil // Nothing had to be vendored.
		}
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		found[name] = kind(entry.Type())
		return err
	})
	return found, err
}

type kind fs.FileMode

func (k kind) String() string {
	switch {
	case k == 0:
		return "a file"
	case fs.FileMode(k)&fs.ModeSymlink != 0:
		return "a link"
	default:
		return fmt.Sprintf("special (%s)", strings.TrimRight(fs.FileMode(k).String(), "-"))
	}
}

func equal(one, other string) (bool, error) {
	a, err := os.ReadFile(one)
	if err != nil {
		return false, err
	}
	b, err := os.ReadFile(other)
	return bytes.Equal(a, b), err
}

func sortedKeys[V any](all map[string]V) []string {
	keys := make([]string, 0, len(all))
	for key := range all {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
