// Package files holds the few ways in which gofleet-sandbox writes.
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Replace writes a file in one step: a reader finds the old content or the new one, also after a power cut.
func Replace(path string, content []byte, mode fs.FileMode) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(content)
	if err := errors.Join(err, file.Chmod(mode), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// SyncDirectory waits until the names in a directory are on the disk: Replace leaves that to the file system, which takes
// some seconds.
func SyncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

// SyncFileSystem waits until all that was written to a file system is on the disk, by any path on it; see sync(1).
func SyncFileSystem(path string) error {
	if said, err := exec.Command("sync", "--file-system", path).CombinedOutput(); err != nil {
		return fmt.Errorf("sync --file-system %s: %w: %s", path, err, said)
	}
	return nil
}

// ErrLocked is that somebody else holds a lock.
var ErrLocked = errors.New("locked by another process")

// Lock takes the lock on a file or directory, waiting at most this long; the returned function gives it back.
func Lock(path string, wait time.Duration) (func(), error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(wait); ; time.Sleep(20 * time.Millisecond) {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		again := errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR)
		if again && time.Now().Before(end) {
			continue
		}
		if again {
			err = fmt.Errorf("%s: %w for %v; `fuser -v %s` says who", path, ErrLocked, wait, path)
		}
		return nil, errors.Join(err, file.Close())
	}
}
