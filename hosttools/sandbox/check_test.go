package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// code is the exit code of a command line.
func code(t *testing.T, args ...string) int {
	t.Helper()
	err := dispatch("gofleet-sandbox", args)
	var usage usageError
	var coded *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &coded):
		return coded.code
	default:
		return 1
	}
}

func TestExitCodesOfChecks(t *testing.T) {
	clean, wrong := t.TempDir(), t.TempDir()
	for dir, text := range map[string]string{
		clean: "module example.com/a\n\ngo 1.21\n",
		wrong: "module example.com/a\n\ngo 1.21\n\nreplace example.com/b => ../b\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	silent(t)
	for _, each := range []struct {
		want int
		args []string
	}{
		{0, []string{"-dir", clean, "replace", "version-drift"}},
		{0, []string{"replace", "-dir", clean, "-json"}},
		{0, []string{"replace", "-json", "work", "-dir", wrong, "-allow-replace", "example.com/c,example.com/b"}},
		{1, []string{"-dir", wrong, "replace", "version-drift"}},
		{2, []string{"-dir", clean}},
		{2, []string{"-dir", clean, "replaces"}},
		{2, []string{"-dir", clean, "replace", "-colour"}},
		{3, []string{"-dir", clean, "-go", "/nowhere/go", "replace"}},
		{3, []string{"-dir", clean + "/none", "replace"}},
	} {
		if got := code(t, append([]string{"check"}, each.args...)...); got != each.want {
			t.Errorf("%v: %d, want %d", each.args, got, each.want)
		}
	}
	t.Setenv("PATH", filepath.Join(clean, "none"))
	if got := code(t, "check", "-dir", wrong, "replace"); got != 3 {
		t.Errorf("without a go command: %d", got)
	}
}

func TestCanaryNeedsItsFiles(t *testing.T) {
	silent(t)
	for want, args := range map[int][]string{
		2: {"canary"},
		3: {"canary", "-config", "/nowhere/sandbox.json", "-unit", "/nowhere/x@.service"},
	} {
		if got := code(t, args...); got != want {
			t.Errorf("%v: %d, want %d", args, got, want)
		}
	}
}

// silent keeps what commands print out of the tests' own output.
func silent(t *testing.T) {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	out, said := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = null, null
	t.Cleanup(func() {
		os.Stdout, os.Stderr = out, said
		null.Close()
	})
}
