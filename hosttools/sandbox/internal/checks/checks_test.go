package checks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// wants compares findings as people read them with patterns, in their order.
func wants(t *testing.T, r Report, patterns ...string) {
	t.Helper()
	status := Pass
	if len(patterns) > 0 {
		status = Fail
	}
	if r.Status != status {
		t.Errorf("%s: %s, want %s: %+v", r.Name, r.Status, status, r)
	}
	if (r.Remediation != "") != (status != Pass) {
		t.Errorf("%s: remediation %q", r.Name, r.Remediation)
	}
	if len(r.Findings) != len(patterns) {
		t.Fatalf("%s: %d findings, want %d: %+v", r.Name, len(r.Findings), len(patterns), r.Findings)
	}
	for i, pattern := range patterns {
		if !regexp.MustCompile("(?s)" + pattern).MatchString(r.Findings[i].String()) {
			t.Errorf("%s: %q does not match %s", r.Name, r.Findings[i], pattern)
		}
	}
}

func TestACleanModulePasses(t *testing.T) {
	dir := app(t, surroundings(t))
	goRun(t, dir, "mod", "vendor")
	fakeGovulncheck(t, `{"config":{}}`)
	for _, r := range of(t, dir, Names()...) {
		wants(t, r)
		if len(r.Notes) > 0 || r.Reason != "" {
			t.Errorf("%+v", r)
		}
	}
}

func TestModVerifyFindsWhatWasChangedInTheCache(t *testing.T) {
	dir := app(t, surroundings(t))
	changed := filepath.Join(os.Getenv("GOMODCACHE"), "example.com/dep@v1.1.0/dep.go")
	if err := os.Chmod(changed, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(changed, []byte(depGo+"// changed\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	wants(t, one(t, dir, "mod-verify"), `^go\.sum:1: example.com/dep v1.1.0: dir has been modified`)
}

func TestModVerifyFindsAnotherModuleThanGoSumSays(t *testing.T) {
	dir := app(t, surroundings(t))
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"go.sum": regexp.MustCompile(`(v1.1.0/go.mod h1:)...`).ReplaceAllString(string(sums), "${1}AAA")})
	t.Setenv("GOMODCACHE", filepath.Join(t.TempDir(), "fresh"))
	t.Cleanup(func() { freeze(t, os.Getenv("GOMODCACHE"), 0o755, 0o644) })
	wants(t, one(t, dir, "mod-verify"), `^go\.sum: .*checksum mismatch`)
}

func TestVendorComparesEveryFile(t *testing.T) {
	dir := app(t, surroundings(t))
	goRun(t, dir, "mod", "vendor")
	write(t, dir, map[string]string{
		"vendor/example.com/dep/dep.go":     depGo + "// changed\n",
		"vendor/example.com/dep/planted.go": "package dep\n",
		"vendor/modules.txt":                "# example.com/dep v1.1.0\n## explicit; go 1.21\nexample.com/dep\n# more\n",
	})
	wants(t, one(t, dir, "vendor"),
		`^vendor/example.com/dep/dep.go: is not what its module holds`,
		`^vendor/example.com/dep/planted.go: is of no module that is required`,
		`^vendor/modules.txt: is not what`)
	write(t, dir, map[string]string{"vendor/example.com/dep/dep.go": depGo})
	for _, name := range []string{"example.com/dep/planted.go", "modules.txt", "example.com/dep/dep.go"} {
		if err := os.Remove(filepath.Join(dir, "vendor", name)); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, one(t, dir, "vendor"), `^vendor: there is no modules.txt in it`)
	goRun(t, dir, "mod", "vendor")
	file := filepath.Join(dir, "vendor/example.com/dep/dep.go")
	if err := errors.Join(os.Remove(file), os.Symlink("/etc/passwd", file), os.MkdirAll(dir+"/vendor/x", 0o755)); err != nil {
		t.Fatal(err)
	}
	wants(t, one(t, dir, "vendor"), `dep.go: is a link instead of a file`)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	wants(t, one(t, dir, "vendor"), `dep.go: is missing`)
}

func TestVendorOfAWorkspace(t *testing.T) {
	dir := workspace(t, surroundings(t))
	goRun(t, dir, "work", "vendor")
	wants(t, one(t, dir, "vendor"))
	write(t, dir, map[string]string{"vendor/example.com/dep/dep.go": "package dep\n"})
	wants(t, one(t, dir, "vendor"), `^vendor/example.com/dep/dep.go: is not`)
}

func TestTidyNamesTheLines(t *testing.T) {
	p := surroundings(t)
	dir := app(t, p)
	p.publish("example.com/unused", "v1.0.0", map[string]string{"go.mod": "module example.com/unused\n\ngo 1.21\n"})
	write(t, dir, map[string]string{"go.mod": "module example.com/app\n\ngo 1.21\n\nrequire example.com/dep v1.1.0\n\nrequire example.com/unused v1.0.0\n"})
	wants(t, one(t, dir, "tidy"), `^go\.mod:7: not tidy: require example.com/unused v1.0.0`)
	write(t, dir, map[string]string{"go.mod": "module example.com/app\n\ngo 1.21\n"})
	wants(t, one(t, dir, "tidy"), `^go\.mod:4: missing: require example.com/dep v1.1.0`)
}

// workspace is a clean one, committed, with a published library that both of its modules use.
func workspace(t *testing.T, p *proxy) string {
	t.Helper()
	app(t, p)
	dir := t.TempDir()
	requires := "\nrequire example.com/dep v1.1.0\n"
	write(t, dir, map[string]string{
		"go.work":   "go 1.21\n\nuse (\n\t./a\n\t./b\n)\n",
		"a/go.mod":  "module example.com/a\n\ngo 1.21\n" + requires,
		"a/main.go": appGo,
		"b/go.mod":  "module example.com/b\n\ngo 1.21\n" + requires,
		"b/main.go": appGo,
	})
	for _, name := range []string{"a", "b"} {
		t.Setenv("GOWORK", "off")
		goRun(t, filepath.Join(dir, name), "mod", "tidy")
	}
	t.Setenv("GOWORK", "")
	git(t, dir, "init", "--quiet")
	git(t, dir, "add", ".")
	return dir
}

func git(t *testing.T, dir string, arguments ...string) {
	t.Helper()
	run := exec.Command("git", append([]string{"-C", dir}, arguments...)...)
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v: %s", arguments, err, out)
	}
}

func TestWork(t *testing.T) {
	p := surroundings(t)
	dir := workspace(t, p)
	wants(t, one(t, dir, "work"))
	git(t, dir, "rm", "--quiet", "--cached", "go.work")
	wants(t, one(t, dir, "work"), `^go\.work: it is not committed`)
	git(t, dir, "add", "go.work")

	write(t, dir, map[string]string{"go.work": "go 1.21\n\nuse ./a\n\nuse ./gone\n\nuse ../outside\n"})
	r := one(t, dir, "work")
	wants(t, r, `^go\.work:5: ./gone holds no go.mod`, `^go\.work:7: \.\./outside is outside of the tree`)
	if len(r.Notes) != 1 || r.Notes[0].String() != "b/go.mod: go.work does not use it" {
		t.Errorf("%v", r.Notes)
	}

	write(t, dir, map[string]string{
		"go.work":  "go 1.20\n\ntoolchain go1.22.0\n\nuse ./a\n\nuse ./b\n",
		"a/go.mod": "module example.com/a\n\ngo 1.21\n\ntoolchain go1.22.1\n\nrequire example.com/dep v1.1.0\n",
	})
	wants(t, one(t, dir, "work"), `^go\.work:1: go 1\.20 is older than go 1\.21 of a/go\.mod`,
		`^a/go\.mod:5: toolchain go1\.22\.1, and go\.work has go1\.22\.0`, `^go\.work:1: go 1\.20 is older than go 1\.21 of b/go\.mod`)
}

func TestWorkBuildsEachModuleWithoutIt(t *testing.T) {
	dir := workspace(t, surroundings(t))
	write(t, dir, map[string]string{
		"a/go.mod":   "module example.com/a\n\ngo 1.21\n\nrequire example.com/b v0.0.0\n",
		"a/main.go":  "package main\n\nimport \"example.com/b/lib\"\n\nfunc main() { lib.Do() }\n",
		"b/lib/b.go": "package lib\n\nfunc Do() {}\n",
	})
	goRun(t, filepath.Join(dir, "a"), "build", "-o", os.DevNull, ".")
	wants(t, one(t, dir, "work"), `^a/go\.mod: it does not build with GOWORK=off: .*example.com/b`)
}

func TestReplace(t *testing.T) {
	p := surroundings(t)
	dir := app(t, p)
	write(t, dir, map[string]string{
		"go.mod":         "module example.com/app\n\ngo 1.21\n\nrequire example.com/dep v1.1.0\n\nreplace (\n\texample.com/dep => ./local dep\n)\n\nexclude example.com/dep v1.0.0\n",
		"local dep/x.go": depGo,
	})
	_ = os.Remove(filepath.Join(dir, "local dep/go.mod"))
	write(t, dir, map[string]string{"go.mod": strings.ReplaceAll(string(read(t, dir, "go.mod")), "./local dep", `"./local dep"`), "local dep/go.mod": depMod})
	r := one(t, dir, "replace")
	wants(t, r, `^go\.mod:8: example.com/dep is replaced by the local path ./local dep`)
	if len(r.Notes) != 1 || r.Notes[0].String() != "go.mod:11: example.com/dep v1.0.0 is excluded" {
		t.Errorf("%v", r.Notes)
	}
	wants(t, with(t, Options{Dir: dir, Go: "go", Replace: []string{"example.com/dep"}}, "replace")[0])
}

func TestReplaceFindsRetractedVersions(t *testing.T) {
	p := surroundings(t)
	dir := app(t, p)
	p.publish("example.com/dep", "v1.2.0", map[string]string{
		"go.mod": depMod + "\nretract v1.1.0 // it says too much\n", "dep.go": depGo,
	})
	r := one(t, dir, "replace")
	wants(t, r, `^go\.mod:5: example.com/dep v1.1.0 was retracted: it says too much`)
	for proxies, note := range map[string]string{"off": "GOPROXY is off", "http://127.0.0.1:1": "connection refused"} {
		t.Setenv("GOPROXY", proxies)
		r = one(t, dir, "replace")
		wants(t, r)
		if len(r.Notes) != 1 || !strings.Contains(r.Notes[0].Message, "retracted was not") || !strings.Contains(r.Notes[0].Message, note) {
			t.Errorf("%s: %v", proxies, r.Notes)
		}
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestToolchain(t *testing.T) {
	surroundings(t)
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"go.mod":     "module example.com/app\n\ngo 1.21\n\ntoolchain go1.999.1\n",
		"b/go.mod":   "module example.com/b\n\ngo 1.998\n",
		"c/go.mod":   "module example.com/c\n\ngo 1.21\n\ntoolchain default\n",
		"go.work":    "go 1.998\n\nuse ./b\n",
		"vendor/x":   "",
		"_x/go.mod":  "broken",
		".x/go.mod":  "broken",
		"c/main.go":  "package main\n",
		"d/go.mod/x": "a directory",
	})
	wants(t, one(t, dir, "toolchain"), `^go\.work:1: go 1\.998 is newer than the installed go1\.`,
		`^b/go\.mod:3: go 1\.998 is newer`, `^go\.mod:5: toolchain go1\.999\.1 would be fetched: go1\.\S+ is installed`)
}

func TestVersionDrift(t *testing.T) {
	surroundings(t)
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"a/go.mod": "module example.com/a\n\ngo 1.21\n\nrequire (\n\texample.com/dep v1.0.0\n\texample.com/same v1.0.0\n)\n",
		"b/go.mod": "module example.com/b\n\ngo 1.21\n\nrequire example.com/dep v1.1.0 // indirect\n",
		"c/go.mod": "module example.com/c\n\ngo 1.21\n\nrequire example.com/same v1.0.0\n",
	})
	wants(t, one(t, dir, "version-drift"), `^a/go\.mod:6: example.com/dep is required as v1\.0\.0`, `^b/go\.mod:5: example.com/dep is required as v1\.1\.0`)
}

// fakeGovulncheck stands for the program; its output is as golang.org/x/vuln/internal/govulncheck describes it.
func fakeGovulncheck(t *testing.T, output string) {
	t.Helper()
	bin := t.TempDir()
	write(t, bin, map[string]string{"output": output, "govulncheck": "#!/bin/sh\n[ \"$1\" = -json ] && cat \"$(dirname \"$0\")/output\"\n"})
	if err := os.Chmod(filepath.Join(bin, "govulncheck"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

func TestGovulncheck(t *testing.T) {
	dir := app(t, surroundings(t))
	fakeGovulncheck(t, `{"config":{"protocol_version":"v1.0.0"}}
{"osv":{"id":"GO-2026-0001","summary":"dep says too much"}}
{"osv":{"id":"GO-2026-0002","summary":"dep may crash"}}
{"finding":{"osv":"GO-2026-0001","fixed_version":"v1.2.0","trace":[{"module":"example.com/dep","version":"v1.1.0"}]}}
{"finding":{"osv":"GO-2026-0001","fixed_version":"v1.2.0","trace":[{"module":"example.com/dep","version":"v1.1.0","package":"example.com/dep","function":"Says"},{"module":"example.com/app","package":"example.com/app","function":"main","position":{"filename":"main.go","line":5}}]}}
{"finding":{"osv":"GO-2026-0002","trace":[{"module":"example.com/dep","version":"v1.1.0"}]}}`)
	r := one(t, dir, "govulncheck")
	wants(t, r, `^main\.go:5: GO-2026-0001 dep says too much: example.com/dep v1\.1\.0, fixed in v1\.2\.0$`)
	if len(r.Notes) != 1 || r.Notes[0].String() != "go.mod:5: GO-2026-0002 dep may crash: example.com/dep v1.1.0" {
		t.Errorf("%v", r.Notes)
	}
}

func TestWhatCannotBeRunSaysSo(t *testing.T) {
	dir := app(t, surroundings(t))
	path, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(path))
	r := with(t, Options{Dir: dir, Go: path}, "govulncheck")
	if r[0].Status != NotRun || !strings.Contains(r[0].Reason, "KNOWN VULNERABILITIES WERE NOT LOOKED FOR") || r[0].Remediation == "" || Worst(r) != NotRun {
		t.Errorf("%+v", r)
	}
	goRun(t, dir, "mod", "vendor")
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOMODCACHE", t.TempDir())
	for _, r := range of(t, dir, "vendor", "tidy") {
		if r.Status != NotRun || r.Reason == "" {
			t.Errorf("%+v", r)
		}
	}
	if _, err := Run(context.Background(), Options{Dir: dir, Go: path}, []string{"tidy", "tidyy"}); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if _, err := Run(context.Background(), Options{Dir: t.TempDir(), Go: path}, []string{"tidy"}); err == nil || !strings.Contains(err.Error(), "holds no go.mod") {
		t.Error(err)
	}
}

// A tree may call its files anything; nothing of it is taken for an option, a command or a line of ours.
func TestHostileNames(t *testing.T) {
	p := surroundings(t)
	app(t, p)
	dir := t.TempDir()
	hostile := []string{"-modfile=x", "a\nb", "$(touch x)", "' ; touch y", "\x1b[31mred", "..."}
	files := map[string]string{}
	for i, name := range hostile {
		files[name+"/go.mod"] = fmt.Sprintf("module example.com/m%d\n\ngo 1.21\n\nrequire example.com/dep v1.1.0\n\nreplace example.com/dep => ../x\n", i)
		files[name+"/main.go"] = "package main\n\nfunc main() {}\n"
	}
	write(t, dir, files)
	r := one(t, dir, "replace")
	// Names that begin with a dot are passed over, as go does.
	if len(r.Findings) != len(hostile)-1 {
		t.Errorf("%d findings: %v", len(r.Findings), r.Findings)
	}
	var text, data strings.Builder
	Print(&text, []Report{r})
	if strings.ContainsAny(text.String(), "\x1b") || strings.Contains(text.String(), "a\nb") {
		t.Errorf("%q", text.String())
	}
	if err := PrintJSON(&data, []Report{r}); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Status Status
		Checks []Report
	}
	if err := json.Unmarshal([]byte(data.String()), &back); err != nil || back.Status != Fail || len(back.Checks[0].Findings) != len(r.Findings) {
		t.Errorf("%v: %s", err, data.String())
	}
	for _, r := range of(t, dir, "tidy", "work", "mod-verify", "version-drift") {
		if r.Status == NotRun && r.Name != "tidy" && r.Name != "mod-verify" {
			t.Errorf("%+v", r)
		}
	}
	for _, planted := range []string{"x", "y"} {
		if _, err := os.Stat(filepath.Join(dir, planted)); err == nil {
			t.Errorf("%s was made", planted)
		}
	}
}

func TestWorst(t *testing.T) {
	reports := func(all ...Status) []Report {
		var r []Report
		for _, each := range all {
			r = append(r, Report{Status: each})
		}
		return r
	}
	for want, all := range map[Status][]Report{Pass: reports(Pass), NotRun: reports(Pass, NotRun, Pass), Fail: reports(NotRun, Fail, NotRun)} {
		if got := Worst(all); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
