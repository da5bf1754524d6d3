package gc

import "syscall"

// keepsAccessTimes reports whether the file system records when a file was read: relatime does to a day, noatime not.
func keepsAccessTimes(path string) bool {
	const noatime = 0x400 // ST_NOATIME of statvfs(3)
	var fs syscall.Statfs_t
	return syscall.Statfs(path, &fs) == nil && fs.Flags&noatime == 0
}
