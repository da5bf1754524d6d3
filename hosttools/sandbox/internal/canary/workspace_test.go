package canary

import (
	"os"
	"path/filepath"
	"testing"
)

// A search's runs all begin with the cache that was kept, whatever a run before them left in it.
func TestEachRunBeginsWithTheKeptCache(t *testing.T) {
	w := &workspace{cache: filepath.Join(t.TempDir(), "build"), uid: os.Getuid(), gid: os.Getgid()}
	entry := func(name string) string { return filepath.Join(w.cache, "aa", name) }
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(entry(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(entry(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("before", "compiled")
	if err := w.warmCache(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(entry("before")); err != nil {
		t.Fatal("nothing was kept yet, so nothing may be taken away: ", err)
	}
	for range 2 {
		if err := w.keepCache(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		write("later", "of a run")
		if err := os.Remove(entry("before")); err != nil {
			t.Fatal(err)
		}
		if err := w.warmCache(); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(entry("before")); err != nil || string(text) != "compiled" {
			t.Fatalf("%q, %v", text, err)
		}
		if _, err := os.Stat(entry("later")); !os.IsNotExist(err) {
			t.Fatal("what a run compiled is there for the next one")
		}
	}
	if err := w.remove(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Dir(w.cache)); err != nil || len(left) != 0 {
		t.Fatal(left, err)
	}
}
