package job

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gofleet/sandbox/internal/agent"
	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/slot"
)

// plain is a prepared slot of the user who runs the test, without mounts.
func plain(t *testing.T) (*config.Config, *config.Slot) {
	t.Helper()
	top := t.TempDir()
	c := &config.Config{
		Go: "/opt/go/bin/go", PauseMark: filepath.Join(top, "paused"), JobLock: filepath.Join(top, "jobs.lock"),
		Slots: []config.Slot{{Number: 1, Workspace: filepath.Join(top, "ws"), BuildCache: filepath.Join(top, "build"), Modules: filepath.Join(top, "modules")}},
	}
	s := &c.Slots[0]
	must(t, os.MkdirAll(filepath.Join(s.Workspace, config.Checkout), 0o755))
	must(t, slot.MakeLock(c, s, os.Geteuid(), os.Getegid()))
	must(t, slot.MarkBusy(c, s))
	return c, s
}

func TestRunEndsAsTheCommandDoes(t *testing.T) {
	c, s := plain(t)
	for script, code := range map[string]int{"exit 0": 0, "exit 3": 3, "kill -9 $$": 137} {
		if err := Run(c, s, []string{"sh", "-c", script}); codeOf(err) != code {
			t.Errorf("%s: %v", script, err)
		}
	}
	if err := Run(c, s, []string{"/nowhere"}); err == nil || codeOf(err) != 127 {
		t.Errorf("%v", err)
	}
}

func TestRunNeedsAPreparedSlot(t *testing.T) {
	c, s := plain(t)
	must(t, slot.MarkIdle(c, s))
	if err := Run(c, s, []string{"true"}); err == nil || !strings.Contains(err.Error(), "prepare") {
		t.Errorf("%v", err)
	}
	must(t, os.Remove(c.Lock(s)))
	if err := Run(c, s, []string{"true"}); err == nil || !strings.Contains(err.Error(), "prepare") {
		t.Errorf("%v", err)
	}
}

func TestAPauseThatCameMeanwhileCounts(t *testing.T) {
	c, s := plain(t)
	write(t, c.PauseMark, "")
	if err := Run(c, s, []string{"true"}); !errors.Is(err, ErrPaused) {
		t.Errorf("%v", err)
	}
}

func TestTheLockIsHeldWhileTheCommandRunsAndIsNotTheCommands(t *testing.T) {
	c, s := plain(t)
	// What the job leaves running holds nothing: the lock is not passed on.
	out := filepath.Join(s.Workspace, "out")
	script := fmt.Sprintf("flock -n -x %s true && echo free >%s; sleep 100 >/dev/null 2>&1 & ls -l /proc/$!/fd >>%[2]s; echo $! >%[2]s.pid", c.Lock(s), out)
	must(t, Run(c, s, []string{"sh", "-c", script}))
	said, err := os.ReadFile(out)
	if err != nil || strings.Contains(string(said), "free") || strings.Contains(string(said), "jobs.lock") {
		t.Errorf("%s %v", said, err)
	}
	pid, _ := os.ReadFile(out + ".pid")
	defer exec.Command("kill", strings.TrimSpace(string(pid))).Run()
	if err := exec.Command("flock", "-n", "-x", c.Lock(s), "true").Run(); err != nil {
		t.Error("held after the job")
	}
}

func TestSignalsArePassedOn(t *testing.T) {
	c, s := plain(t)
	ready := filepath.Join(s.Workspace, "ready")
	go func() {
		for i := 0; i < 500; i++ {
			if _, err := os.Stat(ready); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
	}()
	err := Run(c, s, []string{"sh", "-c", "trap 'exit 7' TERM; touch " + ready + "; while :; do sleep 0.05; done"})
	if codeOf(err) != 7 {
		t.Errorf("%v", err)
	}
}

func TestCommandsAroundAJob(t *testing.T) {
	c, s := plain(t)
	out := filepath.Join(s.Workspace, "out")
	c.Before = []string{"sh", "-c", "echo before >>" + out}
	c.After = []string{"sh", "-c", "echo after $GOFLEET_EXIT_CODE >>" + out + "; exit 9"}
	if err := Run(c, s, []string{"sh", "-c", "pwd >>" + out + "; exit 4"}); codeOf(err) != 4 {
		t.Errorf("%v", err)
	}
	said, _ := os.ReadFile(out)
	if string(said) != "before\n"+filepath.Join(s.Workspace, "work")+"\nafter 4\n" {
		t.Errorf("%s", said)
	}
	c.Before = []string{"sh", "-c", "exit 5"}
	must(t, os.Remove(out))
	if err := Run(c, s, []string{"sh", "-c", "echo job >>" + out}); !errors.Is(err, ErrBefore) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Error("the job ran all the same")
	}
}

func TestEnvironment(t *testing.T) {
	c, s := plain(t)
	given := []string{"PATH=/bin", "HOME=/root", "GOCACHE=/x", "GOENV=/y", "GOPATH=/z", "XDG_CACHE_HOME=/w", "GOPROXY=file:///p", "GOMAXPROCS=3"}
	got := Environment(c, s, given, 2)
	ws := s.Workspace
	expected := []string{
		"GOCACHE=" + s.BuildCache, "GOMAXPROCS=3", "GOMODCACHE=" + s.Modules, "GOPROXY=file:///p", "GOTMPDIR=" + ws + "/gotmp",
		"GOTOOLCHAIN=local", "HOME=" + ws + "/home", "PATH=/opt/go/bin:/bin", "PWD=" + ws + "/work", "TMPDIR=" + ws + "/tmp",
	}
	if !slices.Equal(got, expected) {
		t.Errorf("%q", got)
	}
	c.Modules.Environment = map[string]string{"GOPROXY": "https://goproxy.corp.example", "GONOSUMDB": "corp.example"}
	got = Environment(c, s, []string{"GOPROXY=off"}, 0)
	if !slices.Contains(got, "GOPROXY=off") || !slices.Contains(got, "GONOSUMDB=corp.example") || len(c.Modules.Environment) != 2 {
		t.Errorf("%q", got)
	}
	if got := Environment(c, s, nil, 2); !slices.Contains(got, "GOMAXPROCS=2") {
		t.Errorf("%q", got)
	}
	if got := Environment(c, s, []string{"GOMEMLIMIT=900B"}, 0); !slices.Contains(got, "GOMEMLIMIT=900B") {
		t.Errorf("%q", got)
	}
	if got := Environment(c, s, nil, 0); slices.ContainsFunc(got, func(each string) bool {
		return strings.HasPrefix(each, "GOM") && !strings.HasPrefix(each, "GOMODCACHE")
	}) {
		t.Errorf("limits of nothing: %q", got)
	}
}

func TestTheCacheProgramIsBehindOurOwn(t *testing.T) {
	c, s := plain(t)
	c.Cache.Program = []string{"/opt/cache/prog", "-url", "https://cache.corp.example/a b", "it's", ""}
	self, err := os.Executable()
	must(t, err)
	words := " -- /opt/cache/prog -url 'https://cache.corp.example/a b' \"it's\" ''"
	got := Environment(c, s, []string{"GOCACHEPROG=/tmp/mine"}, 0)
	if !slices.Contains(got, "GOCACHEPROG="+self+" cacheprog"+words) || slices.Contains(got, "GOCACHEPROG=/tmp/mine") {
		t.Errorf("%q", got)
	}
	c.Cache.ProgramWrites = true
	if got := Environment(c, s, nil, 0); !slices.Contains(got, "GOCACHEPROG="+self+" cacheprog -write"+words) {
		t.Errorf("%q", got)
	}
}

func TestTheLowestLimitOfAllGroupsAroundCounts(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"v2": {
			"proc/self/cgroup":                        "0::/a.slice/b.service\n",
			"sys/fs/cgroup/cpu.max":                   "400000 100000\n",
			"sys/fs/cgroup/a.slice/cpu.max":           "250000 100000\n",
			"sys/fs/cgroup/a.slice/b.service/cpu.max": "max 100000\n",
		},
		"v1": {
			"proc/self/cgroup": "5:cpu,cpuacct:/a/b\n0::/x\n",
			"sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us":  "250000\n",
			"sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us":    "-1\n",
		},
	} {
		root := t.TempDir()
		for path, text := range files {
			write(t, filepath.Join(root, path), text)
		}
		if got := ReadCPULimit(root); got != 3 {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := ReadCPULimit(t.TempDir()); got != 0 {
		t.Errorf("%d", got)
	}
}

func TestAnAgentHasWhatItWasHandedAndNobodyElse(t *testing.T) {
	c, s := plain(t)
	out := filepath.Join(s.Workspace, "out")
	look := fmt.Sprintf(`echo "$0 ${HANDED-none}" >>%s`, out)
	c.Before, c.After = []string{"sh", "-c", look, "before"}, []string{"sh", "-c", look, "after"}
	if err := Run(c, s, nil); err == nil || !strings.Contains(err.Error(), "register") {
		t.Errorf("%v", err)
	}
	must(t, os.Remove(out))
	handed := agent.Handed{
		Command:     []string{"sh", "-c", look + "; cat ../agent/file; test ! -e ../.handed", "agent"},
		Environment: map[string]string{"HANDED": "over"}, Files: map[string]string{"file": ""},
	}
	must(t, agent.Give(s, handed, os.Geteuid(), os.Getegid()))
	must(t, Run(c, s, nil))
	if text, err := os.ReadFile(out); err != nil || string(text) != "before none\nagent over\nafter none\n" {
		t.Errorf("%q %v", text, err)
	}
}
