// Package storetest makes stores for tests.
package storetest

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gofleet/store/internal/config"
	"gofleet/store/internal/module"
	"gofleet/store/internal/tree"
)

// Config is that of a new, empty store in the test's own directory.
func Config(t *testing.T) *config.Config {
	t.Helper()
	root := t.TempDir()
	c := &config.Config{
		Store: filepath.Join(root, "store"), State: filepath.Join(root, "state"), Runtime: filepath.Join(root, "run"),
		Watch: config.Watch{
			AlertPercent: 85, ReadOnlyPercent: 95,
			ReadOnlyEnvironment: filepath.Join(root, "run", "read-only.env"),
			ReadOnlyFlag:        filepath.Join(root, "run", "read-only"),
		},
		Repair: config.Repair{
			EverySeconds: 600, ReadAllWithinSeconds: 86400, GraceSeconds: 120,
			Generation: filepath.Join(root, "state", "generation.conf"),
		},
		GC: config.GC{KeepNewerThanSeconds: 3600},
	}
	for _, dir := range []string{c.Store, c.State, c.Runtime} {
		Must(t, os.MkdirAll(dir, 0o750))
	}
	return c
}

// Must ends the test on an error.
func Must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Zip is a module zip with a go.mod and one more file.
func Zip(t *testing.T, v module.Version, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	// A list, for equal calls must make equal bytes.
	for _, each := range [][2]string{{"go.mod", Mod(v)}, {"main.go", content}} {
		file, err := archive.Create(v.String() + "/" + each[0])
		Must(t, err)
		_, err = file.Write([]byte(each[1]))
		Must(t, err)
	}
	Must(t, archive.Close())
	return out.Bytes()
}

// Mod is the go.mod of a module.
func Mod(v module.Version) string { return "module " + v.Path + "\n" }

// Add puts a good version into the store that has not been touched for an hour, and returns its directory.
func Add(t *testing.T, c *config.Config, modulePath, version string) string {
	t.Helper()
	v := module.Version{Path: modulePath, Version: version}
	dir := tree.Dir(c.Store, v)
	Must(t, os.MkdirAll(dir, 0o750))
	for name, content := range map[string][]byte{
		tree.Mod:          []byte(Mod(v)),
		tree.Zip:          Zip(t, v, "package main // "+version),
		version + ".info": []byte(`{"Version":"` + version + `"}`),
	} {
		Must(t, os.WriteFile(filepath.Join(dir, name), content, 0o640))
	}
	Age(t, dir, time.Hour)
	return dir
}

// Age makes a version as if nobody had written or read it for that long.
func Age(t *testing.T, dir string, age time.Duration) {
	t.Helper()
	then := time.Now().Add(-age)
	entries, err := os.ReadDir(dir)
	Must(t, err)
	for _, each := range entries {
		Must(t, os.Chtimes(filepath.Join(dir, each.Name()), then, then))
	}
	Must(t, os.Chtimes(dir, then, then))
}

// Exists reports whether there is something at a path.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
