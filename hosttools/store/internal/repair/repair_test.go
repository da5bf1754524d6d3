package repair

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gofleet/store/internal/config"
	"gofleet/store/internal/ledger"
	"gofleet/store/internal/module"
	. "gofleet/store/internal/storetest"
	"gofleet/store/internal/tree"
)

const path, version = "example.com/Some/thing", "v1.2.3"

func runPass(t *testing.T, c *config.Config, known *ledger.Ledger, now time.Time) *Report {
	t.Helper()
	report, err := Pass(c, known, Options{Remove: true, Now: now})
	Must(t, err)
	return report
}

func open(t *testing.T, c *config.Config) *ledger.Ledger {
	t.Helper()
	known, err := ledger.Open(c.State)
	Must(t, err)
	return known
}

func truncate(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		info, err := os.Stat(filepath.Join(dir, name))
		Must(t, err)
		Must(t, os.Truncate(filepath.Join(dir, name), info.Size()/2))
	}
}

func write(name, content string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		Must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o640))
	}
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) { Must(t, os.Remove(filepath.Join(dir, name))) }
}

func TestBrokenVersionsAreFoundAndRemoved(t *testing.T) {
	other := module.Version{Path: path, Version: "v9.9.9"}
	cases := map[string]struct {
		damage func(*testing.T, string)
		says   string
	}{
		"no .info":                 {remove(version + ".info"), "no .info"},
		"empty .info":              {write(version+".info", ""), ".info: "},
		".info is not JSON":        {write(version+".info", "<html>"), ".info: "},
		".info of another version": {write(version+".info", `{"Version":"v1.2.4"}`), `names version "v1.2.4"`},
		"no go.mod":                {remove(tree.Mod), "go.mod: missing"},
		"another go.mod":           {write(tree.Mod, "module example.com/other\n"), "differs from the one in the zip"},
		"no zip":                   {remove(tree.Zip), "source.zip: missing"},
		"truncated zip":            {truncate(tree.Zip), "zip: "},
		"empty zip":                {write(tree.Zip, ""), "zip: "},
		"no zip at all":            {write(tree.Zip, strings.Repeat("x", 4096)), "zip: "},
		"zip of another version": {func(t *testing.T, dir string) {
			Must(t, os.WriteFile(filepath.Join(dir, tree.Zip), Zip(t, other, "x"), 0o640))
		}, "is no file of"},
		"a flipped bit in the zip": {func(t *testing.T, dir string) {
			file := filepath.Join(dir, tree.Zip)
			content, err := os.ReadFile(file)
			Must(t, err)
			content[75] ^= 1
			Must(t, os.WriteFile(file, content, 0o640))
		}, "zip: "},
	}
	for name, each := range cases {
		t.Run(name, func(t *testing.T) {
			c := Config(t)
			good := Add(t, c, "example.com/good", "v0.1.0")
			dir := Add(t, c, path, version)
			each.damage(t, dir)
			Age(t, dir, time.Hour)
			report := runPass(t, c, open(t, c), time.Now())
			if len(report.Broken) != 1 || !strings.Contains(report.Broken[0].Reason, each.says) {
				t.Fatalf("found %v, wanted %q", report.Broken, each.says)
			}
			if Exists(dir) || !Exists(good) || report.Versions != 1 {
				t.Errorf("broken there: %v, good there: %v, versions: %d", Exists(dir), Exists(good), report.Versions)
			}
			left, _ := os.ReadDir(c.Trash())
			if len(left) != 0 {
				t.Errorf("%d things are left in the trash", len(left))
			}
		})
	}
}

func TestAVersionThatIsBeingWrittenIsLeftAlone(t *testing.T) {
	c := Config(t)
	dir := Add(t, c, path, version)
	remove(version+".info")(t, dir)
	Age(t, dir, time.Minute)
	report := runPass(t, c, open(t, c), time.Now())
	if report.Busy != 1 || len(report.Broken) != 0 || !Exists(dir) {
		t.Fatalf("%+v", report)
	}
	report = runPass(t, c, open(t, c), time.Now().Add(2*time.Minute))
	if len(report.Broken) != 1 || Exists(dir) {
		t.Fatalf("%+v", report)
	}
}

func TestAForkMayNameAnotherModule(t *testing.T) {
	c := Config(t)
	dir := Add(t, c, path, version)
	fork := module.Version{Path: "example.com/fork", Version: version}
	moved := tree.Dir(c.Store, fork)
	Must(t, os.MkdirAll(filepath.Dir(moved), 0o750))
	Must(t, os.Rename(dir, moved))
	content := Zip(t, fork, "x")
	// The zip's go.mod and the one beside it agree; that is all there is to tell.
	Must(t, os.WriteFile(filepath.Join(moved, tree.Zip), content, 0o640))
	write(tree.Mod, Mod(fork))(t, moved)
	if report := runPass(t, c, open(t, c), time.Now()); len(report.Broken) != 0 {
		t.Fatal(report.Broken)
	}
}

func TestWhatDidNotChangeIsNotReadAgain(t *testing.T) {
	c, now := Config(t), time.Now()
	Add(t, c, path, version)
	known := open(t, c)
	if report := runPass(t, c, known, now); report.Read != 1 {
		t.Fatalf("read %d", report.Read)
	}
	Must(t, known.Save())
	if report := runPass(t, c, open(t, c), now.Add(time.Hour)); report.Read != 0 || report.Versions != 1 {
		t.Fatalf("read %d of %d", report.Read, report.Versions)
	}
	if report := runPass(t, c, open(t, c), now.Add(25*time.Hour)); report.Read != 1 {
		t.Fatal("everything must be read again within the configured time")
	}
}

func TestAllIsReadWithinTheTimeAndNotAtOnce(t *testing.T) {
	c, now := Config(t), time.Now()
	for _, each := range []string{"v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0", "v1.4.0", "v1.5.0"} {
		Add(t, c, path, each)
	}
	known := open(t, c)
	runPass(t, c, known, now)
	var most, all int64
	for at := time.Duration(0); at <= 24*time.Hour; at += 10 * time.Minute {
		report := runPass(t, c, known, now.Add(at))
		most, all = max(most, report.Read), all+report.Read
	}
	if most > 2 || all < 6 {
		t.Fatalf("%d at once, %d in all", most, all)
	}
}

// poison puts other content of the same size in place of a zip, and the modification time back.
func poison(t *testing.T, dir string) {
	t.Helper()
	file := filepath.Join(dir, tree.Zip)
	before, err := os.Stat(file)
	Must(t, err)
	v := module.Version{Path: path, Version: version}
	content := Zip(t, v, "package evil // "+version)
	if int64(len(content)) != before.Size() {
		t.Fatalf("the poisoned zip has %d bytes, not %d", len(content), before.Size())
	}
	handle, err := os.OpenFile(file, os.O_WRONLY, 0)
	Must(t, err)
	_, err = handle.Write(content)
	Must(t, err)
	Must(t, handle.Close())
	Must(t, os.Chtimes(file, before.ModTime(), before.ModTime()))
}

func TestAPoisonedZipIsFoundAtOnceByItsChangeTime(t *testing.T) {
	c := Config(t)
	dir := Add(t, c, path, version)
	known := open(t, c)
	runPass(t, c, known, time.Now())
	poison(t, dir)
	report := runPass(t, c, known, time.Now())
	if len(report.Broken) != 1 || !strings.Contains(report.Broken[0].Reason, "when it was first seen") || Exists(dir) {
		t.Fatalf("%+v", report)
	}
}

func TestAPoisonedZipWithAllTimesPutBackIsFoundByReadingOn(t *testing.T) {
	c, now := Config(t), time.Now()
	dir := Add(t, c, path, version)
	known := open(t, c)
	runPass(t, c, known, now)
	poison(t, dir)
	// As if the clock had been turned back for the deed.
	v, err := tree.Read(c.Store, module.Version{Path: path, Version: version})
	Must(t, err)
	entry := known.Versions[v.String()]
	entry.Stamps = stamps(v)
	known.Versions[v.String()] = entry
	if report := runPass(t, c, known, now.Add(time.Hour)); report.Read != 0 {
		t.Fatal("it was read before its time")
	}
	if report := runPass(t, c, known, now.Add(25*time.Hour)); len(report.Broken) != 1 || Exists(dir) {
		t.Fatalf("%+v", report)
	}
}

func TestWhatComesAnewMustBeTheSame(t *testing.T) {
	c := Config(t)
	known := open(t, c)
	dir := Add(t, c, path, version)
	runPass(t, c, known, time.Now())
	Must(t, os.RemoveAll(dir))
	runPass(t, c, known, time.Now())
	Add(t, c, path, version)
	if report := runPass(t, c, known, time.Now()); len(report.Broken) != 0 || report.Read != 1 {
		t.Fatalf("the same content: %+v", report)
	}
	poison(t, dir)
	if report := runPass(t, c, known, time.Now()); len(report.Broken) != 1 {
		t.Fatal("other content was taken")
	}
}

func TestReadingEndsInTimeAndGoesOn(t *testing.T) {
	c := Config(t)
	for _, each := range []string{"v1.0.0", "v1.1.0", "v1.2.0"} {
		Add(t, c, path, each)
	}
	known := open(t, c)
	for n := range int64(3) {
		report, err := Pass(c, known, Options{Remove: true, Now: time.Now(), Until: time.Now().Add(-time.Second)})
		Must(t, err)
		if report.Read != 1 || report.Unread != 2-n || report.Versions != 3 {
			t.Fatalf("pass %d: %+v", n, report)
		}
	}
}

func TestTheGenerationIsAnIncludeOfNginx(t *testing.T) {
	c := Config(t)
	Must(t, NextGeneration(c))
	Must(t, NextGeneration(c))
	text, err := os.ReadFile(c.Repair.Generation)
	Must(t, err)
	if string(text) != "map \"\" $gomod_generation { default \"g2\"; }\n" {
		t.Errorf("%q", text)
	}
	if !Exists(filepath.Join(c.Runtime, ReloadMark)) {
		t.Error("nobody is asked to reload")
	}
}
