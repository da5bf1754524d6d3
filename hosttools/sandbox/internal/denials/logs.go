package denials

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"
)

// auditLog is where auditd writes: while it runs, the kernel's own log has no denials.
const auditLog = "/var/log/audit/audit.log"

// Mark is the last event that was looked at.
type Mark struct {
	Time   time.Time `json:"time"`
	Serial uint64    `json:"serial"`
}

func (m Mark) before(e Event) bool {
	return cmp.Or(e.Time.Compare(m.Time), cmp.Compare(e.Serial, m.Serial)) > 0
}

// FromHost reads the journal, and auditd's log where there is one.
func FromHost(since Mark) ([]Event, error) {
	args := []string{"--output=json", "--output-fields=MESSAGE,_AUDIT_ID,_SOURCE_REALTIME_TIMESTAMP", "--quiet", "--no-pager"}
	if !since.Time.IsZero() {
		args = append(args, fmt.Sprintf("--since=@%d", since.Time.Unix()))
	}
	journal := exec.Command("journalctl", append(args, "_TRANSPORT=kernel", "+", "_TRANSPORT=audit")...)
	var said bytes.Buffer
	journal.Stderr = &said
	output, err := journal.Output()
	if err != nil {
		return nil, fmt.Errorf("journalctl: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	events, err := fromJournal(bytes.NewReader(output))
	if err != nil {
		return nil, err
	}
	file, err := os.Open(auditLog)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		defer file.Close()
		more, err := FromLines(file)
		if err != nil {
			return nil, err
		}
		events = append(events, more...)
	}
	return after(events, since), nil
}

// FromLines reads a log with an event a line: that of auditd, or what dmesg prints.
func FromLines(log io.Reader) ([]Event, error) {
	var events []Event
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if event, ok := Parse(lines.Text()); ok {
			events = append(events, event)
		}
	}
	return events, lines.Err()
}

// fromJournal reads what journalctl prints as JSON.
func fromJournal(output io.Reader) ([]Event, error) {
	var events []Event
	entries := json.NewDecoder(output)
	for {
		var entry struct {
			Message json.RawMessage `json:"MESSAGE"`
			ID      string          `json:"_AUDIT_ID"`
			Time    string          `json:"_SOURCE_REALTIME_TIMESTAMP"`
		}
		if err := entries.Decode(&entry); errors.Is(err, io.EOF) {
			return events, nil
		} else if err != nil {
			return nil, fmt.Errorf("journalctl: %w", err)
		}
		event, ok := Parse(message(entry.Message))
		if !ok {
			continue
		}
		if event.Time.IsZero() {
			// An event that came by the audit socket has its head in fields of its own.
			microseconds, _ := strconv.ParseInt(entry.Time, 10, 64)
			event.Time = time.UnixMicro(microseconds).UTC().Truncate(time.Millisecond)
			event.Serial, _ = strconv.ParseUint(entry.ID, 10, 64)
		}
		events = append(events, event)
	}
}

// message is a text, or the bytes of one that is not UTF-8.
func message(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var numbers []int
	if json.Unmarshal(raw, &numbers) != nil {
		return ""
	}
	data := make([]byte, len(numbers))
	for i, number := range numbers {
		data[i] = byte(number)
	}
	return string(data)
}

// after sorts events, leaves out those up to the mark, and counts one that two logs have only once.
func after(events []Event, since Mark) []Event {
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Serial, b.Serial))
	})
	var kept []Event
	seen := map[Mark]bool{}
	for _, event := range events {
		id := Mark{event.Time, event.Serial}
		if !since.before(event) || event.Serial != 0 && seen[id] {
			continue
		}
		seen[id] = true
		kept = append(kept, event)
	}
	return kept
}
