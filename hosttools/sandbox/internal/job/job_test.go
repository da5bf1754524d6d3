package job

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/keyring"
	"gofleet/sandbox/internal/mount"
	"gofleet/sandbox/internal/pause"
	"gofleet/sandbox/internal/slot"
)

func TestMain(m *testing.M) {
	keyring.Main()
	os.Exit(m.Run())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), 0o644))
}

// lab is a sandbox with one slot in a mount namespace and a tmpfs of its own, as root.
func lab(t *testing.T) (*config.Config, *config.Slot) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: needs root: mounts and users")
	}
	top := t.TempDir()
	must(t, os.Chmod(filepath.Dir(top), 0o755))
	// The thread is not unlocked: it ends with the test, and its namespace with it.
	runtime.LockOSThread()
	must(t, syscall.Unshare(syscall.CLONE_NEWNS|syscall.CLONE_FS))
	must(t, syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	must(t, syscall.Mount("none", top, "tmpfs", 0, "size=64m,mode=755"))
	t.Cleanup(func() { syscall.Unmount(top, syscall.MNT_DETACH) })
	at := func(parts ...string) string { return filepath.Join(append([]string{top}, parts...)...) }
	c := &config.Config{
		Component: "ci", Go: "/usr/bin/go", State: at("state"), Runtime: at("run"), PauseMark: at("run", "paused"), JobLock: at("run", "jobs.lock"),
		Slots: []config.Slot{{Number: 1, User: "nobody", Workspace: at("state", "slots", "1"), BuildCache: at("cache", "slots", "1", "build"), Modules: at("cache", "slots", "1", "modules")}},
		Cache: config.Cache{Kind: "disk"}, Modules: config.Modules{Shared: at("cache", "modules"), User: "nobody"},
		Job: config.Job{PauseWaitSeconds: 1},
	}
	for _, dir := range []string{c.State, c.Runtime, c.Modules.Shared} {
		must(t, os.MkdirAll(dir, 0o755))
	}
	must(t, os.Chmod(c.Modules.Shared, 0o700))
	return c, &c.Slots[0]
}

// asSlot runs a shell command as the slot's user.
func asSlot(t *testing.T, s *config.Slot, script string) (string, error) {
	t.Helper()
	found, err := user.Lookup(s.User)
	must(t, err)
	uid, _ := strconv.Atoi(found.Uid)
	gid, _ := strconv.Atoi(found.Gid)
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = filepath.Join(s.Workspace, config.Checkout)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestAJobHasItsOwnAndLeavesNothing(t *testing.T) {
	c, s := lab(t)
	write(t, filepath.Join(c.Modules.Shared, "example.com", "a@v1.0.0", "a.go"), "package a\n")
	input := filepath.Join(c.State, "input")
	write(t, filepath.Join(input, "file"), "given")
	c.Inputs = []config.Input{{From: input, Name: "data"}}
	for range 2 {
		must(t, Prepare(c, s))
		if !slot.Busy(c, s) {
			t.Error("not busy")
		}
		out, err := asSlot(t, s, fmt.Sprintf(`set -e
			test -z "$(find ../home ../tmp ../gotmp . -mindepth 1)"
			touch ../home/h ../tmp/t ../gotmp/g w %[1]s/b
			cat ../inputs/data/file %[2]s/example.com/a@v1.0.0/a.go
			mkdir %[2]s/mine && echo x >%[2]s/mine/file
			stat -c %%a .. ../home ../tmp ../gotmp . %[1]s %[2]s | sort -u`, s.BuildCache, s.Modules))
		if err != nil || !strings.Contains(out, "givenpackage a\n700\n") {
			t.Errorf("%s %v", out, err)
		}
		for _, forbidden := range []string{
			"touch ../inputs/data/file", "echo x >" + filepath.Join(c.Modules.Shared, "x"), "ls " + c.Modules.Shared, "ls " + c.Layers(s),
			"touch " + filepath.Join(filepath.Dir(s.Workspace), "2"), "touch " + c.PauseMark, "rm " + c.Busy(s),
		} {
			if out, err := asSlot(t, s, forbidden); err == nil {
				t.Errorf("%s: %s", forbidden, out)
			}
		}
		must(t, Finish(c, s))
		must(t, Finish(c, s))
		if slot.Busy(c, s) {
			t.Error("busy still")
		}
		for _, gone := range []string{s.Workspace, c.Layers(s), filepath.Join(s.Modules, "mine"), filepath.Join(c.Modules.Shared, "mine")} {
			if _, err := os.Lstat(gone); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is still there", gone)
			}
		}
		if _, err := os.Lstat(filepath.Join(s.BuildCache, "b")); err != nil {
			t.Error("the slot's own build cache is not kept")
		}
	}
	mounts, err := mount.List()
	must(t, err)
	for _, each := range mounts {
		if strings.HasPrefix(each.Point, c.State+"/") || strings.HasPrefix(each.Point, filepath.Dir(c.Modules.Shared)+"/") {
			t.Errorf("%s is still mounted", each.Point)
		}
	}
}

func TestWhatACrashLeftIsClearedFirst(t *testing.T) {
	c, s := lab(t)
	write(t, filepath.Join(c.State, "input", "file"), "x")
	c.Inputs = []config.Input{{From: filepath.Join(c.State, "input"), Name: "data"}}
	must(t, Prepare(c, s))
	if out, err := asSlot(t, s, "mkdir -p a/b && ln -s / root && ln -s ../../.. ../home/up && mv ../inputs ../moved && touch "+s.Modules+"/old"); err != nil {
		t.Fatal(out, err)
	}
	// No Finish: the next job's Prepare finds it all, mounts included.
	must(t, Prepare(c, s))
	if out, err := asSlot(t, s, "ls -A . ../home ../tmp "+s.Modules+"; ls -A .."); err != nil || strings.Contains(out, "old") || strings.Contains(out, "root") || strings.Contains(out, "moved") {
		t.Errorf("%s %v", out, err)
	}
	must(t, Finish(c, s))
	if _, err := os.Stat(filepath.Join(c.State, "input", "file")); err != nil {
		t.Error("an input was deleted")
	}
}

func TestAWorkspaceThatIsALinkIsReplacedAndNotFollowed(t *testing.T) {
	c, s := lab(t)
	victim := filepath.Join(c.State, "victim")
	write(t, filepath.Join(victim, "home", "file"), "x")
	must(t, os.MkdirAll(filepath.Dir(s.Workspace), 0o755))
	must(t, os.Symlink(victim, s.Workspace))
	must(t, Prepare(c, s))
	info, err := os.Stat(victim)
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("the link was followed: %v", err)
	}
	if _, err := os.Stat(filepath.Join(victim, "home", "file")); err != nil {
		t.Error(err)
	}
	must(t, Finish(c, s))
}

func TestAParentThatOthersCanWriteIsRefused(t *testing.T) {
	c, s := lab(t)
	must(t, os.MkdirAll(filepath.Dir(s.Workspace), 0o755))
	must(t, os.Chmod(filepath.Dir(s.Workspace), 0o777))
	if err := Prepare(c, s); err == nil || !strings.Contains(err.Error(), "writable for nobody else") {
		t.Errorf("%v", err)
	}
}

func TestAWorkspaceOnAFileSystemOfItsOwnIsEmptied(t *testing.T) {
	c, s := lab(t)
	must(t, os.MkdirAll(s.Workspace, 0o755))
	must(t, syscall.Mount("none", s.Workspace, "tmpfs", 0, "size=1m"))
	must(t, Prepare(c, s))
	if out, err := asSlot(t, s, "head -c 2000000 /dev/zero >big; touch x; test -e x"); err != nil {
		t.Error(out, err)
	}
	must(t, Finish(c, s))
	if m, _ := mount.At(s.Workspace); m == nil {
		t.Error("it was unmounted")
	}
	if entries, err := os.ReadDir(s.Workspace); err != nil || len(entries) > 0 {
		t.Errorf("%v %v", entries, err)
	}
}

func TestAPauseIsWaitedForAndThenGivenUp(t *testing.T) {
	c, s := lab(t)
	must(t, os.WriteFile(c.PauseMark, []byte("new disks\n"), 0o644))
	err := Prepare(c, s)
	if !errors.Is(err, ErrPaused) || !strings.Contains(err.Error(), "new disks") {
		t.Errorf("%v", err)
	}
	if slot.Busy(c, s) {
		t.Error("busy")
	}
	if _, err := pause.Clear(c.PauseMark, pause.Operator); err != nil {
		t.Fatal(err)
	}
	must(t, Prepare(c, s))
	must(t, Finish(c, s))
}

func TestACacheThatDiscardsShowsTheTrustedOneAndKeepsItAsItIs(t *testing.T) {
	for _, kind := range []string{"disk", "tmpfs"} {
		t.Run(kind, func(t *testing.T) {
			c, s := lab(t)
			c.Cache = config.Cache{Kind: kind, Discard: true, Shared: filepath.Join(filepath.Dir(c.Modules.Shared), "build")}
			write(t, filepath.Join(c.Cache.Shared, "ab", "ab12-d"), "trusted")
			if kind == "tmpfs" {
				if err := Prepare(c, s); err == nil || !strings.Contains(err.Error(), "RequiresMountsFor=") {
					t.Errorf("%v", err)
				}
				must(t, os.MkdirAll(s.BuildCache, 0o755))
				must(t, syscall.Mount("none", s.BuildCache, "tmpfs", 0, "size=8m"))
			}
			must(t, Prepare(c, s))
			out, err := asSlot(t, s, fmt.Sprintf("cd %s && cat ab/ab12-d && echo bad >ab/ab34-d && mv ab/ab34-d ab/ab12-d && echo x >cd/new && cat ab/ab12-d && ls -A | wc -l", s.BuildCache))
			if err != nil || out != "trustedbad\n256\n" {
				t.Errorf("%q %v", out, err)
			}
			must(t, Finish(c, s))
			if content, err := os.ReadFile(filepath.Join(c.Cache.Shared, "ab", "ab12-d")); err != nil || string(content) != "trusted" {
				t.Errorf("%q %v", content, err)
			}
			must(t, Prepare(c, s))
			if out, err := asSlot(t, s, "cat "+s.BuildCache+"/ab/ab12-d; ls "+s.BuildCache+"/cd"); err != nil || out != "trusted" {
				t.Errorf("%q %v", out, err)
			}
			must(t, Finish(c, s))
			if entries, err := os.ReadDir(s.BuildCache); err != nil || len(entries) > 0 {
				t.Errorf("%v %v", entries, err)
			}
		})
	}
}

func TestACacheOfASlotThatDiscardsIsEmptyForEachJob(t *testing.T) {
	for _, kind := range []string{"disk", "tmpfs"} {
		t.Run(kind, func(t *testing.T) {
			c, s := lab(t)
			c.Cache = config.Cache{Kind: kind, Discard: true}
			if kind == "tmpfs" {
				must(t, os.MkdirAll(s.BuildCache, 0o755))
				must(t, syscall.Mount("none", s.BuildCache, "tmpfs", 0, "size=8m"))
			}
			// The last one begins after a crash, which nobody cleared up after.
			for job := range 3 {
				must(t, Prepare(c, s))
				script := fmt.Sprintf("cd %s && ls -A && mkdir -p ab .hidden/x && echo bad >ab/ab12-d && chmod 0 .hidden", s.BuildCache)
				if out, err := asSlot(t, s, script); err != nil || out != "" {
					t.Errorf("job %d finds %q, %v", job, out, err)
				}
				if job == 0 {
					must(t, Finish(c, s))
				}
			}
			must(t, Finish(c, s))
			if entries, err := os.ReadDir(s.BuildCache); err != nil || len(entries) > 0 {
				t.Errorf("%v %v", entries, err)
			}
		})
	}
}

func TestNamesOfModulesThatAJobDownloadedAreHandedOn(t *testing.T) {
	c, s := lab(t)
	must(t, Prepare(c, s))
	if out, err := asSlot(t, s, fmt.Sprintf(`cd %s && mkdir -p cache/download/example.com/!a/@v cache/download/x && cd cache/download &&
		touch example.com/!a/@v/v1.2.0.zip example.com/!a/@v/v1.2.0.mod example.com/!a/@v/v9.zip 'example.com/!a/@v/--x.zip' &&
		ln -s /etc link && ln -s / example.com/@v && mkdir -p "$(printf 'a%%.0s/' $(seq 60))" && mkdir -p 'example.com/e
vil/@v' && touch 'example.com/e
vil/@v/v1.0.0.zip'`, s.Modules)); err != nil {
		t.Fatal(out, err)
	}
	must(t, Finish(c, s))
	entries, err := os.ReadDir(c.Wanted())
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v %v", entries, err)
	}
	text, err := os.ReadFile(filepath.Join(c.Wanted(), entries[0].Name()))
	if err != nil || string(text) != "example.com/A@v1.2.0\n" {
		t.Errorf("%q %v", text, err)
	}
	if info, err := entries[0].Info(); err != nil || info.Sys().(*syscall.Stat_t).Uid != 65534 {
		t.Errorf("not the module user's: %v", err)
	}
}

func TestAnAgentWritesBesideItsProgramAndOnlyForItsJob(t *testing.T) {
	c, s := lab(t)
	tree := filepath.Join(c.State, "agent")
	write(t, filepath.Join(tree, "bin", "program"), "as it was")
	c.Agent = &config.Agent{Tree: tree, Writable: true}
	for range 2 {
		must(t, Prepare(c, s))
		out, err := asSlot(t, s, `set -e
			cd ../agent && cat bin/program && test -z "$(find . -name .credentials)"
			echo own >.credentials && ! touch bin/program 2>/dev/null && rm .credentials && echo >.credentials`)
		if err != nil || out != "as it was" {
			t.Fatalf("%v %q", err, out)
		}
		must(t, Finish(c, s))
	}
	if text, err := os.ReadFile(filepath.Join(tree, "bin", "program")); err != nil || string(text) != "as it was" {
		t.Errorf("%q %v", text, err)
	}
	if left, _ := os.ReadDir(tree); len(left) != 1 {
		t.Errorf("the program has %v", left)
	}
}
