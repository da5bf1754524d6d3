package canary

import (
	"fmt"
	"path/filepath"
	"strings"

	"gofleet/sandbox/internal/unitfile"
)

// Setting is what can be given to a unit or left out of it as a whole: one directive, or all lines of a list that mean
// something only together.
type Setting []unitfile.Directive

func (s Setting) name() string { return s[0].Name }

// NotGiven is a directive that the canary's unit does not have, and why.
type NotGiven struct {
	unitfile.Directive
	Reason string `json:"reason"`
}

// sorted is what becomes of a template's directives.
type sorted struct {
	// confining take something away from a job; they can be to blame one by one.
	confining []Setting
	// granting give a job what others take away, or surround it; without them a confined one fails for no fault.
	granting []Setting
	notGiven []NotGiven
}

// host is what sorting asks the machine.
type host struct {
	exists func(path string) bool
	// profiles are the AppArmor profiles the kernel has; nil: it has no AppArmor, and systemd ignores the directive.
	profiles func() []string
	// digest of what a loaded profile allows; empty: the kernel does not tell.
	digest func(profile string) string
	group  func(name string) bool
}

// lifecycle directives say what runs and when; the canary has its own.
var lifecycle = words(`Type ExecCondition ExecStart ExecStartPre ExecStartPost ExecReload ExecStop ExecStopPost Restart
	RestartSec RestartSteps RestartMaxDelaySec RestartMode TimeoutSec TimeoutStartSec TimeoutStopSec TimeoutAbortSec
	TimeoutStartFailureMode TimeoutStopFailureMode RemainAfterExit SuccessExitStatus RestartPreventExitStatus
	RestartForceExitStatus PIDFile BusName NotifyAccess Sockets WatchdogSec WatchdogSignal GuessMainPID KillMode KillSignal
	RestartKillSignal FinalKillSignal SendSIGHUP SendSIGKILL RuntimeMaxSec RuntimeRandomizedExtraSec ExitType
	RootDirectoryStartOnly NonBlocking FileDescriptorStoreMax StandardInput StandardInputText StandardInputData
	StandardOutput StandardError TTYPath TTYReset TTYVHangup TTYVTDisallocate SyslogIdentifier SyslogFacility SyslogLevel
	SyslogLevelPrefix LogLevelMax LogExtraFields LogRateLimitIntervalSec LogRateLimitBurst LogNamespace
	User Group WorkingDirectory`)

// grants are the directives of `granting`.
var grants = words(`Environment EnvironmentFile PassEnvironment UnsetEnvironment ReadWritePaths ExecPaths BindPaths
	BindReadOnlyPaths TemporaryFileSystem PrivateTmp DeviceAllow SystemCallErrorNumber SystemCallLog SupplementaryGroups
	AmbientCapabilities IPAddressAllow OOMPolicy OOMScoreAdjust Delegate`)

// together are lists whose lines mean something only with the others.
var together = words(`SystemCallFilter RestrictAddressFamilies CapabilityBoundingSet RestrictNamespaces
	SystemCallArchitectures RestrictFileSystems DeviceAllow`)

// pathLists hold paths; one that is not there would keep any unit from starting.
var pathLists = words(`ReadWritePaths ReadOnlyPaths InaccessiblePaths ExecPaths NoExecPaths BindPaths BindReadOnlyPaths
	EnvironmentFile`)

// reasons not to give a directive whatever its value.
var reasons = map[string]string{
	"LoadCredential":          "secrets are for jobs only",
	"LoadCredentialEncrypted": "secrets are for jobs only",
	"SetCredential":           "secrets are for jobs only",
	"SetCredentialEncrypted":  "secrets are for jobs only",
	"ImportCredential":        "secrets are for jobs only",
	"Slice":                   "the canary must not take memory or time from running jobs",
	"DynamicUser":             "the canary runs as the slot's user",
	"PAMName":                 "the canary opens no session",
	"PrivateNetwork":          "the canary has a network of its own, with nothing but its server",
	"NetworkNamespacePath":    "the canary has a network of its own, with nothing but its server",
	"RootDirectory":           "a root of its own is made for jobs, not for the canary",
	"RootImage":               "a root of its own is made for jobs, not for the canary",
	"MountImages":             "images are mounted for jobs only",
	"ExtensionImages":         "images are mounted for jobs only",
}

// ownDirectories are made by systemd when the slot starts, at the switch; until then they may only be written.
var ownDirectories = map[string]string{
	"RuntimeDirectory": "/run", "StateDirectory": "/var/lib", "CacheDirectory": "/var/cache", "LogsDirectory": "/var/log",
	"ConfigurationDirectory": "/etc", "RuntimeDirectoryMode": "", "StateDirectoryMode": "", "CacheDirectoryMode": "",
	"LogsDirectoryMode": "", "ConfigurationDirectoryMode": "", "RuntimeDirectoryPreserve": "",
}

func words(text string) map[string]bool {
	set := map[string]bool{}
	for _, each := range strings.Fields(text) {
		set[each] = true
	}
	return set
}

// sortDirectives says what becomes of the directives of a template's [Service] section.
func sortDirectives(all []unitfile.Directive, known map[byte]string, on host) sorted {
	var s sorted
	for _, each := range all {
		if lifecycle[each.Name] {
			continue
		}
		given, reason := prepare(each, known, on)
		if reason != "" {
			s.notGiven = append(s.notGiven, NotGiven{each, reason})
		}
		if given.Name == "" {
			continue
		}
		list := &s.confining
		if grants[each.Name] || ownDirectories[each.Name] != "" {
			list = &s.granting
		}
		*list = join(*list, given)
	}
	return s
}

// join adds a directive, beside those of its name where they belong together.
func join(settings []Setting, d unitfile.Directive) []Setting {
	if together[d.Name] {
		for i := range settings {
			if settings[i].name() == d.Name {
				settings[i] = append(settings[i], d)
				return settings
			}
		}
	}
	return append(settings, Setting{d})
}

// prepare returns the directive as the canary's unit has it, without a name where it has none, and what was left out.
func prepare(d unitfile.Directive, known map[byte]string, on host) (unitfile.Directive, string) {
	if reason := reasons[d.Name]; reason != "" {
		return unitfile.Directive{}, reason
	}
	value, err := resolve(d.Value, known)
	if err != nil {
		return unitfile.Directive{}, err.Error()
	}
	d.Value = value
	if below, is := ownDirectories[d.Name]; is {
		return directories(d, below)
	}
	switch d.Name {
	case "AppArmorProfile":
		return apparmor(d, on)
	case "SupplementaryGroups":
		return keep(d, "no such group yet", func(name string) bool { return on.group(name) })
	case "IPAddressDeny":
		return keep(d, "the canary's server is on loopback", func(a string) bool {
			return a != "any" && a != "localhost" && !strings.HasPrefix(a, "127.") && !strings.HasPrefix(a, "::1")
		})
	}
	if pathLists[d.Name] {
		return keep(d, "not there yet", func(word string) bool {
			path := strings.Trim(strings.SplitN(word, ":", 2)[0], `"'`)
			return strings.HasPrefix(path, "-") || on.exists(strings.TrimPrefix(path, "+"))
		})
	}
	return d, ""
}

// keep leaves out the words of a value that cannot be given.
func keep(d unitfile.Directive, why string, can func(word string) bool) (unitfile.Directive, string) {
	var kept, left []string
	for _, word := range fields(d.Value) {
		if can(word) {
			kept = append(kept, word)
		} else {
			left = append(left, word)
		}
	}
	if len(left) == 0 {
		return d, ""
	}
	reason := fmt.Sprintf("%s: %s", strings.Join(left, " "), why)
	if len(kept) == 0 {
		return unitfile.Directive{}, reason
	}
	d.Value = strings.Join(kept, " ")
	return d, reason
}

// fields splits at white space outside of quotes.
func fields(value string) []string {
	var quote rune
	return strings.FieldsFunc(value, func(r rune) bool {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		}
		return quote == 0 && (r == ' ' || r == '\t')
	})
}

func directories(d unitfile.Directive, below string) (unitfile.Directive, string) {
	const reason = "made at the switch; until then it is only writable, where it is there"
	if below == "" {
		return unitfile.Directive{}, reason
	}
	var paths []string
	for _, word := range fields(d.Value) {
		name, _, _ := strings.Cut(word, ":")
		paths = append(paths, "-"+filepath.Join(below, name))
	}
	return unitfile.Directive{Name: "ReadWritePaths", Value: strings.Join(paths, " "), Line: d.Line}, reason
}

func apparmor(d unitfile.Directive, on host) (unitfile.Directive, string) {
	loaded := on.profiles()
	if loaded == nil || strings.HasPrefix(d.Value, "-") {
		return d, ""
	}
	for _, name := range loaded {
		if name == d.Value {
			return d, ""
		}
	}
	return unitfile.Directive{}, d.Value + " is not loaded; the check before a switch loads it"
}
