// Package unitfile reads systemd unit files, as far as systemd.syntax(7) says what they hold.
package unitfile

import (
	"fmt"
	"strings"
)

// Directive is one assignment.
type Directive struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	// Line is where it begins, from 1.
	Line int `json:"line"`
}

func (d Directive) String() string { return d.Name + "=" + d.Value }

// emptyCounts are lists for which the empty value is a setting, not only the end of what stood before.
var emptyCounts = map[string]bool{"CapabilityBoundingSet": true, "AmbientCapabilities": true}

// Section returns the assignments of one section in their order, wherever its parts stand. An empty value takes back
// those of the same name before it.
func Section(text, section string) ([]Directive, error) {
	var found []Directive
	in := ""
	for _, line := range logicalLines(text) {
		if strings.HasPrefix(line.text, "[") {
			if !strings.HasSuffix(line.text, "]") {
				return nil, fmt.Errorf("line %d is %q: a section needs ] at its end", line.number, line.text)
			}
			in = strings.Trim(line.text, "[]")
			continue
		}
		name, value, is := strings.Cut(line.text, "=")
		if !is {
			return nil, fmt.Errorf("line %d is %q: neither NAME=VALUE nor a section", line.number, line.text)
		}
		if in == "" {
			return nil, fmt.Errorf("line %d is %q: it stands before any section", line.number, line.text)
		}
		if in != section {
			continue
		}
		d := Directive{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value), Line: line.number}
		if d.Value == "" {
			found = without(found, d.Name)
		}
		if d.Value != "" || emptyCounts[d.Name] {
			found = append(found, d)
		}
	}
	return found, nil
}

type logicalLine struct {
	text   string
	number int
}

// logicalLines joins lines that end in a backslash and leaves out comments, also between joined lines.
func logicalLines(text string) []logicalLine {
	var lines []logicalLine
	var held *logicalLine
	for i, raw := range strings.Split(text, "\n") {
		raw = strings.TrimSuffix(raw, "\r")
		trimmed := strings.TrimSpace(raw)
		if strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";") {
			continue
		}
		if held == nil {
			if trimmed == "" {
				continue
			}
			held = &logicalLine{number: i + 1}
		}
		part, more := strings.CutSuffix(raw, `\`)
		held.text += part
		if more {
			held.text += " "
			continue
		}
		held.text = strings.TrimSpace(held.text)
		lines = append(lines, *held)
		held = nil
	}
	if held != nil {
		held.text = strings.TrimSpace(held.text)
		lines = append(lines, *held)
	}
	return lines
}

func without(all []Directive, name string) []Directive {
	var kept []Directive
	for _, each := range all {
		if each.Name != name {
			kept = append(kept, each)
		}
	}
	return kept
}
