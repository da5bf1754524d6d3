package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gofleet/sandbox/internal/cache"
	"gofleet/sandbox/internal/files"
)

// aCache is one with an output that is not what its name says, and the action that names it.
func aCache(t *testing.T) string {
	t.Helper()
	path := t.TempDir()
	id := strings.Repeat("0", 64)
	bucket := filepath.Join(path, "00")
	if err := os.Mkdir(bucket, 0o755); err != nil {
		t.Fatal(err)
	}
	action := fmt.Sprintf("v1 %s %s %20d %20d\n", id, id, 5, 1)
	for name, text := range map[string]string{"-a": action, "-d": "12345"} {
		if err := os.WriteFile(filepath.Join(bucket, id+name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// exitOf is the exit code of gofleet-cache with these arguments.
func exitOf(t *testing.T, args ...string) int {
	t.Helper()
	silent(t)
	return exitCode(t, cacheCommands, args[0], dispatch("gofleet-cache", args))
}

func TestExitCodesOfGofleetCache(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	locked := aCache(t)
	unlock, err := files.Lock(locked, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	for name, each := range map[string]struct {
		args []string
		code int
	}{
		"damaged, removed":            {[]string{"scan", "-idle", "-cache", aCache(t)}, 0},
		"damaged, removed, to fail":   {[]string{"scan", "-idle", "-fail", "-cache", aCache(t)}, exitBroken},
		"damaged, kept":               {[]string{"scan", "-idle", "-keep", "-cache", aCache(t)}, exitBroken},
		"made ready":                  {[]string{"preflight", "-idle", "-cache", aCache(t)}, 0},
		"no directory":                {[]string{"preflight", "-cache", missing}, exitNotStoring},
		"over budget":                 {[]string{"quota", "-max-bytes", "1KiB", "-cache", aCache(t)}, 0},
		"over budget, to fail":        {[]string{"quota", "-fail", "-max-bytes", "1KiB", "-cache", aCache(t)}, exitOverBudget},
		"over budget before a job":    {[]string{"preflight", "-fail", "-max-bytes", "1KiB", "-cache", aCache(t)}, 0},
		"within budget, all may go":   {[]string{"quota", "-fail", "-idle", "-max-bytes", "1KiB", "-cache", aCache(t)}, 0},
		"no budget":                   {[]string{"quota", "-cache", aCache(t)}, exitUsage},
		"locked":                      {[]string{"prune", "-wait", "0s", "-cache", locked}, exitLocked},
		"no place to persist to":      {[]string{"persist", "-cache", aCache(t)}, exitUsage},
		"two places":                  {[]string{"persist", "-cache", aCache(t), "/a", "/b"}, exitUsage},
		"a size that is none":         {[]string{"prune", "-max-bytes", "1GB", "-cache", aCache(t)}, exitUsage},
		"no such command":             {[]string{"clean"}, exitUsage},
		"settings that are not there": {[]string{"report", "-config", missing}, 1},
	} {
		if got := exitOf(t, each.args...); got != each.code {
			t.Errorf("%s: exit %d, not %d", name, got, each.code)
		}
	}
}

func TestTheSameByBothNames(t *testing.T) {
	silent(t)
	for program, args := range map[string][]string{"gofleet-cache": {"scan"}, "gofleet-sandbox": {"cache", "scan"}} {
		state := t.TempDir()
		if err := dispatch(program, append(args, "-idle", "-cache", aCache(t), "-state", state)); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(state, "report.json"))
		if err != nil {
			t.Fatal(err)
		}
		var report cache.Report
		if err := json.Unmarshal(text, &report); err != nil || len(report.Scan.Broken) != 2 {
			t.Errorf("%s: %v %s", program, err, text)
		}
	}
}

func TestACacheOfTheSandboxThatIsMissingIsNothingToCopy(t *testing.T) {
	top := t.TempDir()
	settings := filepath.Join(top, "sandbox.json")
	text := fmt.Sprintf(`{"component":"ci","group":"ci","go":"/go","state":"%[1]s","runtime":"%[1]s","pauseMark":"%[1]s/p","jobLock":"%[1]s/l",
		"metrics":"%[1]s/metrics.prom","cache":{"kind":"tmpfs","persist":"%[1]s/copies"},"watch":{"lowPercent":1,"pausePercent":1,"reclaimPercent":1},
		"slots":[{"number":1,"workspace":"%[1]s/w","buildCache":"%[1]s/none","modules":"%[1]s/m"}]}`, top)
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"persist", "restore"} {
		if got := exitOf(t, verb, "-config", settings); got != 0 {
			t.Errorf("%s: exit %d", verb, got)
		}
	}
	if got := exitOf(t, "persist", "-cache", filepath.Join(top, "none"), filepath.Join(top, "copies")); got != 1 {
		t.Errorf("one that was named: exit %d", got)
	}
}
