package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/usage"
)

// FileSystem is a watched one, by one of the paths on it.
type FileSystem struct {
	Path string `json:"path"`
	// Slot is whose own build cache in memory it is; 0: everybody's. When that is full, only that slot's jobs suffer, and
	// they only build more: nobody else is held up for it.
	Slot int `json:"slot,omitempty"`
	// Percent is the fuller of bytes and inodes, Of which of the two.
	Percent float64 `json:"percent"`
	Of      string  `json:"of"`
	usage.Usage
}

func (f FileSystem) String() string {
	return fmt.Sprintf("%s: %.1f %% of the %s are used", f.Path, f.Percent, f.Of)
}

// measure looks at every file system once; the paths that jobs fill are watched, whatever the settings name besides. Where
// a path is missing, what would fill up with it is the file system above.
func measure(c *config.Config) ([]FileSystem, error) {
	type place struct {
		path string
		slot int
		// own is a slot's workspace.
		own bool
	}
	var places []place
	for _, each := range c.Watch.Paths {
		places = append(places, place{path: each})
	}
	for _, each := range []string{c.State, c.Modules.Shared, c.Cache.Shared} {
		places = append(places, place{path: each})
	}
	for _, each := range c.Slots {
		places = append(places, place{path: each.BuildCache, slot: each.Number}, place{path: each.Workspace, own: true})
	}
	var found []FileSystem
	var failures []error
	for _, each := range places {
		if each.path == "" {
			continue
		}
		each.path = there(each.path)
		u, err := usage.Of(each.path)
		if err != nil {
			failures = append(failures, fmt.Errorf("watch: %w", err))
			continue
		}
		if each.own && u.Memory() && mounted(each.path, u) {
			// It has a bound of its own, and goes with the job.
			continue
		}
		f := FileSystem{Path: each.path, Percent: u.Percent(), Of: u.What(), Usage: u}
		if each.slot > 0 && u.Memory() && each.path != c.Cache.Shared && mounted(each.path, u) {
			f.Slot = each.slot
		}
		known := slices.IndexFunc(found, func(other FileSystem) bool { return other.Device == u.Device })
		switch {
		case known < 0:
			found = append(found, f)
		case f.Slot > 0:
			found[known].Slot = f.Slot
		}
	}
	return found, errors.Join(failures...)
}

// there is the path, or the nearest one above it that exists.
func there(path string) string {
	for path != "/" {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		path = filepath.Dir(path)
	}
	return path
}

// mounted reports whether a file system begins at the path.
func mounted(path string, u usage.Usage) bool {
	above, err := usage.Of(filepath.Dir(path))
	return err == nil && above.Device != u.Device
}

// over are those at or above that many percent.
func over(all []FileSystem, percent int) []FileSystem {
	return slices.DeleteFunc(slices.Clone(all), func(f FileSystem) bool { return f.Percent < float64(percent) })
}

// common are those that are not one slot's own.
func common(all []FileSystem) []FileSystem {
	return slices.DeleteFunc(slices.Clone(all), func(f FileSystem) bool { return f.Slot > 0 })
}
