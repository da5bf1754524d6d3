// Package beneath opens files in directories that others can write, without being led elsewhere by a link.
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

// Resolve flags of openat2(2).
const (
	// NoCrossing refuses to enter another mount, with EXDEV.
	NoCrossing   = 0x01
	noMagicLinks = 0x02
	noSymlinks   = 0x04
	beneath      = 0x08
)

const openat2 = 437

// how is struct open_how.
type how struct{ flags, mode, resolve uint64 }

// Open opens a directory by its path; none of the path's parts may be a link.
func Open(path string) (int, error) {
	if !filepath.IsAbs(path) {
		return -1, fmt.Errorf("%q: must be an absolute path", path)
	}
	root, err := syscall.Open("/", Path|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer syscall.Close(root)
	name := strings.TrimPrefix(filepath.Clean(path), "/")
	if name == "" {
		name = "."
	}
	fd, err := At(root, name, syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENOTDIR) {
		return -1, fmt.Errorf("%s: a part of the path is a link or no directory; give the path it leads to", path)
	}
	if err != nil {
		return -1, fmt.Errorf("%s: %w", path, err)
	}
	return fd, nil
}

// At opens a name below a directory, following no link of any kind; `resolve` may be NoCrossing.
func At(dir int, name string, flags int, resolve uint64) (int, error) {
	return at(dir, name, flags, 0, resolve)
}

// Create makes a file that is not there yet.
func Create(dir int, name string, mode uint32) (int, error) {
	return at(dir, name, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL, mode, NoCrossing)
}

func at(dir int, name string, flags int, mode uint32, resolve uint64) (int, error) {
	text, err := syscall.BytePtrFromString(name)
	if err != nil {
		return -1, err
	}
	h := how{
		flags:   uint64(flags | syscall.O_CLOEXEC | syscall.O_NOFOLLOW),
		mode:    uint64(mode),
		resolve: resolve | noMagicLinks | noSymlinks | beneath,
	}
	for {
		fd, _, code := syscall.Syscall6(openat2, uintptr(dir), uintptr(unsafe.Pointer(text)), uintptr(unsafe.Pointer(&h)), unsafe.Sizeof(h), 0, 0)
		switch code {
		case 0:
			return int(fd), nil
		case syscall.EINTR, syscall.EAGAIN:
		default:
			return -1, code
		}
	}
}

// Name is a path to an open file, for calls that take no descriptor.
func Name(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
