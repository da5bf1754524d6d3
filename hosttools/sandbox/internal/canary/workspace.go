package canary

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"gofleet/sandbox/internal/config"
)

// workspace is the canary's own slot: the paths of the slot it stands for, with another name in the place of the number.
type workspace struct {
	// instance stands for %i.
	instance             string
	root, cache, modules string
	uid, gid             int
	made                 []string
	nonce                int
}

// newWorkspace makes the directories as a job would find them.
func newWorkspace(slot *config.Slot, uid, gid int) (*workspace, error) {
	w := &workspace{instance: fmt.Sprintf("canary%d", slot.Number), uid: uid, gid: gid}
	own := func(path string) string { return beside(path, strconv.Itoa(slot.Number), w.instance) }
	w.root, w.cache, w.modules = own(slot.Workspace), own(slot.BuildCache), own(slot.Modules)
	// What an ended run left is not to be trusted.
	if err := os.RemoveAll(w.kept()); err != nil {
		return w, err
	}
	for _, path := range []string{w.root, w.cache, w.modules} {
		if err := os.RemoveAll(path); err != nil {
			return w, err
		}
		if err := w.directory(path); err != nil {
			return w, err
		}
	}
	for _, name := range []string{"home", "tmp", "gotmp", "bin", "work"} {
		if err := w.directory(filepath.Join(w.root, name)); err != nil {
			return w, err
		}
	}
	for name, text := range sources {
		if err := w.write(filepath.Join("work", name), text, 0o600); err != nil {
			return w, err
		}
	}
	return w, w.write("steps.sh", script, 0o600)
}

// beside puts the instance in the place of the slot's number, the last part of the path that is one; a path that all
// slots share gets a directory of its own. The profile that the canary has is made for the same paths.
func beside(path, number, instance string) string {
	parts := strings.Split(path, "/")
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i] == number {
			parts[i] = instance
			return strings.Join(parts, "/")
		}
	}
	return path + "/." + instance
}

// directory makes a directory of the user, and what it lies in, and remembers what was not there.
func (w *workspace) directory(path string) error {
	var missing []string
	for at := filepath.Dir(path); ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); err == nil {
			break
		}
		missing = append([]string{at}, missing...)
	}
	for _, at := range missing {
		if err := os.Mkdir(at, 0o755); err != nil {
			return err
		}
		w.made = append(w.made, at)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	return os.Lchown(path, w.uid, w.gid)
}

// write puts a file of the user below the workspace.
func (w *workspace) write(name, text string, mode os.FileMode) error {
	path := filepath.Join(w.root, name)
	if _, err := os.Lstat(filepath.Dir(path)); err != nil {
		if err := w.directory(filepath.Dir(path)); err != nil {
			return err
		}
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		return err
	}
	return os.Lchown(path, w.uid, w.gid)
}

// renew makes the next build compile and link, whatever the build cache holds.
func (w *workspace) renew() error {
	w.nonce++
	return w.write("work/lib/nonce.go", fmt.Sprintf("package lib\n\n// Nonce changes with each run.\nvar Nonce = %d\n", w.nonce), 0o600)
}

// emptyCache takes away everything that was compiled.
func (w *workspace) emptyCache() error {
	if err := os.RemoveAll(w.cache); err != nil {
		return err
	}
	return w.directory(w.cache)
}

// keepCache remembers what is compiled now.
func (w *workspace) keepCache() error {
	if err := os.RemoveAll(w.kept()); err != nil {
		return err
	}
	return linkTree(w.cache, w.kept())
}

// warmCache makes the cache what keepCache remembered, if it was called.
func (w *workspace) warmCache() error {
	if _, err := os.Lstat(w.kept()); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := os.RemoveAll(w.cache); err != nil {
		return err
	}
	return linkTree(w.kept(), w.cache)
}

func (w *workspace) kept() string { return w.cache + ".kept" }

// linkTree makes a tree of the same files; go replaces files of its cache and never writes into them again.
func linkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		there := filepath.Join(to, below)
		if !entry.IsDir() {
			return os.Link(path, there)
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if err := os.Mkdir(there, info.Mode().Perm()); err != nil {
			return err
		}
		owner := info.Sys().(*syscall.Stat_t)
		return os.Lchown(there, int(owner.Uid), int(owner.Gid))
	})
}

// environment is that of a job of the slot, and what the script needs.
func (w *workspace) environment(goCommand string) map[string]string {
	below := func(name string) string { return filepath.Join(w.root, name) }
	return map[string]string{
		"HOME": below("home"), "TMPDIR": below("tmp"), "GOTMPDIR": below("gotmp"), "GOCACHE": w.cache, "GOMODCACHE": w.modules,
		"GOPATH": below("home/go"), "GOTOOLCHAIN": "local", "GOPROXY": "off", "GOWORK": "off", "GOENV": "off",
		"GO": goCommand, "BIN": below("bin"),
	}
}

// remove leaves the host as it was found.
func (w *workspace) remove() error {
	var first error
	for _, path := range []string{w.root, w.cache, w.kept(), w.modules} {
		if err := os.RemoveAll(path); err != nil && first == nil {
			first = err
		}
	}
	for i := len(w.made) - 1; i >= 0; i-- {
		_ = os.Remove(w.made[i]) // Whatever else lies in it by now stays.
	}
	return first
}
