// Package denials reads what AppArmor denied, or in complain mode would have denied, from the system's logs.
package denials

import (
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Event is one decision that a profile did not allow.
type Event struct {
	Time time.Time
	// Serial tells events of one moment apart.
	Serial uint64
	// Denied, or only noted.
	Denied  bool
	Profile string
	// Operation is the kernel's word: open, exec, capable, ptrace, signal, mount, create, ...
	Operation string
	// Object is a path, a capability, a profile, or an address family with its socket type.
	Object string
	// Access is what was asked for beyond what is allowed: r, wc, x, send, ...
	Access  string
	Command string
}

var (
	head  = regexp.MustCompile(`audit\((\d+)\.(\d{3}):(\d+)\)`)
	field = regexp.MustCompile(`(\w+)=("[^"]*"|\S+)`)
)

// Parse reads a line of the kernel's log, or of auditd's. False: it is about something else.
func Parse(line string) (Event, bool) {
	at := strings.Index(line, `apparmor="`)
	if at < 0 {
		return Event{}, false
	}
	fields := map[string]string{}
	for _, match := range field.FindAllStringSubmatch(line[at:], -1) {
		fields[match[1]] = value(match[1], match[2])
	}
	verdict := fields["apparmor"]
	if verdict != "DENIED" && verdict != "ALLOWED" {
		return Event{}, false
	}
	event := Event{
		Denied:    verdict == "DENIED",
		Profile:   fields["profile"],
		Operation: fields["operation"],
		Object:    object(fields),
		Access:    first(fields["denied_mask"], fields["denied"], fields["signal"]),
		Command:   fields["comm"],
	}
	if stamp := head.FindStringSubmatch(line); stamp != nil {
		seconds, _ := strconv.ParseInt(stamp[1], 10, 64)
		milliseconds, _ := strconv.ParseInt(stamp[2], 10, 64)
		event.Time = time.Unix(seconds, milliseconds*int64(time.Millisecond)).UTC()
		event.Serial, _ = strconv.ParseUint(stamp[3], 10, 64)
	}
	return event, true
}

// value takes the quotes off. What a user chose and is not plain text is there in hexadecimal digits, without quotes.
func value(name, text string) string {
	if plain, found := strings.CutPrefix(text, `"`); found {
		return strings.TrimSuffix(plain, `"`)
	}
	switch name {
	case "name", "target", "profile", "comm", "peer":
		if raw, err := hex.DecodeString(text); err == nil {
			return string(raw)
		}
	}
	return text
}

func object(fields map[string]string) string {
	if family := fields["family"]; family != "" && fields["name"] == "" {
		return strings.TrimSpace(family + " " + fields["sock_type"])
	}
	return first(fields["name"], fields["capname"], fields["peer"], fields["target"], fields["info"])
}

func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
