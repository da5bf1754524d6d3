package module

import (
	"testing"
)

func TestNames(t *testing.T) {
	v, kind, err := ParseFile("github.com/!masterminds/semver/v3/@v/v3.0.0-!r!c1.zip")
	if err != nil || v != (Version{"github.com/Masterminds/semver/v3", "v3.0.0-RC1"}) || kind != "zip" {
		t.Fatalf("%v %q %v", v, kind, err)
	}
	if name := v.File("zip"); name != "github.com/!masterminds/semver/v3/@v/v3.0.0-!r!c1.zip" {
		t.Error(name)
	}
	for _, bad := range []string{
		"github.com/Masterminds/semver/@v/v1.0.0.zip", "a/../b/@v/v1.0.0.zip", "/etc/@v/v1.0.0.zip", "a/@v/main.info",
		"a/@v/v1.zip", "a/@v/v1.0.0", "a//b/@v/v1.0.0.mod", "!/@v/v1.0.0.mod", ".gofleet/x/@v/v1.0.0.mod", "a/@v/../v1.0.0.zip",
		"a/@v/v1.0.0/../../x.zip",
	} {
		if v, _, err := ParseFile(bad); err == nil {
			t.Errorf("%q was taken for %v", bad, v)
		}
	}
}

func TestPatterns(t *testing.T) {
	for pattern, paths := range map[string]map[string]bool{
		"git.corp.example/*": {"git.corp.example/a": true, "git.corp.example/a/b": true, "git.corp.example": false, "x/y": false},
		"git.corp.example":   {"git.corp.example/a": true, "git.corp.example.org/a": false},
		"*.corp.example":     {"git.corp.example/a": true, "corp.example/a": false},
	} {
		for path, want := range paths {
			if Matches(pattern, path) != want {
				t.Errorf("%s on %s: wanted %v", pattern, path, want)
			}
		}
	}
}

// The sum that go.sum files everywhere have for the go.mod of github.com/pkg/errors v0.9.1.
func TestModH1IsWhatGoSays(t *testing.T) {
	if got := ModH1([]byte("module github.com/pkg/errors\n")); got != "h1:bwawxfHBFNV+L2hUp1rHADufV3IMtnDRdf1r5NINEl0=" {
		t.Error(got)
	}
}
