package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gofleet/store/internal/config"
	"gofleet/store/internal/files"
	"gofleet/store/internal/repair"
	. "gofleet/store/internal/storetest"
	"gofleet/store/internal/watch"
)

// written is a store whose configuration is in a file; the commands that root would run append to the file "ran".
func written(t *testing.T) (c *config.Config, path, ran string) {
	t.Helper()
	c = Config(t)
	ran = filepath.Join(t.TempDir(), "ran")
	c.Athens.Restart = []string{"sh", "-c", `echo restart >>"$0"`, ran}
	c.Front.Reload = []string{"sh", "-c", `echo reload >>"$0"`, ran}
	c.Metrics.File = filepath.Join(c.State, "metrics.prom")
	return c, save(t, c), ran
}

func save(t *testing.T, c *config.Config) string {
	t.Helper()
	text, err := json.Marshal(c)
	Must(t, err)
	path := filepath.Join(c.State, "store.json")
	Must(t, os.WriteFile(path, text, 0o640))
	return path
}

func TestARunRepairsAndAsksForAReloadOnce(t *testing.T) {
	c, path, ran := written(t)
	good := Add(t, c, "example.com/a", "v1.0.0")
	bad := Add(t, c, "example.com/a", "v1.1.0")
	Must(t, os.Truncate(filepath.Join(bad, "source.zip"), 10))
	Age(t, bad, time.Hour)
	for range 3 {
		Must(t, dispatch([]string{"run", "-config", path}))
		Must(t, dispatch([]string{"apply", "-config", path}))
	}
	if Exists(bad) || !Exists(good) || !Exists(c.Metrics.File) {
		t.Error("the run did not do its work")
	}
	if text, _ := os.ReadFile(ran); string(text) != "reload\n" {
		t.Errorf("root ran %q", text)
	}
}

func TestAnOversizedStoreIsCollectedThenReadOnly(t *testing.T) {
	c, path, ran := written(t)
	c.GC.KeepNewerThanSeconds = 0
	for _, each := range []string{"v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0"} {
		Add(t, c, "example.com/a", each)
	}
	// Four versions of three blocks each, and a budget of three versions.
	c.Watch.MaxBytes = 3 * 3 * 4096
	Must(t, dispatch([]string{"run", "-config", save(t, c)}))
	left, err := os.ReadDir(filepath.Join(c.Store, "example.com/a"))
	Must(t, err)
	if len(left) != 2 || watch.ReadOnly(c) {
		t.Errorf("%d versions are left, read-only: %v", len(left), watch.ReadOnly(c))
	}
	c.GC.Keep = []string{"example.com/*"}
	c.Watch.MaxBytes = 1
	Must(t, os.Remove(filepath.Join(c.State, "keeper.json")))
	for range 2 {
		Must(t, dispatch([]string{"run", "-config", save(t, c)}))
	}
	if !watch.ReadOnly(c) {
		t.Error("it is still writable")
	}
	os.Remove(ran)
	Must(t, dispatch([]string{"apply", "-config", path}))
	if text, _ := os.ReadFile(ran); string(text) != "restart\n" {
		t.Errorf("root ran %q", text)
	}
	err = dispatch([]string{"gc", "-config", path})
	if err == nil || !strings.Contains(err.Error(), "0 B freed") {
		t.Errorf("nothing was freed, and it says %v", err)
	}
}

func TestTheDiskIsWatchedWhileAnotherCommandHasTheLock(t *testing.T) {
	c, _, _ := written(t)
	Add(t, c, "example.com/a", "v1.0.0")
	Must(t, dispatch([]string{"run", "-config", save(t, c)}))
	unlock, err := files.Lock(filepath.Join(c.State, "lock"), false)
	Must(t, err)
	defer unlock()
	c.Watch.MaxBytes = 1
	Must(t, dispatch([]string{"run", "-config", save(t, c)}))
	if !watch.ReadOnly(c) {
		t.Error("nobody watched")
	}
}

func TestWhatCouldNotBeAppliedIsTriedAgain(t *testing.T) {
	c, _, ran := written(t)
	mark := filepath.Join(c.Runtime, repair.ReloadMark)
	Must(t, os.WriteFile(mark, nil, 0o640))
	c.Front.Reload = []string{"sh", "-c", "echo broken; exit 3"}
	err := dispatch([]string{"apply", "-config", save(t, c)})
	if err == nil || !strings.Contains(err.Error(), "broken") || !Exists(mark) {
		t.Fatalf("%v, mark there: %v", err, Exists(mark))
	}
	c.Front.Reload = []string{"sh", "-c", `echo reload >>"$0"`, ran}
	Must(t, dispatch([]string{"apply", "-config", save(t, c)}))
	if Exists(mark) {
		t.Error("it would be done for ever")
	}
}

func TestForgetTakesTheOtherContent(t *testing.T) {
	c, path, _ := written(t)
	dir := Add(t, c, "example.com/a", "v1.0.0")
	Must(t, dispatch([]string{"run", "-config", path}))
	Must(t, os.Truncate(filepath.Join(dir, "source.zip"), 10))
	Age(t, dir, time.Hour)
	if dispatch([]string{"check", "-config", path}) == nil {
		t.Error("a check that finds something must fail")
	}
	Must(t, dispatch([]string{"forget", "-config", path, "example.com/a@v1.0.0"}))
	if dispatch([]string{"forget", "-config", path, "example.com/a@v1.0.0"}) == nil {
		t.Error("nothing is known of it any more")
	}
}

func TestMisuse(t *testing.T) {
	_, path, _ := written(t)
	for _, args := range [][]string{
		{}, {"nothing"}, {"run"}, {"run", "-config", path, "more"}, {"import", "-config", path}, {"import", "-config", path, "a", "b"},
		{"export", "-config", path}, {"run", "-nothing"},
	} {
		var usage usageError
		if err := dispatch(args); !errors.As(err, &usage) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestConfigurationsThatWillNotDo(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"a relative path": func(c *config.Config) { c.Store = "store" },
		"the root":        func(c *config.Config) { c.Store = "/" },
		"marks in order":  func(c *config.Config) { c.Watch.AlertPercent = 96 },
		"no flag":         func(c *config.Config) { c.Watch.ReadOnlyFlag = "" },
		"no time to read": func(c *config.Config) { c.Repair.ReadAllWithinSeconds = 0 },
	} {
		c := Config(t)
		path := save(t, c)
		_, err := config.Read(path)
		Must(t, err)
		directory := c.State
		change(c)
		c.State = directory
		if _, err := config.Read(save(t, c)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	c := Config(t)
	path := save(t, c)
	Must(t, os.WriteFile(path, []byte(`{"store":"/x","stroe":"/y"}`), 0o640))
	if _, err := config.Read(path); err == nil {
		t.Error("a misspelt key was taken")
	}
}
