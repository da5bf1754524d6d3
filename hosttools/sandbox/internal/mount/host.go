package mount

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// InHost does something in the mount namespace of the host, as root. systemd gives every command of a unit that has file
// system settings a namespace of its own, also those that run with full privileges: what is mounted there goes with the
// command, and the next one sees nothing of it. In a container the host is the container: its process 1.
func InHost(do func() error) error {
	same, err := sameNamespace()
	if err != nil {
		return err
	}
	if same {
		return do()
	}
	done := make(chan error, 1)
	go func() {
		// Only this thread changes; it is not unlocked, so that it ends with this goroutine and nothing else runs in it.
		runtime.LockOSThread()
		if err := enterHost(); err != nil {
			done <- fmt.Errorf("the host's mounts cannot be reached, run this as root with full privileges: %w", err)
			return
		}
		done <- do()
	}()
	return <-done
}

func sameNamespace() (bool, error) {
	own, err1 := os.Readlink("/proc/thread-self/ns/mnt")
	host, err2 := os.Readlink("/proc/1/ns/mnt")
	if errors.Is(err2, os.ErrPermission) {
		// Not root: nothing will be mounted either.
		return true, err1
	}
	return own == host, errors.Join(err1, err2)
}

func enterHost() error {
	host, err := os.Open("/proc/1/ns/mnt")
	if err != nil {
		return err
	}
	defer host.Close()
	// A thread that shares its working directory with others may not enter another mount namespace.
	if err := syscall.Unshare(syscall.CLONE_FS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if _, _, code := syscall.RawSyscall(setns, host.Fd(), syscall.CLONE_NEWNS, 0); code != 0 {
		return os.NewSyscallError("setns", code)
	}
	return nil
}
