package modules

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gofleet/sandbox/internal/module"
	"gofleet/sandbox/internal/remove"
)

// Version is one of the shared cache and when it came.
type Version struct {
	module.Version
	Came time.Time
}

// Versions lists what the shared cache has, oldest first.
func Versions(shared string) ([]Version, error) {
	download := filepath.Join(shared, "cache", "download")
	var found []Version
	err := filepath.WalkDir(download, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		if !strings.HasSuffix(path, ".zip") || entry.IsDir() {
			return nil
		}
		v, err := module.FromFile(strings.TrimPrefix(path, download+"/"))
		if err != nil {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		found = append(found, Version{v, info.ModTime()})
		return nil
	})
	slices.SortStableFunc(found, func(a, b Version) int { return a.Came.Compare(b.Came) })
	return found, err
}

// Remove takes a version out of the shared cache. Nobody may be using the cache. The tree goes first: without it, what is
// left of a version that was cut off is only fetched again.
func Remove(ctx context.Context, shared string, v module.Version) error {
	if err := v.Check(); err != nil {
		return err
	}
	if err := remove.Tree(ctx, filepath.Join(shared, v.Directory())); err != nil {
		return err
	}
	var failures []error
	for _, kind := range []string{"ziphash", "zip", "mod", "info", "lock"} {
		if err := os.Remove(filepath.Join(shared, "cache", "download", v.File(kind))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}
