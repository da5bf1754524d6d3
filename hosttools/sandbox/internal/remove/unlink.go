package remove

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"gofleet/sandbox/internal/beneath"
)

// unlink removes one name; `descend` says that it is a directory with something in it.
func unlink(dir int, name string) (descend bool, err error) {
	descend, err = try(dir, name)
	switch {
	case errors.Is(err, syscall.EACCES):
		// Only for who is not root: a directory of one's own without the right to write.
		if syscall.Fchmod(dir, 0o700) == nil {
			return try(dir, name)
		}
	case errors.Is(err, syscall.EPERM):
		return unlinkImmutable(dir, name)
	}
	return descend, err
}

func try(dir int, name string) (descend bool, err error) {
	const removeDirectory = 0x200 // AT_REMOVEDIR of unlinkat(2)
	switch err := unlinkat(dir, name, 0); err {
	case nil, syscall.ENOENT:
		return false, nil
	case syscall.EISDIR:
	default:
		return false, err
	}
	switch err := unlinkat(dir, name, removeDirectory); err {
	case nil, syscall.ENOENT:
		return false, nil
	case syscall.ENOTEMPTY:
		return true, nil
	case syscall.EBUSY:
		return false, errors.New("something is mounted on it; umount it")
	default:
		return false, err
	}
}

func unlinkat(dir int, name string, flags uintptr) error {
	text, err := syscall.BytePtrFromString(name)
	if err != nil {
		return err
	}
	for {
		_, _, code := syscall.Syscall(syscall.SYS_UNLINKAT, uintptr(dir), uintptr(unsafe.Pointer(text)), flags)
		switch code {
		case 0:
			return nil
		case syscall.EINTR:
		default:
			return code
		}
	}
}

// Attributes of ioctl_iflags(2) that forbid to unlink.
const (
	getFlags   = 0x80086601
	setFlags   = 0x40086602
	immutable  = 0x10
	appendOnly = 0x20
)

// unlinkImmutable takes the attributes off that forbid it. A file that has other names gets its own back: it may be
// somebody else's.
func unlinkImmutable(dir int, name string) (descend bool, err error) {
	if _, err := clear(dir); err != nil {
		return false, fmt.Errorf("its directory is immutable: %w", err)
	}
	fd, err := openAny(dir, name)
	if err != nil {
		return false, err
	}
	defer syscall.Close(fd)
	flags, err := clear(fd)
	if err != nil {
		return false, err
	}
	descend, err = try(dir, name)
	var stat syscall.Stat_t
	if flags != 0 && syscall.Fstat(fd, &stat) == nil && stat.Mode&syscall.S_IFMT == syscall.S_IFREG && stat.Nlink > 0 {
		err = errors.Join(err, ioctl(fd, setFlags, &flags))
	}
	return descend, err
}

// openAny opens a regular file or directory. Others have no attributes, and opening a device has effects.
func openAny(dir int, name string) (int, error) {
	path, err := beneath.At(dir, name, beneath.Path, beneath.NoCrossing)
	if err != nil {
		return -1, mountPoint(err)
	}
	defer syscall.Close(path)
	var stat syscall.Stat_t
	if err := syscall.Fstat(path, &stat); err != nil {
		return -1, err
	}
	if kind := stat.Mode & syscall.S_IFMT; kind != syscall.S_IFREG && kind != syscall.S_IFDIR {
		return -1, syscall.EPERM
	}
	return syscall.Open(beneath.Name(path), syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
}

// clear takes the attributes off and returns those that were there; 0 if none forbade anything.
func clear(fd int) (before uint, err error) {
	var flags uint
	if err := ioctl(fd, getFlags, &flags); err != nil {
		if errors.Is(err, syscall.ENOTTY) || errors.Is(err, syscall.ENOTSUP) {
			return 0, nil
		}
		return 0, err
	}
	if flags&(immutable|appendOnly) == 0 {
		return 0, nil
	}
	without := flags &^ (immutable | appendOnly)
	return flags, ioctl(fd, setFlags, &without)
}

func ioctl(fd int, request uintptr, value *uint) error {
	if _, _, code := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(value))); code != 0 {
		return code
	}
	return nil
}
