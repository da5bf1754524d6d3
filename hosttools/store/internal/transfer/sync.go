package transfer

import (
	"os"
	"runtime"
	"syscall"
)

// The number of syncfs(2), which package syscall does not name on every architecture.
var syncfs = map[string]uintptr{"amd64": 306, "arm64": 267}[runtime.GOARCH]

// syncFileSystem makes everything that was written to a file system durable at once, which is far quicker than file by
// file.
func syncFileSystem(path string) error {
	if syncfs == 0 {
		syscall.Sync()
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if _, _, errno := syscall.Syscall(syncfs, dir.Fd(), 0, 0); errno != 0 {
		return &os.PathError{Op: "syncfs", Path: path, Err: errno}
	}
	return nil
}
