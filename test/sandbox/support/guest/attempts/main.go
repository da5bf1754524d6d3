// Command attempts tries to get out of a slot, in a virtual machine made for it.
//
//	attempts as PROFILE|- UID COMMAND...   becomes that user and, from the command on, is under that profile
//	attempts try NAME...                   prints a line for each: the name, a tab, "ok" or the error
//
// The environment says whom to attack: OTHER is a process of root, SAME one of the slot's own user, both without profile;
// ELSEWHERE is a server that is not to be reached.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

const (
	own     = "/var/lib/gofleet-ci/slots/1/work/"
	other   = "/var/lib/gofleet-ci/slots/2/work/"
	modules = "/var/cache/gofleet-ci/modules/"
	mine    = "/srv/mine/"
)

var attempts = map[string]func() error{
	// Its own things, which it must be able to do.
	"own-file": func() error { return write(own + "file") },
	"own-link": func() error { return through(os.Link, own+"file", own+"file-2") },
	"own-rename": func() error {
		return errors.Join(os.Rename(own+"file", own+"moved"), os.Rename(own+"moved", own+"file"))
	},
	"own-input":   func() error { return read("/var/lib/gofleet-ci/slots/1/inputs/data/file") },
	"own-modules": ownModules,
	"own-child":   func() error { return signalChild() },
	"own-network": ownNetwork,
	"own-lock":    func() error { return hold("/run/gofleet-ci/jobs.lock.1") },
	"system": func() error {
		return errors.Join(read("/etc/passwd"), read("/proc/meminfo"), read("/proc/self/status"))
	},

	"shadow":              func() error { return read("/etc/shadow") },
	"goroot-write":        func() error { return open(os.Getenv("GOROOT")+"/VERSION", os.O_WRONLY) },
	"goroot-create":       func() error { return write(os.Getenv("GOROOT") + "/bin/new") },
	"modules-write":       func() error { return open(modules+"example.com/m@v1.0.0/m.go", os.O_WRONLY) },
	"modules-create":      func() error { return write(modules + "example.com/new") },
	"host-process":        func() error { return read("/proc/1/environ") },
	"ptrace":              func() error { return attach(pid("OTHER")) },
	"signal":              func() error { return syscall.Kill(pid("OTHER"), syscall.SIGCONT) },
	"mount":               func() error { return mount("tmpfs", own+"mnt", "tmpfs", 0) },
	"bind":                func() error { return mount("/etc", own+"mnt", "", syscall.MS_BIND) },
	"module":              loadModule,
	"raw-socket":          func() error { return socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_ICMP) },
	"packet-socket":       func() error { return socket(syscall.AF_PACKET, syscall.SOCK_RAW, 0) },
	"chroot":              func() error { return syscall.Chroot("/") },
	"device":              func() error { return device(own + "device") },
	"hostname":            func() error { return open("/proc/sys/kernel/hostname", os.O_WRONLY) },
	"leave-profile":       func() error { return attribute("current", "changeprofile unconfined") },
	"policy":              func() error { return open("/sys/kernel/security/apparmor/.load", os.O_WRONLY) },
	"neighbour-file":      func() error { return read(other + "secret") },
	"neighbour-write":     func() error { return open(other+"secret", os.O_WRONLY) },
	"neighbour-lock":      func() error { return hold("/run/gofleet-ci/jobs.lock.2") },
	"neighbour-symlink":   func() error { return through(os.Symlink, other+"secret", own+"symlink") },
	"hardlink-in":         func() error { return through(os.Link, mine+"file", own+"hardlink") },
	"hardlink-out":        func() error { return through(os.Link, own+"file", mine+"hardlink") },
	"rename-out":          renameOut,
	"outside-write":       func() error { return write("/srv/open/file") },
	"same-user-ptrace":    func() error { return attach(pid("SAME")) },
	"same-user-signal":    func() error { return syscall.Kill(pid("SAME"), syscall.SIGCONT) },
	"same-user-memory":    func() error { return open(fmt.Sprintf("/proc/%d/mem", pid("SAME")), os.O_RDWR) },
	"setuid-program":      func() error { return child("/usr/bin/su", "try", "root") },
	"setuid-unknown":      func() error { return child("/usr/bin/odd", "try", "become-root") },
	"setuid-shadow":       func() error { return child("/usr/bin/odd", "try", "shadow") },
	"root":                func() error { return isRoot() },
	"become-root":         func() error { return errors.Join(isRoot(), syscall.Setuid(0)) },
	"namespace-and-mount": namespaceAndMount,
	"metadata":            func() error { return connect("169.254.169.254:80") },
	"egress":              func() error { return connect(os.Getenv("ELSEWHERE")) },
	"cgroup": func() error {
		return open("/sys/fs/cgroup/gofleet.slice/gofleet-ci.slice/gofleet-ci-1.slice/gofleet-ci@1.service/memory.max", os.O_WRONLY)
	},
	"many-files":  manyFiles,
	"much-memory": muchMemory,
}

func main() {
	var err error
	switch os.Args[1] {
	case "as":
		err = become(os.Args[2], os.Args[3], os.Args[4:])
	case "try":
		err = try(os.Args[2:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func become(profile, uid string, command []string) error {
	runtime.LockOSThread()
	if profile != "-" {
		if err := attribute("exec", "exec "+profile); err != nil {
			return err
		}
	}
	id, err := strconv.Atoi(uid)
	if err != nil {
		return err
	}
	if id != 0 {
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(id), syscall.Setuid(id)); err != nil {
			return err
		}
	}
	return syscall.Exec(command[0], command, os.Environ())
}

func try(names []string) error {
	var last error
	for _, name := range names {
		answer := "ok"
		if last = attempts[name](); last != nil {
			answer = strings.ReplaceAll(last.Error(), "\n", "; ")
		}
		fmt.Printf("%s\t%s\n", name, answer)
	}
	if len(names) == 1 {
		return last
	}
	return nil
}

func read(path string) error {
	_, err := os.ReadFile(path)
	return err
}

func open(path string, flags int) error {
	file, err := os.OpenFile(path, flags, 0)
	if err == nil {
		file.Close()
	}
	return err
}

func write(path string) error { return os.WriteFile(path, []byte("x"), 0o600) }

// through makes a link, reads what is behind it, and takes it away again.
func through(link func(from, to string) error, from, to string) error {
	if err := link(from, to); err != nil {
		return err
	}
	defer os.Remove(to)
	return read(to)
}

func hold(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
}

func renameOut() error {
	if err := write(own + "goes"); err != nil {
		return err
	}
	return os.Rename(own+"goes", mine+"went")
}

func ownModules() error {
	view := "/var/cache/gofleet-ci/slots/1/modules/"
	return errors.Join(read(view+"example.com/m@v1.0.0/m.go"), write(view+"new"), read(view+"new"))
}

func signalChild() error {
	sleep := exec.Command("/bin/busybox", "sleep", "60")
	if err := sleep.Start(); err != nil {
		return err
	}
	err := errors.Join(attach(sleep.Process.Pid), sleep.Process.Kill())
	sleep.Wait()
	return err
}

func ownNetwork() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	connection, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return err
	}
	return connection.Close()
}

func connect(address string) error {
	connection, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return err
	}
	return connection.Close()
}

// manyFiles opens one file more often than any process may.
func manyFiles() error {
	var files []*os.File
	defer func() {
		for _, file := range files {
			file.Close()
		}
	}()
	for range 1 << 20 {
		file, err := os.Open("/dev/null")
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	return nil
}

// muchMemory takes a mebibyte at a time, and uses each page of it, until somebody ends it.
func muchMemory() error {
	var taken [][]byte
	for range 1 << 14 {
		part := make([]byte, 1<<20)
		for i := 0; i < len(part); i += 4096 {
			part[i] = 1
		}
		taken = append(taken, part)
	}
	runtime.KeepAlive(taken)
	return nil
}

func attach(process int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := syscall.PtraceAttach(process); err != nil {
		return err
	}
	var status syscall.WaitStatus
	syscall.Wait4(process, &status, syscall.WALL, nil)
	return syscall.PtraceDetach(process)
}

func mount(from, to, kind string, flags uintptr) error {
	if err := syscall.Mount(from, to, kind, flags, ""); err != nil {
		return err
	}
	return syscall.Unmount(to, 0)
}

// loadModule hands the kernel something that is none: to be told so is to have been let in.
func loadModule() error {
	const sysInitModule = 175
	text := []byte("no module")
	empty := []byte{0}
	image, parameters := uintptr(unsafe.Pointer(&text[0])), uintptr(unsafe.Pointer(&empty[0]))
	_, _, errno := syscall.Syscall(sysInitModule, image, uintptr(len(text)), parameters)
	runtime.KeepAlive(text)
	runtime.KeepAlive(empty)
	if errno == syscall.ENOEXEC {
		return nil
	}
	return errno
}

func socket(family, kind, protocol int) error {
	fd, err := syscall.Socket(family, kind, protocol)
	if err != nil {
		return err
	}
	return syscall.Close(fd)
}

func device(path string) error {
	const null = 1<<8 | 3
	if err := syscall.Mknod(path, syscall.S_IFCHR|0o600, null); err != nil {
		return err
	}
	return os.Remove(path)
}

func attribute(name, value string) error {
	file, err := os.OpenFile("/proc/thread-self/attr/"+name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(value)
	return errors.Join(err, file.Close())
}

func child(program string, arguments ...string) error {
	output, err := exec.Command(program, arguments...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(output)))
	}
	return nil
}

func isRoot() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("user %d", os.Geteuid())
	}
	return nil
}

func namespaceAndMount() error {
	inside := exec.Command("/proc/self/exe", "try", "mount")
	inside.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	output, err := inside.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(output)))
	}
	return nil
}

func pid(name string) int {
	id, _ := strconv.Atoi(os.Getenv(name))
	return id
}
