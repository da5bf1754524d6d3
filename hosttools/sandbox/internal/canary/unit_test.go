package canary

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gofleet/sandbox/internal/config"
)

func TestReadFindsTheStepAndItsLastLines(t *testing.T) {
	said := "canary: step build\ncanary: step cgo\n# canary/native\ngcc: permission denied\ncanary: exit code 1\n"
	out := read(said, "Running as unit: x.service\nFinished with result: exit-code\n")
	want := outcome{failed: "cgo", output: []string{"# canary/native", "gcc: permission denied", "canary: exit code 1", "Finished with result: exit-code"}}
	if !reflect.DeepEqual(out, want) {
		t.Errorf("%+v", out)
	}
	for told, refused := range map[string]string{
		"Unknown assignment: Foo=bar\n": "Foo",
		"Failed to start transient unit: Cannot set property Foo, or unknown property.\n": "Foo",
		"x.service: Failed to set up mount namespacing\n":                                 "",
	} {
		if out := read("", told); out.failed != startStep || out.refused != refused || len(out.output) != 1 {
			t.Errorf("%q: %+v", told, out)
		}
	}
	if out := read("canary: step build\n"+strings.Repeat("line\n", 500), ""); len(out.output) != lastLines {
		t.Errorf("%d lines are kept", len(out.output))
	}
}

func TestWorkspaceLeavesNothing(t *testing.T) {
	base := t.TempDir()
	slot := &config.Slot{Number: 1, Workspace: base + "/lib/slots/1", BuildCache: base + "/cache/slots/1/build", Modules: base + "/cache/slots/1/modules"}
	other := base + "/cache/slots/2"
	for range 2 {
		w, err := newWorkspace(slot, os.Getuid(), os.Getgid())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.renew(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(base + "/cache/slots/canary1/build")
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", info, err)
		}
		if err := os.WriteFile(w.cache+"/x", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := w.emptyCache(); err != nil {
			t.Fatal(err)
		}
		if left, _ := os.ReadDir(w.cache); len(left) != 0 {
			t.Errorf("%v is left in an empty cache", left)
		}
		if err := w.remove(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(other); err == nil {
			break
		}
		if left, _ := os.ReadDir(base); len(left) != 0 {
			t.Errorf("%v is left", left)
		}
		if err := os.MkdirAll(other, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := filepath.Glob(base + "/cache/slots/*"); !reflect.DeepEqual(left, []string{other}) {
		t.Errorf("%v is left beside another slot", left)
	}
}

func TestResultIsRememberedByWhatItIsAbout(t *testing.T) {
	state := t.TempDir()
	if before(state) != nil {
		t.Error("there is a result before the first")
	}
	confining := settings(1, 3, "Protect")
	first := digest("go1.26.8", []string{"build"}, sorted{confining: confining}, host{})
	r := Result{Status: Passed, Digest: first}
	if err := r.save(state); err != nil {
		t.Fatal(err)
	}
	if last := before(state); last == nil || last.Digest != first {
		t.Errorf("%+v", last)
	}
	moved := settings(40, 3, "Protect")
	if digest("go1.26.8", []string{"build"}, sorted{confining: moved}, host{}) != first {
		t.Error("a comment in the unit makes another set of it")
	}
	others := map[string]string{
		"go":         digest("go1.26.9", []string{"build"}, sorted{confining: confining}, host{}),
		"steps":      digest("go1.26.8", []string{"build", "cgo"}, sorted{confining: confining}, host{}),
		"directives": digest("go1.26.8", []string{"build"}, sorted{confining: confining[1:]}, host{}),
	}
	for what, other := range others {
		if other == first {
			t.Errorf("another %s is not told apart", what)
		}
	}
	confined := sorted{confining: []Setting{{{Name: "AppArmorProfile", Value: "ci-canary1"}}}}
	loaded := func(sum string) host {
		return host{profiles: func() []string { return []string{"ci-canary1"} }, digest: func(string) string { return sum }}
	}
	of := func(on host) string { return digest("go1.26.8", []string{"build"}, confined, on) }
	if of(loaded("one")) == of(loaded("two")) {
		t.Error("another profile under the same name is not told apart")
	}
	if of(loaded("")) != "" || of(host{profiles: func() []string { return nil }}) == "" {
		t.Error("what the kernel does not tell of a profile cannot be remembered; without AppArmor there is nothing to tell")
	}
	if err := r.save(state + "/none"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(state + "/none"); err == nil {
		t.Error("the state directory was made")
	}
}

func TestWhatCouldNotBeTriedIsNoEarlierResult(t *testing.T) {
	state := t.TempDir()
	passed := Result{Status: Passed, Digest: "same"}
	if err := errors.Join(passed.save(state), notTried("ci@.service", errors.New("no such user")).save(state)); err != nil {
		t.Fatal(err)
	}
	if last := before(state); last == nil || last.Status != NotTried || last.Note != "no such user" || last.Digest != "" {
		t.Errorf("%+v", last)
	}
}

func TestResultForPeopleEndsWithTheBlame(t *testing.T) {
	var text strings.Builder
	r := Result{Status: Failed, Unit: "ci@.service", Narrowed: true, Steps: []Step{{"cgo", "not tried", "no gcc"}, {Name: "race", Result: "failed"}}, Output: []string{"ThreadSanitizer"}}
	r.Blame = append(r.Blame, flat(settings(7, 2, "Protect")))
	r.print(&text)
	want := "not tried: cgo: no gcc\n  ThreadSanitizer\nstep race fails with the directives of ci@.service and passes without\n" +
		"to blame: Protect0=yes (line 7), together with Protect1=yes (line 8)\n"
	if text.String() != want {
		t.Errorf("%s\nwant\n%s", text.String(), want)
	}
	for _, r := range []Result{{Status: Passed}, {Status: Innocent}, {Status: Passed, Remembered: true}, {Status: Failed}} {
		text.Reset()
		r.print(&text)
		if lines := strings.Count(text.String(), "\n"); lines != 1 {
			t.Errorf("%+v: %d lines: %s", r, lines, fmt.Sprint(text.String()))
		}
	}
}
