// Package mount makes the mounts around a job, and finds and removes them again.
package mount

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"gofleet/sandbox/internal/beneath"
)

// A Mount is a line of /proc/thread-self/mountinfo; see proc_pid_mountinfo(5).
type Mount struct {
	Point string
	Type  string
	// ReadOnly is a flag of the mount; its file system may be read-only without it.
	ReadOnly bool
}

// List returns all mounts of this namespace, in the order in which they were made.
func List() ([]Mount, error) {
	text, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, err
	}
	return parse(string(text)), nil
}

func parse(text string) []Mount {
	var list []Mount
	for _, line := range strings.Split(text, "\n") {
		before, after, found := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		kind, _, _ := strings.Cut(after, " ")
		if !found || len(fields) < 6 {
			continue
		}
		options := "," + fields[5] + ","
		list = append(list, Mount{Point: unescape(fields[4]), Type: kind, ReadOnly: strings.Contains(options, ",ro,")})
	}
	return list
}

// unescape undoes the octal escapes of white space and backslashes.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+4 <= len(text) {
			if code, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// At returns the topmost mount on path itself, or nil.
func At(path string) (*Mount, error) {
	list, err := List()
	if err != nil {
		return nil, err
	}
	var top *Mount
	for i := range list {
		if list[i].Point == path {
			top = &list[i]
		}
	}
	return top, nil
}

// mostMounts bounds what one clearing takes off.
const mostMounts = 1000

// ClearBelow takes off everything mounted below path, not path itself.
func ClearBelow(path string) error {
	return clear(func(m Mount) bool { return strings.HasPrefix(m.Point, path+"/") }, path)
}

// ClearOverlays takes the overlays off path itself and leaves what is below them.
func ClearOverlays(path string) error {
	return clear(func(m Mount) bool { return m.Point == path && m.Type == "overlay" }, path)
}

// Clear takes off everything mounted on path and below it.
func Clear(path string) error {
	return clear(func(m Mount) bool { return m.Point == path || strings.HasPrefix(m.Point, path+"/") }, path)
}

// clear takes off the last of those that match, until none does: later ones may be on top of earlier ones.
func clear(matches func(Mount) bool, path string) error {
	for range mostMounts {
		list, err := List()
		if err != nil {
			return err
		}
		last := len(list) - 1
		for last >= 0 && !matches(list[last]) {
			last--
		}
		if last < 0 {
			return nil
		}
		if err := take(list[last].Point); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: more than %d mounts", path, mostMounts)
}

func take(point string) error {
	const noFollow = 0x8 // UMOUNT_NOFOLLOW
	err := syscall.Unmount(point, noFollow)
	if errors.Is(err, syscall.EBUSY) {
		// Somebody has a file open there, or stands in it. Nobody else finds it any more.
		err = syscall.Unmount(point, noFollow|syscall.MNT_DETACH)
	}
	if err != nil {
		return fmt.Errorf("umount %s: %w", point, err)
	}
	return nil
}

// Memory mounts an empty file system of a size in memory at `target`, for root alone. It has a file for each page at most.
func Memory(target string, bytes int64) error {
	const page = 4096
	data := fmt.Sprintf("size=%d,nr_inodes=%d,mode=0700", bytes, max(16, bytes/page))
	return at(target, func(point string) error {
		return syscall.Mount("gofleet", point, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, data)
	})
}

// Bind shows a directory, without what is mounted in it, at `target` as well.
func Bind(from, target string) error {
	source, err := beneath.Open(from)
	if err != nil {
		return err
	}
	defer syscall.Close(source)
	return at(target, func(point string) error {
		return syscall.Mount(beneath.Name(source), point, "", syscall.MS_BIND, "")
	})
}

// Overlay mounts `upper` over `lower` at `target`. What is written is not synced: it goes with the mount.
func Overlay(lower, upper, work, target string) error {
	data := "volatile,lowerdir=" + escape(lower) + ",upperdir=" + escape(upper) + ",workdir=" + escape(work)
	return at(target, func(point string) error {
		return syscall.Mount("overlay", point, "overlay", syscall.MS_NOSUID|syscall.MS_NODEV, data)
	})
}

// ReadOnly binds a directory, without what is mounted in it, read-only at `target`.
func ReadOnly(from, target string) error {
	if err := Bind(from, target); err != nil {
		return err
	}
	// Flags only take effect on a mount that is there.
	err := at(target, func(point string) error {
		return syscall.Mount("", point, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY|syscall.MS_NOSUID|syscall.MS_NODEV, "")
	})
	if err != nil {
		return errors.Join(err, take(target))
	}
	return nil
}

func at(target string, mount func(point string) error) error {
	fd, err := beneath.Open(target)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	if err := mount(beneath.Name(fd)); err != nil {
		return fmt.Errorf("mount on %s: %w", target, err)
	}
	return nil
}

// escape writes a path as an overlay's option has it.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, ",", `\,`, ":", `\:`).Replace(path)
}
