// Package modules keeps the shared module cache: the module user fetches what jobs have asked for, and old versions go
// when the disk is full.
package modules

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/lock"
	"gofleet/sandbox/internal/module"
	"gofleet/sandbox/internal/pause"
	"gofleet/sandbox/internal/remove"
	"gofleet/sandbox/internal/usage"
	"gofleet/sandbox/internal/wanted"
)

// Bounds of one run.
const (
	mostVersions = 200
	batch        = 20
	longestRun   = 15 * time.Minute
)

// private is in the shared cache, on its file system: what is fetched is renamed into place as a whole, so that no job
// ever sees half a version.
const private = ".gofleet"

// Fetch brings the versions that jobs have downloaded into the shared cache, as the module user: from the proxy, with the
// checksum database, and without running anything of them. What cannot be had is said and forgotten; the next job that
// downloads it brings it up again.
func Fetch(c *config.Config) error {
	if c.Modules.Shared == "" {
		return errors.New("modules.shared is empty: there is no shared module cache")
	}
	if os.Geteuid() == 0 {
		return fmt.Errorf("runs as root: run it as %s, whom the cache belongs to", c.Modules.User)
	}
	if _, err := os.Lstat(c.Modules.Shared); errors.Is(err, os.ErrNotExist) {
		fmt.Printf("%s is missing, and nothing is fetched: systemd-tmpfiles --create makes it\n", c.Modules.Shared)
		return nil
	}
	// Directories that jobs may add to, in layers of their own: with the group, which is all slots' (by the setgid bit).
	syscall.Umask(0o002)
	staging := filepath.Join(c.Modules.Shared, private, "staging")
	if err := os.MkdirAll(filepath.Dir(staging), 0o700); err != nil {
		return err
	}
	release, err := lock.File(filepath.Join(filepath.Dir(staging), "lock"))
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeout(context.Background(), longestRun)
	defer cancel()
	if err := remove.Tree(ctx, staging); err != nil {
		return err
	}
	names, files, err := wanted.Read(c)
	if err != nil {
		return err
	}
	f := &fetch{ctx: ctx, c: c, staging: staging}
	if err := f.all(names); err != nil {
		return err
	}
	var failures []error
	for _, each := range files {
		failures = append(failures, os.Remove(each))
	}
	return errors.Join(append(failures, remove.Tree(context.Background(), staging))...)
}

type fetch struct {
	ctx     context.Context
	c       *config.Config
	staging string
	// proxies is GOPROXY without `direct`.
	proxies string
}

func (f *fetch) all(names []module.Version) error {
	var missing []module.Version
	for _, each := range names {
		// Jobs use the host's own toolchain.
		if each.Path != "golang.org/toolchain" && !has(f.c.Modules.Shared, each) {
			missing = append(missing, each)
		}
	}
	if len(missing) > mostVersions {
		fmt.Printf("%d versions are wanted; the first %d now\n", len(missing), mostVersions)
		missing = missing[:mostVersions]
	}
	if len(missing) == 0 {
		return nil
	}
	if err := f.settle(); err != nil {
		return err
	}
	for len(missing) > 0 {
		full, err := f.full()
		if err != nil {
			return err
		}
		if full != "" {
			fmt.Printf("nothing more is fetched: %s\n", full)
			return nil
		}
		some := missing[:min(batch, len(missing))]
		missing = missing[len(some):]
		if err := f.some(some); err != nil {
			return err
		}
	}
	return nil
}

// full says why the cache may not grow, if it may not.
func (f *fetch) full() (string, error) {
	if pause.Paused(f.c.PauseMark) {
		return "no new job may begin either (" + f.c.PauseMark + ")", nil
	}
	u, err := usage.Of(f.c.Modules.Shared)
	if err != nil {
		return "", err
	}
	if percent := u.Percent(); percent >= float64(f.c.Watch.LowPercent) {
		return fmt.Sprintf("%s: %.1f %% of the %s are used", f.c.Modules.Shared, percent, u.What()), nil
	}
	if f.c.Modules.MaxBytes > 0 {
		if size, _ := usage.Tree(f.c.Modules.Shared); size >= f.c.Modules.MaxBytes {
			full := fmt.Sprintf("%s: %d bytes of %d are used", f.c.Modules.Shared, size, f.c.Modules.MaxBytes)
			return full, markFull(f.c.Modules.Shared)
		}
	}
	return "", nil
}

// settle finds out where modules come from, and refuses to fetch what nobody vouches for. Jobs say which modules: they
// must not make the module user connect anywhere but to the proxy.
func (f *fetch) settle() error {
	out, err := f.command("env", "-json", "GOPROXY", "GOSUMDB").Output()
	if err != nil {
		return fmt.Errorf("%s env: %w%s", f.c.Go, err, stderr(err))
	}
	var env struct{ GOPROXY, GOSUMDB string }
	if err := json.Unmarshal(out, &env); err != nil {
		return fmt.Errorf("%s env: %w", f.c.Go, err)
	}
	if env.GOSUMDB == "off" {
		return errors.New("GOSUMDB is off: jobs say which modules are fetched, and the checksum database what is in them; turn it on, and name modules of your own in GONOSUMDB")
	}
	proxies := strings.FieldsFunc(env.GOPROXY, func(r rune) bool { return r == ',' || r == '|' })
	proxies = slices.DeleteFunc(proxies, func(each string) bool { return each == "direct" })
	if len(proxies) == 0 || proxies[0] == "off" {
		return fmt.Errorf("GOPROXY is %q: the shared module cache is filled from a proxy only; name one", env.GOPROXY)
	}
	f.proxies = strings.Join(proxies, ",")
	return nil
}

func (f *fetch) command(arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(f.ctx, f.c.Go, arguments...)
	cmd.Dir = f.staging
	below := func(name string) string { return filepath.Join(f.staging, name) }
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin"}
	for name, value := range f.c.Modules.Environment {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	// Later ones count.
	cmd.Env = append(cmd.Env,
		"HOME="+below("home"), "GOPATH="+below("path"), "GOCACHE="+below("build"), "GOMODCACHE="+below("mod"), "TMPDIR="+below("tmp"),
		"GOENV=off", "GOFLAGS=", "GOTOOLCHAIN=local", "GONOPROXY=none", "GOVCS=*:off", "GOWORK=off", "GO111MODULE=on")
	if f.proxies != "" {
		cmd.Env = append(cmd.Env, "GOPROXY="+f.proxies)
	}
	// Without telemetry: it goes on writing after the command has ended.
	telemetry := below("home/.config/go/telemetry")
	cmd.Err = errors.Join(cmd.Err, os.MkdirAll(below("tmp"), 0o700), os.MkdirAll(telemetry, 0o700),
		os.WriteFile(filepath.Join(telemetry, "mode"), []byte("off"), 0o600))
	return cmd
}

func stderr(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return ": " + strings.TrimSpace(string(exit.Stderr))
	}
	return ""
}
