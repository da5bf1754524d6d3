// Package usage knows how full a file system is.
package usage

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// Usage is how full a file system is, as df has it: what is kept for root is neither used nor free.
type Usage struct {
	// Device tells file systems apart.
	Device                 uint64
	Type                   int64
	UsedBytes, FreeBytes   int64
	UsedInodes, FreeInodes int64
}

// Of asks the file system that a path is on.
func Of(path string) (Usage, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return Usage{}, fmt.Errorf("%s: %w", path, err)
	}
	var stat syscall.Stat_t
	if err := syscall.Stat(path, &stat); err != nil {
		return Usage{}, fmt.Errorf("%s: %w", path, err)
	}
	return Usage{
		Device:     stat.Dev,
		Type:       int64(fs.Type),
		UsedBytes:  int64(fs.Blocks-fs.Bfree) * int64(fs.Bsize),
		FreeBytes:  int64(fs.Bavail) * int64(fs.Bsize),
		UsedInodes: int64(fs.Files - fs.Ffree),
		FreeInodes: int64(fs.Ffree),
	}, nil
}

// Percent is the fuller of bytes and inodes.
func (u Usage) Percent() float64 {
	return max(share(u.UsedBytes, u.FreeBytes), share(u.UsedInodes, u.FreeInodes))
}

// What is the fuller of the two: "bytes" or "inodes".
func (u Usage) What() string {
	if share(u.UsedInodes, u.FreeInodes) > share(u.UsedBytes, u.FreeBytes) {
		return "inodes"
	}
	return "bytes"
}

// Over is how many bytes and inodes must go until neither is above that many percent.
func (u Usage) Over(percent int) (bytes, inodes int64) {
	over := func(used, free int64) int64 { return max(0, used-(used+free)*int64(percent)/100) }
	if u.UsedInodes+u.FreeInodes > 0 {
		inodes = over(u.UsedInodes, u.FreeInodes)
	}
	return over(u.UsedBytes, u.FreeBytes), inodes
}

// Memory reports whether the file system is a tmpfs.
func (u Usage) Memory() bool {
	const tmpfs = 0x01021994 // TMPFS_MAGIC of statfs(2)
	return u.Type == tmpfs
}

func share(used, free int64) float64 {
	if used+free <= 0 {
		// Some file systems make inodes as they need them, and a tmpfs may have no limit.
		return 0
	}
	return 100 * float64(used) / float64(used+free)
}

// Tree is how many bytes the files below a path occupy, and how many files there are; what cannot be read does not count,
// and links count once.
func Tree(path string) (bytes, files int64) {
	seen := map[uint64]bool{}
	_ = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || stat.Nlink > 1 && !entry.IsDir() && seen[stat.Ino] {
			return nil
		}
		if stat.Nlink > 1 && !entry.IsDir() {
			seen[stat.Ino] = true
		}
		if !entry.IsDir() {
			files++
		}
		bytes += stat.Blocks * 512
		return nil
	})
	return bytes, files
}
