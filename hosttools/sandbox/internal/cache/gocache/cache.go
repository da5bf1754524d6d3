package gocache

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Cache is a build cache that is open. No path below it that a symbolic link leads out of it is followed.
type Cache struct {
	Path string
	root *os.Root
}

// around is what the go command has beside its buckets; lost+found is the root of a file system.
var around = []string{"README", "trim.txt", "testexpire.txt", "fuzz", "log.txt", "lost+found"}

// Open opens a directory. Unless it is known to be a build cache's own, it must be one, or be empty.
func Open(path string, own bool) (*Cache, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("build cache %q: must be an absolute path", path)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("build cache: %w", err)
	}
	c := &Cache{path, root}
	names, err := c.names(".")
	if err == nil && !own && len(names) > 0 && !slices.ContainsFunc(names, isOurs) {
		err = fmt.Errorf("%s is no Go build cache: it holds %q and no bucket; name the directory that `go env GOCACHE` prints", path, names[0])
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return c, nil
}

func isOurs(name string) bool { return isBucket(name) || slices.Contains(around, name) }

func isBucket(name string) bool { return len(name) == 2 && isHex(name) }

// Close releases the directory.
func (c *Cache) Close() error { return c.root.Close() }

// names lists a directory of the cache.
func (c *Cache) names(path string) ([]string, error) {
	file, err := c.root.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return file.Readdirnames(-1)
}

// OpenFile opens a regular file of the cache for reading; a symbolic link, a pipe or a device is an error.
func (c *Cache) OpenFile(path string) (*os.File, error) {
	file, err := c.root.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_NOATIME, 0)
	if errors.Is(err, fs.ErrPermission) {
		// Only the owner and root may leave no trace.
		file, err = c.root.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// read reads at most limit bytes of a file.
func (c *Cache) read(path string, limit int64) ([]byte, error) {
	file, err := c.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, limit))
}

// Remove removes a file of the cache, or a directory with all that is in it; what is gone already is no error.
func (c *Cache) Remove(path string) error {
	err := c.root.Remove(path)
	if errors.Is(err, syscall.ENOTEMPTY) {
		err = c.removeAll(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (c *Cache) removeAll(path string) error {
	names, err := c.names(path)
	if errors.Is(err, fs.ErrPermission) {
		err = c.change(path, func(file string) error { return os.Chmod(file, 0o700) })
		if err == nil {
			names, err = c.names(path)
		}
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := c.Remove(filepath.Join(path, name)); err != nil {
			return err
		}
	}
	return c.root.Remove(path)
}

// SetModified sets the time of modification, which is that of last use.
func (c *Cache) SetModified(path string, to time.Time) error {
	return c.change(path, func(file string) error { return os.Chtimes(file, to, to) })
}

// change does something to a file of the cache, and to no other that takes its name meanwhile.
func (c *Cache) change(path string, how func(file string) error) error {
	const onlyPath = 0x200000 // O_PATH of open(2)
	file, err := c.root.OpenFile(path, onlyPath|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	return how(fmt.Sprintf("/proc/self/fd/%d", file.Fd()))
}
