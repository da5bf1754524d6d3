// Package tree knows how Athens lays out its disk storage: <root>/<module path>/<version>/{go.mod,source.zip,<version>.info}.
package tree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gofleet/store/internal/module"
)

// Names of the files of a version, besides <version>.info.
const (
	Mod = "go.mod"
	Zip = "source.zip"
)

// Version is one version's directory and the regular files in it.
type Version struct {
	module.Version
	Dir   string
	Files map[string]fs.FileInfo
	// Changed is when a file or the directory itself last changed.
	Changed time.Time
}

// Info is the name of the version's .info, which Athens writes last.
func (v *Version) Info() string { return v.Version.Version + ".info" }

// Bytes is what the version occupies.
func (v *Version) Bytes() int64 {
	var sum int64
	for _, each := range v.Files {
		sum += each.Sys().(*syscall.Stat_t).Blocks * 512
	}
	return sum
}

// Used is when somebody last asked for a file of the version; needs a file system that keeps times of access.
func (v *Version) Used() time.Time {
	latest := v.Changed
	for _, each := range v.Files {
		atime := each.Sys().(*syscall.Stat_t).Atim
		if used := time.Unix(atime.Sec, atime.Nsec); used.After(latest) {
			latest = used
		}
	}
	return latest
}

// Walk calls visit for every version in the store, in no useful order. Directories whose names begin with a dot are not
// Athens'.
func Walk(root string, visit func(*Version) error) error {
	return walk(root, "", visit)
}

func walk(root, modulePath string, visit func(*Version) error) error {
	entries, err := os.ReadDir(filepath.Join(root, modulePath))
	if errors.Is(err, fs.ErrNotExist) && modulePath != "" {
		return nil
	}
	if err != nil {
		return err
	}
	for _, each := range entries {
		name := each.Name()
		if !each.IsDir() || strings.HasPrefix(name, ".") {
			continue
		}
		if modulePath != "" && module.IsVersion(name) {
			v, err := Read(root, module.Version{Path: modulePath, Version: name})
			if err == nil {
				err = visit(v)
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			continue
		}
		if err := walk(root, strings.TrimPrefix(modulePath+"/"+name, "/"), visit); err != nil {
			return err
		}
	}
	return nil
}

// Dir is where a version is in the store.
func Dir(root string, v module.Version) string { return filepath.Join(root, v.Path, v.Version) }

// Read reads one version's directory.
func Read(root string, name module.Version) (*Version, error) {
	v := &Version{Version: name, Dir: Dir(root, name), Files: map[string]fs.FileInfo{}}
	itself, err := os.Lstat(v.Dir)
	if err != nil {
		return nil, err
	}
	v.Changed = itself.ModTime()
	entries, err := os.ReadDir(v.Dir)
	if err != nil {
		return nil, err
	}
	for _, each := range entries {
		info, err := each.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		if err != nil {
			return nil, err
		}
		v.Files[each.Name()] = info
		if info.ModTime().After(v.Changed) {
			v.Changed = info.ModTime()
		}
	}
	return v, nil
}

// Complete reports whether the version has all three files.
func (v *Version) Complete() bool {
	return v.Files[Mod] != nil && v.Files[Zip] != nil && v.Files[v.Info()] != nil
}

// Discard takes a version out of the store by one rename, then deletes it.
func Discard(dir, trash string) error {
	if err := os.MkdirAll(trash, 0o700); err != nil {
		return err
	}
	aside, err := os.MkdirTemp(trash, "")
	if err != nil {
		return err
	}
	if err := os.Rename(dir, filepath.Join(aside, "version")); err != nil {
		return errors.Join(err, os.Remove(aside))
	}
	return os.RemoveAll(aside)
}

// EmptyTrash deletes what a run that was cut has left there.
func EmptyTrash(trash string) error { return os.RemoveAll(trash) }

// Count says how many versions there are and what they occupy.
func Count(root string) (bytes, versions int64, err error) {
	err = Walk(root, func(v *Version) error {
		bytes += v.Bytes()
		versions++
		return nil
	})
	return bytes, versions, err
}
