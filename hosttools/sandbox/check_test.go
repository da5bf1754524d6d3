package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// exitWith is the exit code of gofleet-sandbox with these arguments.
func exitWith(t *testing.T, args ...string) int {
	t.Helper()
	return exitCode(t, commands, args[0], dispatch("gofleet-sandbox", args))
}

// exitCode is what the program would end with, which must be a code that its table has of the command.
func exitCode(t *testing.T, table []command, name string, err error) int {
	t.Helper()
	number := 1
	var usage usageError
	var coded *exitError
	switch {
	case err == nil:
		number = 0
	case errors.As(err, &usage):
		number = exitUsage
	case errors.As(err, &coded):
		number = coded.code
	}
	for _, each := range table {
		if each.name == name && !slices.ContainsFunc(codesOf(each), func(c code) bool { return c.number == number }) {
			t.Errorf("%s ended with %d, which is in no table", name, number)
		}
	}
	return number
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
		if got := exitWith(t, append([]string{"check"}, each.args...)...); got != each.want {
			t.Errorf("%v: %d, want %d", each.args, got, each.want)
		}
	}
	t.Setenv("PATH", filepath.Join(clean, "none"))
	if got := exitWith(t, "check", "-dir", wrong, "replace"); got != 3 {
		t.Errorf("without a go command: %d", got)
	}
}

func TestCanaryNeedsItsFiles(t *testing.T) {
	silent(t)
	for want, args := range map[int][]string{
		2: {"canary"},
		3: {"canary", "-config", "/nowhere/sandbox.json", "-unit", "/nowhere/x@.service"},
	} {
		if got := exitWith(t, args...); got != want {
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
