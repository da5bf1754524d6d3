// Package keyring forgets the keys that a user's processes left with the kernel; see keyrings(7). A session keyring goes
// with its session (KeyringMode=private). Those of the user stay: the next job of the slot is the same user. Without a user
// namespace of its own it would find them there.
package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Operations of keyctl(2), which the standard library does not name.
const (
	getID         = 0
	clear         = 7
	link          = 8
	invalidate    = 21
	getPersistent = 22
)

// Keyrings by the names that the kernel has for whoever asks.
const (
	ofThread      = -1
	ofUser        = -4
	ofUserSession = -5
)

// collected is more than the kernel needs to drop a keyring that is no longer valid.
const collected = 2 * time.Second

// name is what a process is called that forgets its own user's keys.
const name = "gofleet-keyrings"

// Forget empties a user's own keyring, the one of the user's sessions, and the persistent one, as root. No process of the
// user may run meanwhile. An error means that the next process may find a key.
//
// The kernel names these keyrings for nobody but the user, so that it takes a process of that user: this program by
// another name, see Main.
func Forget(uid, gid int) error {
	child := exec.Command("/proc/self/exe")
	child.Args = []string{name}
	child.Env = []string{}
	child.Dir = "/"
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if said, err := child.CombinedOutput(); err != nil {
		return fmt.Errorf("keyrings of user %d: %w: %s; a reboot clears them", uid, err, bytes.TrimSpace(said))
	}
	return nil
}

// Main ends a process that is such a one, and does nothing in any other. It comes first in each program that calls Forget.
func Main() {
	if os.Args[0] != name {
		return
	}
	if err := forget(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func forget() error {
	// A persistent keyring may be written by the thread that has asked for it.
	runtime.LockOSThread()
	persistent, err := keyctl(getPersistent, -1, ofThread)
	if isNowhere(err) {
		return nil
	}
	failures := []error{empty(ofUserSession, "session"), empty(ofUser, "user")}
	// As the kernel makes them; who has changed that has no use for it.
	_, _ = keyctl(link, ofUser, ofUserSession)
	switch {
	case err == nil:
		failures = append(failures, empty(persistent, "persistent"))
	case !errors.Is(err, syscall.EOPNOTSUPP):
		failures = append(failures, fmt.Errorf("persistent: %w", err))
	}
	return errors.Join(failures...)
}

// empty clears a keyring. One that its owner has closed for writing, and that others still search, is dropped as a whole;
// the kernel makes another when it is asked for.
func empty(id int, which string) error {
	_, err := keyctl(clear, id, 0)
	if errors.Is(err, syscall.EACCES) {
		if _, err = keyctl(invalidate, id, 0); err == nil {
			awaitAnother(id)
		}
	}
	switch {
	case err == nil, errors.Is(err, syscall.ENOKEY), errors.Is(err, syscall.EKEYREVOKED), errors.Is(err, syscall.EKEYEXPIRED):
		return nil
	}
	return fmt.Errorf("%s: %w", which, err)
}

// awaitAnother waits until the kernel has dropped a keyring, and makes a new one when asked. Without one the next job has
// no keys, which is no leak.
func awaitAnother(id int) {
	for end := time.Now().Add(collected); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if _, err := keyctl(getID, id, 1); err == nil {
			return
		}
	}
}

// isNowhere: this kernel has no keyrings, or a container has them for nobody.
func isNowhere(err error) bool {
	return errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EPERM)
}

func keyctl(operation, first, second int) (int, error) {
	result, _, code := syscall.RawSyscall(syscall.SYS_KEYCTL, uintptr(operation), uintptr(first), uintptr(second))
	if code != 0 {
		return 0, code
	}
	return int(result), nil
}
