// Package files holds the few ways in which gofleet-store writes.
package files

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Replace writes a file in one step: a reader finds the old content or the new one, also after a power cut. Written by
// root, it belongs to the owner of its directory.
func Replace(path string, content []byte, mode fs.FileMode) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(content)
	err = errors.Join(err, file.Chmod(mode), OwnAs(filepath.Dir(path), file.Name()), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// Ensure is Replace, if the content differs; it reports whether it wrote.
func Ensure(path string, content []byte, mode fs.FileMode) (bool, error) {
	if now, err := os.ReadFile(path); err == nil && bytes.Equal(now, content) {
		return false, nil
	}
	return true, Replace(path, content, mode)
}

// Remove removes a file and reports whether it was there.
func Remove(path string) (bool, error) {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Directory makes a directory and its parents. Made by root, each belongs to the owner of the one above it.
func Directory(path string, mode fs.FileMode) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := Directory(filepath.Dir(path), mode); err != nil {
		return err
	}
	if err := os.Mkdir(path, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return errors.Join(os.Chmod(path, mode), OwnAs(filepath.Dir(path), path))
}

// OwnAs gives path to the owner of model, if this is root; nobody else could.
func OwnAs(model, path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(model)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	return os.Lchown(path, int(owner.Uid), int(owner.Gid))
}

// Open opens a file for reading without a trace in its time of last use, which tells what clients asked for.
func Open(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOATIME|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrPermission) {
		// Only the owner and root may leave no trace.
		return os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	}
	return file, err
}

// Lock takes the lock file if nobody has it; the returned function gives it back, nil means that somebody has it.
func Lock(path string, wait bool) (func(), error) {
	file, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	if err := OwnAs(filepath.Dir(path), path); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err = syscall.Flock(int(file.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, file.Close()
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() { file.Close() }, nil
}
