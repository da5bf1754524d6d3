package unitfile

import (
	"reflect"
	"strings"
	"testing"
)

const unit = `# Written by a machine
[Unit]
Description=Build slot %i
After=network-online.target \
  other.target

[Service]
 NoNewPrivileges = yes
; a comment
Environment="A=one two" \
# a comment within
   B=three \
; another
   C=four
SystemCallFilter=@system-service
SystemCallFilter=
SystemCallFilter=@basic-io
CapabilityBoundingSet=CAP_CHOWN
CapabilityBoundingSet=
ReadWritePaths=/a\x2db
ExecStart=/bin/sh -c 'echo a=b'
[Install]
WantedBy=multi-user.target
[Service]
UMask=0077\
`

func TestSection(t *testing.T) {
	got, err := Section(unit, "Service")
	if err != nil {
		t.Fatal(err)
	}
	want := []Directive{
		{"NoNewPrivileges", "yes", 8},
		{"Environment", `"A=one two"     B=three     C=four`, 10},
		{"SystemCallFilter", "@basic-io", 17},
		{"CapabilityBoundingSet", "", 19},
		{"ReadWritePaths", `/a\x2db`, 20},
		{"ExecStart", "/bin/sh -c 'echo a=b'", 21},
		{"UMask", "0077", 25},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if windows, err := Section(strings.ReplaceAll(unit, "\n", "\r\n"), "Service"); err != nil || !reflect.DeepEqual(windows, got) {
		t.Errorf("with \\r\\n: %+v, %v", windows, err)
	}
	if none, err := Section(unit, "Socket"); err != nil || none != nil {
		t.Errorf("of a section that is not there: %v, %v", none, err)
	}
}

func TestSectionRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"[Service]\nnothing\n":  `line 2 is "nothing": neither NAME=VALUE nor a section`,
		"\n[Service\n":          `line 2 is "[Service": a section needs ] at its end`,
		"A=b\n[Service]\nC=d\n": `line 1 is "A=b": it stands before any section`,
	} {
		if _, err := Section(text, "Service"); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
