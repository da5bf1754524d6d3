package canary

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

var thisHost = host{
	exists: func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	},
	profiles: kernelProfiles,
	digest:   profileDigest,
	group: func(name string) bool {
		_, err := user.LookupGroup(name)
		return err == nil
	},
}

// loadedPolicy is what the kernel says of the AppArmor profiles that it has.
const loadedPolicy = "/sys/kernel/security/apparmor"

// kernelProfiles reads the names of the loaded profiles.
func kernelProfiles() []string {
	text, err := os.ReadFile(loadedPolicy + "/profiles")
	if err != nil {
		return nil
	}
	names := []string{}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if end := strings.LastIndex(line, " ("); end > 0 {
			names = append(names, line[:end])
		}
	}
	return names
}

// profileDigest reads the kernel's own sum of a profile, which covers its rules and its mode. Which sum that is changed
// with Linux 6.8.
func profileDigest(name string) string {
	for _, sum := range []string{"sha256", "sha1"} {
		// A profile's directory is its name and the number of the load.
		found, _ := filepath.Glob(loadedPolicy + "/policy/profiles/" + name + ".[0-9]*/" + sum)
		if len(found) != 1 {
			continue
		}
		if text, err := os.ReadFile(found[0]); err == nil {
			return strings.TrimSpace(string(text))
		}
	}
	return ""
}

// goVersion of the command that jobs use.
func goVersion(ctx context.Context, command string) (string, error) {
	run := exec.CommandContext(ctx, command, "env", "GOVERSION")
	// Without a home nothing is written there.
	run.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOWORK=off", "GOENV=off", "HOME=/dev/null", "GOCACHE=off")
	run.Dir = "/"
	out, err := run.Output()
	if err != nil {
		return "", fmt.Errorf("%s does not say its version: %w", command, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// identity is the slot's user, or where the first release has not made it yet, nobody.
func (r *Result) identity(o Options) (uid, gid int, group string, err error) {
	found, err := user.Lookup(o.Slot.User)
	if err != nil {
		if found, err = user.Lookup("nobody"); err != nil {
			return 0, 0, "", fmt.Errorf("neither %s nor nobody is a user of this host: %w", o.Slot.User, err)
		}
		r.Note = fmt.Sprintf("the user %s is made at the switch; the canary runs as nobody", o.Slot.User)
	}
	r.User = found.Username
	uid, err = strconv.Atoi(found.Uid)
	if err == nil {
		gid, err = strconv.Atoi(found.Gid)
	}
	return uid, gid, found.Gid, err
}

// lock: one canary of a component at a time, for they share a workspace.
func lock(component string) (func(), error) {
	path := "/run/gofleet-canary-" + component + ".lock"
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s is held: another canary of %s is running; wait until it has ended", path, component)
	}
	return func() { file.Close() }, nil
}
