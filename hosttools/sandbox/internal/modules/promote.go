package modules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gofleet/sandbox/internal/files"
	"gofleet/sandbox/internal/module"
)

// result is what `go mod download -json` says of one version.
type result struct {
	Path, Version, Error string
	Info, GoMod, Zip     string
	Dir                  string
}

// syncFileSystem is replaced in tests.
var syncFileSystem = files.SyncFileSystem

// some downloads a few versions and puts those that came into the shared cache.
func (f *fetch) some(versions []module.Version) error {
	arguments := []string{"mod", "download", "-json"}
	for _, each := range versions {
		arguments = append(arguments, each.String())
	}
	cmd := f.command(arguments...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	// It fails if one of them does, and says so of each.
	failed := cmd.Run()
	if err := f.ctx.Err(); err != nil {
		return fmt.Errorf("go mod download: %w", err)
	}
	// What is renamed must be on the disk: after a power cut files would be empty under the name of a whole version.
	if err := syncFileSystem(f.staging); err != nil {
		return err
	}
	answers := 0
	for decoder := json.NewDecoder(&out); ; answers++ {
		var r result
		err := decoder.Decode(&r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("go mod download: %w", err)
		}
		v := module.Version{Path: r.Path, Version: r.Version}
		if r.Error != "" {
			fmt.Printf("%s: %s\n", v, strings.TrimSpace(r.Error))
			continue
		}
		if err := f.promote(v, r); err != nil {
			return fmt.Errorf("%s: %w", v, err)
		}
		fmt.Printf("%s: fetched\n", v)
	}
	if answers == 0 && failed != nil {
		return fmt.Errorf("go mod download: %w", failed)
	}
	return nil
}

// promote renames a version into the shared cache, the unpacked tree last: with it the version is there.
func (f *fetch) promote(v module.Version, r result) error {
	if err := v.Check(); err != nil {
		return err
	}
	shared := f.c.Modules.Shared
	download := filepath.Join(shared, "cache", "download")
	if err := makeDirectories(shared, filepath.Join("cache", "download", filepath.Dir(v.File("zip")))); err != nil {
		return err
	}
	from := filepath.Join(f.staging, "mod", "cache", "download")
	for _, kind := range []string{"info", "mod", "zip", "ziphash"} {
		if err := os.Rename(filepath.Join(from, v.File(kind)), filepath.Join(download, v.File(kind))); err != nil {
			return err
		}
	}
	target := filepath.Join(shared, v.Directory())
	if _, err := os.Lstat(target); err == nil {
		return nil
	}
	if err := makeDirectories(shared, filepath.Dir(v.Directory())); err != nil {
		return err
	}
	// A directory that is moved to another one is written to: its "..".
	return errors.Join(os.Chmod(r.Dir, 0o755), os.Rename(r.Dir, target), os.Chmod(target, 0o555))
}

// makeDirectories makes those of a path that are missing, one by one: each takes the group of the one above it, and the
// bits that the umask leaves.
func makeDirectories(top, path string) error {
	at := top
	for _, each := range strings.Split(path, "/") {
		at = filepath.Join(at, each)
		if err := os.Mkdir(at, 0o777); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}

// has reports whether the shared cache has the whole of a version.
func has(shared string, v module.Version) bool {
	for _, each := range []string{v.Directory(), filepath.Join("cache", "download", v.File("ziphash"))} {
		if _, err := os.Lstat(filepath.Join(shared, each)); err != nil {
			return false
		}
	}
	return true
}
