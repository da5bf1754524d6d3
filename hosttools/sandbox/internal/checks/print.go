package checks

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// PrintJSON writes reports for programs: {"status": …, "checks": […]}.
func PrintJSON(out io.Writer, reports []Report) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(struct {
		Status Status   `json:"status"`
		Checks []Report `json:"checks"`
	}{Worst(reports), reports})
}

// Print writes reports for people: FILE:LINE: what, as editors and forges read it.
func Print(out io.Writer, reports []Report) {
	for _, each := range reports {
		fmt.Fprintf(out, "%s: %s\n", each.Name, each.Status)
		for _, finding := range each.Findings {
			fmt.Fprintf(out, "  %s\n", finding)
		}
		for _, note := range each.Notes {
			fmt.Fprintf(out, "  note: %s\n", note)
		}
		if each.Reason != "" {
			fmt.Fprintf(out, "  NOT RUN: %s\n", indented(each.Reason))
		}
		if each.Remediation != "" {
			fmt.Fprintf(out, "  → %s\n", each.Remediation)
		}
	}
}

func (f Finding) String() string {
	at := ""
	if f.File != "" {
		at = shown(f.File) + ": "
	}
	if f.Line > 0 {
		at = fmt.Sprintf("%s:%d: ", shown(f.File), f.Line)
	}
	return at + indented(f.Message)
}

// indented keeps text of several lines below its first, and anything that a terminal would obey away from it.
func indented(text string) string {
	text = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0)) {
			return '\uFFFD'
		}
		return r
	}, strings.TrimSpace(text))
	return strings.ReplaceAll(text, "\n", "\n    ")
}
