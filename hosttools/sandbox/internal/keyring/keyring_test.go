package keyring

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// Of keyctl(2).
const (
	setPermissions = 5
	search         = 10
)

// Each test has a user of its own: what it closes stays closed for that user.
const users = 100

var last int

// variable has the name of what a process does instead of testing.
const variable = "GOFLEET_TEST_ACTION"

var actions = map[string]func(){
	"add everywhere":              func() { everywhere(add) },
	"find":                        func() { everywhere(find) },
	"close for writing":           func() { add("user", ofUser); restrict(0x1b1b0000) },
	"close but for searching":     func() { add("user", ofUser); restrict(0x08080000) },
	"close altogether":            func() { add("user", ofUser); restrict(0x03030000) },
	"ask for persistent keyrings": func() { _, err := keyctl(getPersistent, -1, ofThread); fmt.Print(text(err)) },
	// In a user namespace of its own the tests' users have keyrings of their own, which go with it.
	"test": nil,
}

func TestMain(m *testing.M) {
	Main()
	if action := actions[os.Getenv(variable)]; action != nil {
		action()
		return
	}
	if os.Geteuid() != 0 || os.Getenv(variable) == "test" {
		os.Exit(m.Run())
	}
	again := child("test", os.Args[1:]...)
	again.Stdout, again.Stderr = os.Stdout, os.Stderr
	all := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: users}}
	again.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER, UidMappings: all, GidMappings: all, GidMappingsEnableSetgroups: true,
	}
	if err := again.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(action string, arguments ...string) *exec.Cmd {
	command := exec.Command("/proc/self/exe", arguments...)
	command.Env = append(os.Environ(), variable+"="+action)
	return command
}

// as does something as a user and says what that said.
func as(t *testing.T, user int, action string) string {
	t.Helper()
	command := child(action)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(user)}}
	said, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", action, err, said)
	}
	return strings.TrimSpace(string(said))
}

func everywhere(do func(string, int)) {
	runtime.LockOSThread()
	persistent, _ := keyctl(getPersistent, -1, ofThread)
	do("user", ofUser)
	do("session", ofUserSession)
	do("persistent", persistent)
}

func add(where string, ring int) {
	kind, name, value := []byte("user\x00"), []byte("left\x00"), []byte("secret")
	_, _, code := syscall.RawSyscall6(syscall.SYS_ADD_KEY, address(kind), address(name), address(value), uintptr(len(value)), uintptr(ring), 0)
	if code != 0 {
		fmt.Printf("%s: %v\n", where, code)
	}
}

func find(where string, ring int) {
	kind, name := []byte("user\x00"), []byte("left\x00")
	_, _, code := syscall.RawSyscall6(syscall.SYS_KEYCTL, search, uintptr(ring), address(kind), address(name), 0, 0)
	switch {
	case code == 0:
		fmt.Println(where)
	case !errors.Is(code, syscall.ENOKEY):
		fmt.Printf("%s: %v\n", where, code)
	}
}

func restrict(permissions int) {
	_, err := keyctl(setPermissions, ofUser, permissions)
	fmt.Print(text(err))
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func address(text []byte) uintptr { return uintptr(unsafe.Pointer(&text[0])) }

func newUser(t *testing.T) int {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: needs root: keyrings of another user")
	}
	last++
	if said := as(t, last, "ask for persistent keyrings"); said != "" {
		t.Skipf("SKIPPED: needs persistent keyrings: %s", said)
	}
	return last
}

func said(t *testing.T, got, wanted string) {
	t.Helper()
	if got != wanted {
		t.Errorf("%q, not %q", got, wanted)
	}
}

func TestKeysOfAUserAreForgotten(t *testing.T) {
	user := newUser(t)
	said(t, as(t, user, "add everywhere"), "")
	said(t, as(t, user, "find"), "user\nsession\npersistent")
	if err := Forget(user, user); err != nil {
		t.Fatal(err)
	}
	said(t, as(t, user, "find"), "")
}

func TestAKeyringThatItsOwnerClosedGivesNothing(t *testing.T) {
	for _, how := range []string{"close for writing", "close but for searching", "close altogether"} {
		t.Run(how, func(t *testing.T) {
			user := newUser(t)
			said(t, as(t, user, how), "")
			if err := Forget(user, user); err != nil {
				t.Error(err)
			}
			said(t, as(t, user, "find"), "")
		})
	}
}

func TestWhatCannotBeForgottenIsSaid(t *testing.T) {
	newUser(t)
	// There is no such user in this namespace.
	if err := Forget(users+1, users+1); err == nil {
		t.Error("no error")
	}
}
