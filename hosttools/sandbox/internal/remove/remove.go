// Package remove deletes trees that somebody hostile may have made: of any depth, with unreadable or immutable parts, with
// links and mount points that lead elsewhere.
package remove

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"gofleet/sandbox/internal/beneath"
)

// mostFailures is how many names may stay before the rest is not tried any more.
const mostFailures = 100

// Tree deletes path, whatever it is; nothing there is fine. The directory it is in must be trusted. What cannot be deleted
// is named in the error, and everything else is gone. Needs no space, no memory worth speaking of and three descriptors,
// however deep the tree is.
func Tree(ctx context.Context, path string) error {
	parent, err := beneath.Open(filepath.Dir(path))
	if errors.Is(err, syscall.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	defer syscall.Close(parent)
	name := filepath.Base(path)
	descend, err := unlink(parent, name)
	if err != nil {
		return fmt.Errorf("%s: cannot be deleted: %w", path, err)
	}
	if !descend {
		return nil
	}
	if err := Contents(ctx, path); err != nil {
		return err
	}
	switch descend, err := unlink(parent, name); {
	case err != nil:
		return fmt.Errorf("%s: cannot be deleted: %w", path, err)
	case descend:
		return fmt.Errorf("%s: somebody is still writing there; end the processes that use it", path)
	}
	return nil
}

// Contents deletes what is in a directory and keeps the directory.
func Contents(ctx context.Context, path string) error {
	parent, err := beneath.Open(filepath.Dir(path))
	if errors.Is(err, syscall.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	defer syscall.Close(parent)
	top, err := openTop(parent, filepath.Base(path))
	if errors.Is(err, syscall.ENOENT) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	w := &walk{ctx: ctx, top: path, fd: top, stuck: map[uint64]bool{}}
	defer func() { syscall.Close(w.fd) }()
	return w.run()
}

// openTop opens the directory itself, which may be a mount point; what is below it may not.
func openTop(parent int, name string) (int, error) {
	fd, err := beneath.At(parent, name, syscall.O_RDONLY|syscall.O_DIRECTORY, beneath.Anywhere)
	if errors.Is(err, syscall.EACCES) && syscall.Fchmodat(parent, name, 0o700, 0) == nil {
		return beneath.At(parent, name, syscall.O_RDONLY|syscall.O_DIRECTORY, beneath.Anywhere)
	}
	return fd, err
}

// A walk has one directory open. It goes up by "..", and checks by inode that this is where it came from: nobody should be
// left who could move directories, but nothing outside may be deleted if somebody is.
type walk struct {
	ctx context.Context
	top string
	fd  int
	// inodes of the directories above the open one.
	inodes []uint64
	// stuck are directories in which something stays.
	stuck    map[uint64]bool
	failures []error
}

func (w *walk) run() error {
	for {
		if err := w.ctx.Err(); err != nil {
			return fmt.Errorf("%s: not all is deleted yet: %w", w.top, err)
		}
		down, stays, err := w.pass()
		if err != nil {
			return err
		}
		if len(w.failures) >= mostFailures {
			return fmt.Errorf("%s: too much cannot be deleted: %w", w.top, errors.Join(w.failures...))
		}
		if down != "" {
			if err := w.enter(down); err != nil {
				return err
			}
			continue
		}
		if len(w.inodes) == 0 {
			return errors.Join(w.failures...)
		}
		if err := w.leave(stays); err != nil {
			return err
		}
	}
}

// pass deletes what it can of the open directory, until it finds a directory that is not empty. `stays` says that
// something is left that cannot be deleted.
func (w *walk) pass() (down string, stays bool, err error) {
	for again := true; again; {
		again, stays = false, false
		if _, err := syscall.Seek(w.fd, 0, 0); err != nil {
			return "", false, fmt.Errorf("%s: %w", w.top, err)
		}
		for {
			names, err := readNames(w.fd)
			if err != nil {
				return "", false, fmt.Errorf("%s: %w", w.top, err)
			}
			if len(names) == 0 {
				break
			}
			for _, name := range names {
				descend, err := unlink(w.fd, name)
				switch {
				case err == nil && !descend:
					// A name that goes may hide another from this listing: look again.
					again = true
				case err == nil && !w.isStuck(name):
					return name, false, nil
				default:
					stays = true
					w.fail(name, err)
				}
			}
			if err := w.ctx.Err(); err != nil {
				return "", false, fmt.Errorf("%s: not all is deleted yet: %w", w.top, err)
			}
		}
		if len(w.failures) >= mostFailures {
			break
		}
	}
	return "", stays, nil
}

func (w *walk) fail(name string, err error) {
	if err == nil {
		return
	}
	text := fmt.Sprintf("%s: %q, %d directories below it, cannot be deleted: %v", w.top, name, len(w.inodes), err)
	for _, each := range w.failures {
		if each.Error() == text {
			return
		}
	}
	w.failures = append(w.failures, errors.New(text))
}

// isStuck reports whether a directory has been found to keep something, or to be another file system's.
func (w *walk) isStuck(name string) bool {
	var stat syscall.Stat_t
	fd, err := beneath.At(w.fd, name, beneath.Path, beneath.NoCrossing)
	if err != nil {
		w.fail(name, mountPoint(err))
		return true
	}
	defer syscall.Close(fd)
	return syscall.Fstat(fd, &stat) == nil && w.stuck[stat.Ino]
}

func (w *walk) enter(name string) error {
	own, err := inode(w.fd)
	if err != nil {
		return fmt.Errorf("%s: %w", w.top, err)
	}
	open := func() (int, error) {
		return beneath.At(w.fd, name, syscall.O_RDONLY|syscall.O_DIRECTORY, beneath.NoCrossing)
	}
	fd, err := open()
	if errors.Is(err, syscall.EACCES) && syscall.Fchmodat(w.fd, name, 0o700, 0) == nil {
		fd, err = open()
	}
	if err != nil {
		return fmt.Errorf("%s: %q: %w", w.top, name, mountPoint(err))
	}
	syscall.Close(w.fd)
	w.fd = fd
	w.inodes = append(w.inodes, own)
	return nil
}

func (w *walk) leave(stays bool) error {
	if stays {
		own, err := inode(w.fd)
		if err != nil {
			return err
		}
		w.stuck[own] = true
	}
	// ".." is beneath nothing; that it is the right one is checked.
	up, err := syscall.Openat(w.fd, "..", syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", w.top, err)
	}
	syscall.Close(w.fd)
	w.fd = up
	last := len(w.inodes) - 1
	if found, err := inode(up); err != nil || found != w.inodes[last] {
		return fmt.Errorf("%s: a directory was moved while the tree was being deleted; end the processes that use it", w.top)
	}
	w.inodes = w.inodes[:last]
	return nil
}

func inode(fd int) (uint64, error) {
	var stat syscall.Stat_t
	err := syscall.Fstat(fd, &stat)
	return stat.Ino, err
}

func mountPoint(err error) error {
	if errors.Is(err, syscall.EXDEV) {
		return errors.New("something is mounted on it; umount it")
	}
	return err
}

// readNames reads one buffer of a directory's names.
func readNames(fd int) ([]string, error) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := syscall.Getdents(fd, buffer)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return nil, os.NewSyscallError("getdents64", err)
		}
		if _, _, names := syscall.ParseDirent(buffer[:n], -1, nil); len(names) > 0 {
			return names, nil
		}
	}
}
