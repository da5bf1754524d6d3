package denials

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gofleet/sandbox/internal/config"
)

// Lines of a Debian 12 kernel, and of auditd.
const log = `[    3.1] audit: type=1400 audit(1700000000.123:45): apparmor="DENIED" operation="open" profile="gofleet-ci-1" name="/etc/shadow" pid=71 comm="cat" requested_mask="r" denied_mask="r" fsuid=0 ouid=0
[    3.2] audit: type=1400 audit(1700000001.000:46): apparmor="DENIED" operation="open" profile="gofleet-ci-1" name="/var/x/go-build123/b001/a.out" pid=72 comm="go" requested_mask="wc" denied_mask="wc" fsuid=1 ouid=1
[    3.2] audit: type=1400 audit(1700000001.000:47): apparmor="DENIED" operation="open" profile="gofleet-ci-1" name="/var/x/go-build456/b001/a.out" pid=72 comm="link" requested_mask="wc" denied_mask="wc" fsuid=1 ouid=1
[    3.3] audit: type=1400 audit(1700000002.000:48): apparmor="ALLOWED" operation="capable" profile="gofleet-ci-2" pid=73 comm="a b" capability=21  capname="sys_admin"
[    3.4] audit: type=1400 audit(1700000003.000:49): apparmor="DENIED" operation="open" profile="gofleet-ci-1" name=2F746D702F61201B5B32 pid=74 comm="cat" requested_mask="r" denied_mask="r" fsuid=1 ouid=1
[    3.5] audit: type=1400 audit(1700000004.000:50): apparmor="DENIED" operation="create" profile="gofleet-ci-1//child" pid=75 comm="ping" family="inet" sock_type="raw" protocol=1 requested_mask="create" denied_mask="create"
[    3.6] audit: type=1400 audit(1700000005.000:51): apparmor="DENIED" operation="ptrace" profile="gofleet-ci-1" pid=76 comm="gdb" requested_mask="trace" denied_mask="trace" peer="unconfined"
[    3.7] audit: type=1400 audit(1700000006.000:52): apparmor="STATUS" operation="profile_load" profile="unconfined" name="gofleet-ci-1" pid=60 comm="apparmor_parser"
[    3.8] audit: type=1400 audit(1700000007.000:53): apparmor="DENIED" operation="open" profile="gofleet-ci-10" name="/etc/shadow" pid=77 comm="cat" requested_mask="r" denied_mask="r" fsuid=0 ouid=0
[    3.9] audit: type=1400 audit(1700000007.500:531): apparmor="DENIED" operation="exec" profile="gofleet-ci-canary1" name="/usr/bin/git" pid=79 comm="sh" requested_mask="x" denied_mask="x" fsuid=1 ouid=0
type=AVC msg=audit(1700000008.000:54): apparmor="DENIED" operation="signal" profile="gofleet-ci-1" pid=78 comm="kill" requested_mask="send" denied_mask="send" signal=kill peer="unconfined"
usb 1-1: new device
`

func settings(t *testing.T) *config.Config {
	folder := t.TempDir()
	return &config.Config{
		Component: "ci", State: folder, Metrics: filepath.Join(folder, "metrics.prom"),
		Slots: []config.Slot{{Number: 1}, {Number: 2}},
	}
}

func read(t *testing.T, text string) []Event {
	t.Helper()
	events, err := FromLines(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestReportOfASandboxsOwnProfiles(t *testing.T) {
	report := Summarise(Of(settings(t), read(t, log)))
	if report.Denied != 8 || report.Allowed != 1 {
		t.Errorf("%d denied, %d allowed", report.Denied, report.Allowed)
	}
	want := map[Kind]int{
		{true, "gofleet-ci-1", "open", "/var/x/go-build*/b001/a.out", "wc"}: 2,
		{true, "gofleet-ci-1", "open", "/etc/shadow", "r"}:                  1,
		{true, "gofleet-ci-1", "open", "/tmp/a \x1b[2", "r"}:                1,
		{true, "gofleet-ci-1", "ptrace", "unconfined", "trace"}:             1,
		{true, "gofleet-ci-1", "signal", "unconfined", "send"}:              1,
		{true, "gofleet-ci-1//child", "create", "inet raw", "create"}:       1,
		{true, "gofleet-ci-canary1", "exec", "/usr/bin/git", "x"}:           1,
		{false, "gofleet-ci-2", "capable", "sys_admin", ""}:                 1,
	}
	for _, group := range report.Groups {
		if want[group.Kind] != group.Count {
			t.Errorf("%+v", group)
		}
		delete(want, group.Kind)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	first := report.Groups[0]
	if first.Count != 2 || strings.Join(first.Commands, " ") != "go link" || !first.First.Equal(time.Unix(1700000001, 0)) {
		t.Errorf("first: %+v", first)
	}
}

func TestTextCannotWriteToATerminal(t *testing.T) {
	var text strings.Builder
	if err := Summarise(read(t, log)).WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsRune(text.String(), '\x1b') || !strings.Contains(text.String(), `"/tmp/a \x1b[2"`) {
		t.Error(text.String())
	}
	if !strings.Contains(text.String(), "1 allowed only because a profile complains") {
		t.Error(text.String())
	}
}

func TestAnEventOfTwoLogsCountsOnce(t *testing.T) {
	journal := ""
	for _, message := range []string{
		`audit: type=1400 audit(1700000000.123:45): apparmor="DENIED" operation="open" profile="gofleet-ci-1" name="/a"`,
		`something else`,
	} {
		entry, _ := json.Marshal(map[string]string{"MESSAGE": message})
		journal += string(entry) + "\n"
	}
	journal += `{"MESSAGE":"AVC apparmor=\"DENIED\" operation=\"open\" profile=\"gofleet-ci-1\" name=\"/a\"","_AUDIT_ID":"45","_SOURCE_REALTIME_TIMESTAMP":"1700000000123000"}` + "\n"
	journal += `{"MESSAGE":[97,117,100,105,116,255]}` + "\n" + `{"MESSAGE":null}` + "\n"
	events, err := fromJournal(strings.NewReader(journal))
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != 2 || events[0].Time != events[1].Time {
		t.Fatalf("%+v", events)
	}
	if kept := after(events, Mark{}); len(kept) != 1 {
		t.Errorf("%+v", kept)
	}
	if kept := after(events, Mark{events[0].Time, 45}); len(kept) != 0 {
		t.Errorf("after the mark: %+v", kept)
	}
	if _, err := fromJournal(strings.NewReader("{")); err == nil {
		t.Error("half an entry was taken")
	}
}

func TestCountsGoOn(t *testing.T) {
	c := settings(t)
	kept := totals{Counts: map[string]float64{}}
	events := after(read(t, log), Mark{})
	kept.add(c, events)
	kept.add(c, after(events, kept.Mark))
	if kept.Mark.Serial != 54 || kept.Counts["denied gofleet-ci-1 open"] != 4 || kept.Counts["denied gofleet-ci-canary1 exec"] != 0 {
		t.Errorf("%+v", kept)
	}
}

func TestRecordWritesMetrics(t *testing.T) {
	if _, err := exec.LookPath("journalctl"); err != nil {
		t.Skip("there is no journalctl")
	}
	c := settings(t)
	for range 2 {
		if err := Record(c); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(c.Metrics)
	if err != nil || !strings.Contains(string(text), "# TYPE gofleet_sandbox_apparmor_events_total counter") {
		t.Errorf("%s %v", text, err)
	}
	if err := os.WriteFile(filepath.Join(c.State, "denials.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Record(c); err == nil || !strings.Contains(err.Error(), "delete it to begin anew") {
		t.Errorf("a broken file: %v", err)
	}
}
