package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gofleet/sandbox/internal/config"
)

func TestItIsTakenOnceAndByTheSlotAlone(t *testing.T) {
	s := &config.Slot{Number: 1, Workspace: t.TempDir()}
	if _, err := Take(s); err == nil || !strings.Contains(err.Error(), "register") {
		t.Fatalf("error %v", err)
	}
	given := Handed{Command: []string{"/bin/true"}, Environment: map[string]string{"A": "b"}, Files: map[string]string{"config.toml": "c"}}
	if err := Give(s, given, os.Geteuid(), os.Getegid()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path(s)); err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := Give(s, given, os.Geteuid(), os.Getegid()); err == nil {
		t.Error("what is there was written over")
	}
	got, err := Take(s)
	if err != nil || got.Command[0] != "/bin/true" || got.Environment["A"] != "b" {
		t.Errorf("%+v %v", got, err)
	}
	file := filepath.Join(Directory(s), "config.toml")
	if text, err := os.ReadFile(file); err != nil || string(text) != "c" {
		t.Errorf("%q %v", text, err)
	}
	if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if _, err := Take(s); err == nil {
		t.Error("taken twice")
	}
}

func TestALinkIsNotFollowed(t *testing.T) {
	s := &config.Slot{Number: 1, Workspace: t.TempDir()}
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.Symlink(victim, path(s)); err != nil {
		t.Fatal(err)
	}
	if err := Give(s, Handed{Command: []string{"/bin/true"}}, os.Geteuid(), os.Getegid()); err == nil {
		t.Error("no error")
	}
	if _, err := os.Lstat(victim); err == nil {
		t.Error("written through a link")
	}
}

func TestAnErrorShowsNothingOfIt(t *testing.T) {
	s := &config.Slot{Number: 1, Workspace: t.TempDir()}
	if err := os.WriteFile(path(s), []byte("planted-secret"), 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := Take(s); err == nil || strings.Contains(err.Error(), "planted") {
		t.Errorf("error %v", err)
	}
}
