// Package beneath opens files in directories that others can write, without being led elsewhere by a link. It does so step
// by step: units with RestrictSUIDSGID= may not use openat2(2).
package beneath

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// Path is O_PATH of open(2): the file itself is not opened.
const Path = 0x200000

// Where a name may lead.
const (
	// Anywhere below, also into what is mounted there.
	Anywhere = false
	// NoCrossing refuses what is the root of a mount, with EXDEV.
	NoCrossing = true
)

// Open opens a directory by its path; none of the path's parts may be a link.
func Open(path string) (int, error) {
	if !filepath.IsAbs(path) {
		return -1, fmt.Errorf("%q: must be an absolute path", path)
	}
	at, err := openat(-1, "/", Path|syscall.O_DIRECTORY, 0)
	for _, part := range strings.FieldsFunc(filepath.Clean(path), func(r rune) bool { return r == '/' }) {
		if err != nil {
			break
		}
		var next int
		next, err = openat(at, part, Path|syscall.O_DIRECTORY, 0)
		syscall.Close(at)
		at = next
	}
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENOTDIR) {
		return -1, fmt.Errorf("%s: a part of the path is a link or no directory; give the path it leads to", path)
	}
	if err != nil {
		return -1, fmt.Errorf("%s: %w", path, err)
	}
	defer syscall.Close(at)
	fd, err := openat(at, ".", syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return -1, fmt.Errorf("%s: %w", path, err)
	}
	return fd, nil
}

// At opens a name of a directory; a link is not followed.
func At(dir int, name string, flags int, noCrossing bool) (int, error) {
	if name == "" || name == ".." || strings.Contains(name, "/") {
		return -1, syscall.EINVAL
	}
	fd, err := openat(dir, name, flags, 0)
	if err != nil || !noCrossing {
		return fd, err
	}
	root, err := isMountRoot(fd)
	if err == nil && root {
		err = syscall.EXDEV
	}
	if err != nil {
		syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}

// Create makes a file that is not there yet.
func Create(dir int, name string, mode uint32) (int, error) {
	return openat(dir, name, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL, mode)
}

func openat(dir int, name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := syscall.Openat(dir, name, flags|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, mode)
		if !errors.Is(err, syscall.EINTR) {
			return fd, err
		}
	}
}

// isMountRoot asks statx(2): a bind mount of the same file system has the same device.
func isMountRoot(fd int) (bool, error) {
	const (
		emptyPath   = 0x1000 // AT_EMPTY_PATH
		attrMounted = 0x2000 // STATX_ATTR_MOUNT_ROOT
	)
	// struct statx: 256 bytes, of which stx_attributes are the second eight.
	var answer [32]uint64
	var empty [1]byte
	_, _, code := syscall.Syscall6(statx, uintptr(fd), uintptr(unsafe.Pointer(&empty)), emptyPath, 0, uintptr(unsafe.Pointer(&answer)), 0)
	if code != 0 {
		return false, code
	}
	return answer[1]&attrMounted != 0, nil
}

// Name is a path to an open file, for calls that take no descriptor.
func Name(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
