package canary

import (
	"reflect"
	"strings"
	"testing"

	"gofleet/sandbox/internal/unitfile"
)

const template = `[Unit]
Description=slot %i
[Service]
Type=exec
User=gofleet-ci-%i
Slice=gofleet-ci.slice
ExecStart=/bin/agent
Environment="HOME=/w/%i/home"
ReadWritePaths=/w/%i /gone/%i -/perhaps
BindReadOnlyPaths=/gone:/x
StateDirectory=ci/%i other:alias
NoNewPrivileges=yes
SystemCallFilter=@system-service
ProtectSystem=strict
SystemCallFilter=~@privileged
CapabilityBoundingSet=
LoadCredential=token:/run/token
IPAddressDeny=169.254.169.254 localhost
AppArmorProfile=gofleet-ci
SupplementaryGroups=nobody-knows
UMask=00%%77
CPUSchedulingPolicy=%d
`

func TestSortDirectives(t *testing.T) {
	directives, err := unitfile.Section(template, "Service")
	if err != nil {
		t.Fatal(err)
	}
	on := host{
		exists:   func(path string) bool { return !strings.HasPrefix(path, "/gone") },
		profiles: func() []string { return []string{"other"} },
		group:    func(string) bool { return false },
	}
	s := sortDirectives(directives, specifiers("gofleet-ci@.service", "canary2"), on)
	text := func(all []Setting) []string {
		found := []string{}
		for _, each := range all {
			lines := []string{}
			for _, d := range each {
				lines = append(lines, d.String())
			}
			found = append(found, strings.Join(lines, " & "))
		}
		return found
	}
	if got, want := text(s.granting), []string{
		`Environment="HOME=/w/canary2/home"`, "ReadWritePaths=/w/canary2 -/perhaps", "ReadWritePaths=-/var/lib/ci/canary2 -/var/lib/other",
	}; !reflect.DeepEqual(got, want) {
		t.Errorf("granting\n%q\nwant\n%q", got, want)
	}
	if got, want := text(s.confining), []string{
		"NoNewPrivileges=yes", "SystemCallFilter=@system-service & SystemCallFilter=~@privileged", "ProtectSystem=strict",
		"CapabilityBoundingSet=", "IPAddressDeny=169.254.169.254", "UMask=00%77",
	}; !reflect.DeepEqual(got, want) {
		t.Errorf("confining\n%q\nwant\n%q", got, want)
	}
	reasons := []string{}
	for _, each := range s.notGiven {
		reasons = append(reasons, each.Name+": "+each.Reason)
	}
	if want := []string{
		"Slice: the canary must not take memory or time from running jobs",
		"ReadWritePaths: /gone/canary2: not there yet",
		"BindReadOnlyPaths: /gone:/x: not there yet",
		"StateDirectory: made at the switch; until then it is only writable, where it is there",
		"LoadCredential: secrets are for jobs only",
		"IPAddressDeny: localhost: the canary's server is on loopback",
		"AppArmorProfile: gofleet-ci is not loaded; the check before a switch loads it",
		"SupplementaryGroups: nobody-knows: no such group yet",
		"CPUSchedulingPolicy: the specifier %d has no value outside of the slot's own unit",
	}; !reflect.DeepEqual(reasons, want) {
		t.Errorf("not given\n%s\nwant\n%s", strings.Join(reasons, "\n"), strings.Join(want, "\n"))
	}
	on.profiles = func() []string { return nil }
	if s := sortDirectives(directives, specifiers("gofleet-ci@.service", "canary2"), on); !strings.Contains(strings.Join(text(s.confining), ","), "AppArmorProfile") {
		t.Error("a kernel without AppArmor ignores the profile, so it can be given")
	}
}

func TestResolve(t *testing.T) {
	known := specifiers("gofleet-ci-big@.service", "canary1")
	for value, want := range map[string]string{
		"%n %N %p %j %i": "gofleet-ci-big@canary1.service gofleet-ci-big@canary1 gofleet-ci-big big canary1",
		"%t%S%C%L%E":     "/run/var/lib/var/cache/var/log/etc",
		"100%%":          "100%",
		"plain":          "plain",
	} {
		if got, err := resolve(value, known); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", value, got, err, want)
		}
	}
	for _, value := range []string{"%d", "50%"} {
		if got, err := resolve(value, known); err == nil {
			t.Errorf("%s: %q without an error", value, got)
		}
	}
}

func TestBeside(t *testing.T) {
	for path, want := range map[string]string{
		"/var/lib/gofleet-ci/slots/1":         "/var/lib/gofleet-ci/slots/canary1",
		"/var/cache/gofleet-ci/slots/1/build": "/var/cache/gofleet-ci/slots/canary1/build",
		"/var/cache/gofleet-ci/build":         "/var/cache/gofleet-ci/build/.canary1",
		"/var/cache/11/build":                 "/var/cache/11/build/.canary1",
		"/srv/1/slots/1/build":                "/srv/1/slots/canary1/build",
	} {
		if got := beside(path, "1", "canary1"); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
