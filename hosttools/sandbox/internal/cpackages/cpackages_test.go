package cpackages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const status = `Package: libc6-dev
Status: install ok installed
Architecture: amd64
Version: 2.36-9
Description: headers
 Version: of a description

Package: gcc-12
Status: install ok installed
Architecture: amd64
Version: 12.2.0-14

Package: nano
Status: install ok installed
Architecture: amd64
Version: 7.2-1

Package: zlib1g-dev
Status: deinstall ok config-files
Architecture: amd64
Version: 1:1.2.13
`

func fingerprint(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "status")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	print, err := Fingerprint(path)
	if err != nil || len(print) != 16 {
		t.Fatalf("%q %v", print, err)
	}
	return print
}

func TestWhatABuildMayReadChangesTheFingerprint(t *testing.T) {
	before := fingerprint(t, status)
	stanzas := strings.Split(strings.TrimSpace(status), "\n\n")
	for name, each := range map[string]struct {
		text    string
		changes bool
	}{
		"another order":              {stanzas[1] + "\n\n" + stanzas[0] + "\n", false},
		"an editor":                  {strings.Replace(status, "7.2-1", "7.2-2", 1), false},
		"what only has settings":     {strings.Replace(status, "1.2.13", "1.2.14", 1), false},
		"headers of the C library":   {strings.Replace(status, "2.36-9", "2.36-10", 1), true},
		"a compiler":                 {strings.Replace(status, "12.2.0-14", "12.2.0-15", 1), true},
		"headers that came":          {strings.Replace(status, "deinstall ok config-files", "install ok installed", 1), true},
		"headers that went":          {strings.Join(stanzas[1:], "\n\n"), true},
		"those of another processor": {strings.Replace(status, "amd64", "arm64", 1), true},
	} {
		if changed := fingerprint(t, each.text) != before; changed != each.changes {
			t.Errorf("%s: changed: %v", name, changed)
		}
	}
}

func TestAHostWithoutDpkgHasNone(t *testing.T) {
	if print, err := Fingerprint(filepath.Join(t.TempDir(), "status")); err != nil || print != "" {
		t.Errorf("%q %v", print, err)
	}
}
