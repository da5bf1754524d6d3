package transfer

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gofleet/store/internal/config"
	"gofleet/store/internal/ledger"
	"gofleet/store/internal/module"
	"gofleet/store/internal/repair"
	. "gofleet/store/internal/storetest"
	"gofleet/store/internal/tree"
)

var (
	whole   = module.Version{Path: "github.com/Some/Thing", Version: "v1.2.3-RC1"}
	modOnly = module.Version{Path: "example.com/Graph", Version: "v0.5.0"}
)

// cache is a module cache with a version that has everything, one with a go.mod alone, and what else lies about there.
func cache(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range map[string][]byte{
		whole.File("zip"): Zip(t, whole, "x"), whole.File("mod"): []byte(Mod(whole)),
		modOnly.File("mod"):                       []byte(Mod(modOnly)),
		"github.com/!some/!thing/@v/list":         []byte("v1.2.3\n"),
		"github.com/!some/!thing/@v/main.info":    []byte(`{"Version":"v1.2.3-RC1"}`),
		"github.com/!some/!thing/@v/v1.2.3.lock":  nil,
		"sumdb/sum.example/@v/v1.0.0.zip":         []byte("no module"),
		"example.com/other/@v/v1.0.0.info":        []byte(`{"Version":"v1.0.0"}`),
		"example.com/other/@v/v1.0.0-partial.tmp": []byte("x"),
	} {
		path := filepath.Join(root, "cache", "download", name)
		Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		Must(t, os.WriteFile(path, content, 0o644))
	}
	return root
}

func bringIn(t *testing.T, c *config.Config, source string, sums map[string]string) (*Report, error) {
	t.Helper()
	known, err := ledger.Open(c.State)
	Must(t, err)
	report, err := Import(c, known, source, sums, time.Now())
	Must(t, known.Save())
	staged, _ := os.ReadDir(c.Staging())
	if len(staged) != 0 {
		t.Errorf("%d things are left in the staging directory", len(staged))
	}
	return report, err
}

func TestAModuleCacheIsImported(t *testing.T) {
	c := Config(t)
	report, err := bringIn(t, c, cache(t), nil)
	Must(t, err)
	if report.Imported != 1 || report.ModOnly != 1 || len(report.Refused) != 0 {
		t.Fatalf("%+v", report)
	}
	v, err := tree.Read(c.Store, whole)
	Must(t, err)
	if !v.Complete() {
		t.Fatalf("%v", v.Files)
	}
	info, err := os.ReadFile(filepath.Join(v.Dir, v.Info()))
	if err != nil || module.CheckInfo(whole, info) != nil {
		t.Errorf("%s %v", info, err)
	}
	if !Exists(filepath.Join(c.ModFiles(), "example.com/!graph/@v/v0.5.0.mod")) {
		t.Error("the go.mod of the version without a zip is missing")
	}
	if Exists(tree.Dir(c.Store, modOnly)) {
		t.Error("Athens would take a version without a zip for one that was cut off")
	}
	known, err := ledger.Open(c.State)
	Must(t, err)
	pass, err := repair.Pass(c, known, repair.Options{Remove: true, Now: time.Now()})
	if err != nil || pass.Read != 0 || len(pass.Broken) != 0 {
		t.Errorf("what was imported is known to be good: %+v %v", pass, err)
	}
	again, err := bringIn(t, c, cache(t), nil)
	if err != nil || again.Imported != 0 || again.Present != 2 {
		t.Errorf("the second time: %+v %v", again, err)
	}
}

func TestWithoutUpstreamAthensHasTheGoModsToo(t *testing.T) {
	c := Config(t)
	c.Offline = true
	_, err := bringIn(t, c, cache(t), nil)
	Must(t, err)
	dir := tree.Dir(c.Store, modOnly)
	if !Exists(filepath.Join(dir, tree.Mod)) || !Exists(filepath.Join(dir, "v0.5.0.info")) {
		t.Fatal("it is not in the store")
	}
	known, err := ledger.Open(c.State)
	Must(t, err)
	for _, offline := range []bool{true, false} {
		c.Offline = offline
		pass, err := repair.Pass(c, known, repair.Options{All: true, Now: time.Now().Add(time.Hour)})
		if err != nil || (len(pass.Broken) == 0) != offline {
			t.Errorf("offline %v: %+v %v", offline, pass, err)
		}
	}
}

func TestWhatDoesNotAgreeIsRefused(t *testing.T) {
	zip := func(root string) string { return filepath.Join(root, "cache/download", whole.File("zip")) }
	for name, each := range map[string]struct {
		change func(t *testing.T, root string)
		sums   map[string]string
		says   string
	}{
		"a truncated zip": {func(t *testing.T, root string) { Must(t, os.Truncate(zip(root), 100)) }, nil, "zip: "},
		"another .ziphash": {func(t *testing.T, root string) {
			Must(t, os.WriteFile(zip(root)+"hash", []byte("h1:AAAA"), 0o644))
		}, nil, ".ziphash says h1:AAAA"},
		"go.sum":          {nil, map[string]string{whole.String(): "h1:BBBB"}, "go.sum says h1:BBBB"},
		"go.sum's go.mod": {nil, map[string]string{whole.String() + "/go.mod": "h1:BBBB"}, "go.sum says h1:BBBB"},
		"another .info": {func(t *testing.T, root string) {
			path := filepath.Join(root, "cache/download", whole.File("info"))
			Must(t, os.WriteFile(path, []byte(`{"Version":"v2.0.0"}`), 0o644))
		}, nil, ".info: names"},
	} {
		t.Run(name, func(t *testing.T) {
			c, root := Config(t), cache(t)
			if each.change != nil {
				each.change(t, root)
			}
			report, err := bringIn(t, c, root, each.sums)
			Must(t, err)
			if report.Imported != 0 || len(report.Refused) != 1 || !strings.Contains(report.Refused[0], each.says) {
				t.Fatalf("%+v", report)
			}
			if Exists(tree.Dir(c.Store, whole)) {
				t.Error("it is in the store")
			}
		})
	}
}

func exported(t *testing.T, patterns ...string) string {
	t.Helper()
	c := Config(t)
	_, err := bringIn(t, c, cache(t), nil)
	Must(t, err)
	known, err := ledger.Open(c.State)
	Must(t, err)
	out := filepath.Join(t.TempDir(), "bundle.tar")
	_, err = Export(c, known, out, patterns)
	Must(t, err)
	return out
}

func TestABackupComesBack(t *testing.T) {
	first, second := exported(t), exported(t)
	a, err := os.ReadFile(first)
	Must(t, err)
	b, err := os.ReadFile(second)
	Must(t, err)
	if !bytes.Equal(a, b) {
		t.Error("equal stores, other bytes")
	}
	c := Config(t)
	report, err := bringIn(t, c, first, nil)
	if err != nil || report.Imported != 1 || report.ModOnly != 1 {
		t.Fatalf("%+v %v", report, err)
	}
	known, err := ledger.Open(c.State)
	Must(t, err)
	pass, err := repair.Pass(c, known, repair.Options{Remove: true, Now: time.Now()})
	if err != nil || pass.Read != 1 || len(pass.Broken) != 0 {
		t.Errorf("what only the manifest vouches for is read soon: %+v %v", pass, err)
	}
}

func TestAnExportHoldsWhatIsAskedFor(t *testing.T) {
	var names []string
	Must(t, eachFile(exported(t, "github.com/Some/*"), func(name string, _ io.Reader) error {
		names = append(names, name)
		return nil
	}))
	if want := []string{ManifestName, whole.File("info"), whole.File("mod"), whole.File("zip")}; !slices.Equal(names, want) {
		t.Errorf("%v, wanted %v", names, want)
	}
}

func TestADamagedBundleBringsNothing(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"cut in a file": func(b []byte) []byte { return b[:len(b)-2500] },
		"cut between files": func(b []byte) []byte {
			return b[:bytes.Index(b, []byte("github.com/!some/!thing/@v/v1.2.3-!r!c1.mod\x00"))]
		},
		"a changed byte":     func(b []byte) []byte { b[bytes.LastIndex(b, []byte("PK\x03\x04"))+50] ^= 1; return b },
		"an unknown format":  func(b []byte) []byte { return bytes.Replace(b, []byte(`"format": 1`), []byte(`"format": 2`), 1) },
		"a file of no entry": func(b []byte) []byte { return bytes.Replace(b, []byte(`v0.5.0.mod": "`), []byte(`v0.5.1.mod": "`), 1) },
	} {
		t.Run(name, func(t *testing.T) {
			path := exported(t)
			content, err := os.ReadFile(path)
			Must(t, err)
			Must(t, os.WriteFile(path, damage(content), 0o644))
			c := Config(t)
			if report, err := bringIn(t, c, path, nil); err == nil {
				t.Fatalf("taken: %+v", report)
			}
			if Exists(tree.Dir(c.Store, whole)) || Exists(c.ModFiles()) {
				t.Error("a part of it is in the store")
			}
		})
	}
}

func TestReadSums(t *testing.T) {
	path := filepath.Join(t.TempDir(), "go.sum")
	Must(t, os.WriteFile(path, []byte("a.example/b v1.0.0 h1:x\na.example/b v1.0.0/go.mod h1:y\n\n"), 0o644))
	sums, err := ReadSums([]string{path, path})
	if err != nil || sums["a.example/b@v1.0.0"] != "h1:x" || sums["a.example/b@v1.0.0/go.mod"] != "h1:y" {
		t.Fatalf("%v %v", sums, err)
	}
	for _, bad := range []string{"a.example/b v1.0.0 h1:z\n", "a.example/b v1.0.0\n", "../b v1.0.0 h1:x\n"} {
		other := filepath.Join(t.TempDir(), "go.sum")
		Must(t, os.WriteFile(other, []byte(bad), 0o644))
		if _, err := ReadSums([]string{path, other}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
