package job

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"gofleet/sandbox/internal/config"
)

func TestJobsOfASharedCacheTrimPaths(t *testing.T) {
	program, err := exec.LookPath("go")
	must(t, err)
	shared := &config.Config{Go: program, Cache: config.Cache{Shared: "/var/cache/build"}}
	for name, each := range map[string]struct {
		c             *config.Config
		given, wanted []string
	}{
		"nothing set":       {shared, []string{"A=b", "PATH=/bin"}, []string{"A=b", "GOFLAGS=-trimpath", "PATH=/bin"}},
		"other flags":       {shared, []string{"GOFLAGS=-mod=mod -v"}, []string{"GOFLAGS=-trimpath -mod=mod -v"}},
		"quoted flags":      {shared, []string{"GOFLAGS='-ldflags=-s -w'"}, []string{"GOFLAGS=-trimpath '-ldflags=-s -w'"}},
		"trimmed already":   {shared, []string{"GOFLAGS=-v --trimpath"}, []string{"GOFLAGS=-v --trimpath"}},
		"told not to":       {shared, []string{"GOFLAGS=-trimpath=false"}, []string{"GOFLAGS=-trimpath=false"}},
		"a cache of a slot": {&config.Config{Go: program}, []string{"A=b"}, []string{"A=b"}},
		"no go command":     {&config.Config{Go: "/nonexistent/go", Cache: shared.Cache}, []string{"A=b"}, []string{"A=b"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(each.given)
			if got := sharing(each.c, each.given); !slices.Equal(got, each.wanted) {
				t.Errorf("%q", got)
			}
			if !slices.Equal(each.given, before) {
				t.Error("what was given changed")
			}
		})
	}
}

// Where a toolchain says something for all its users, that stays.
func TestFlagsOfTheToolchainStay(t *testing.T) {
	root := t.TempDir()
	script := "#!/bin/sh\n[ \"$1 $2\" = \"env GOFLAGS\" ] && [ \"$HOME\" = /dev/null ] && echo -mod=vendor\n"
	program := filepath.Join(root, "go")
	must(t, os.WriteFile(program, []byte(script), 0o755))
	c := &config.Config{Go: program, Cache: config.Cache{Shared: "/var/cache/build"}}
	if got := sharing(c, []string{"HOME=/"}); !slices.Equal(got, []string{"GOFLAGS=-trimpath -mod=vendor", "HOME=/"}) {
		t.Errorf("%q", got)
	}
}
