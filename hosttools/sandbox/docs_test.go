package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"gofleet/sandbox/internal/drain"
)

const docs = "../../docs"

// The tables of exit codes in the documentation are this program's; UPDATE_GOLDEN=1 writes them.
func TestTheDocumentationHasTheExitCodes(t *testing.T) {
	for file, made := range map[string]string{
		"sandbox-checks.md": table([]string{"command", "exit code", "means"}, rows(commands)),
		"sandbox-caches.md": table([]string{"exit code", "means", "of"}, byCode(cacheCommands)),
	} {
		path := filepath.Join(docs, file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		between := regexp.MustCompile(`(?s)(<!-- exit codes -->\n).*?(\n<!-- /exit codes -->)`)
		if !between.Match(text) {
			t.Fatalf("%s has no place for exit codes", path)
		}
		wanted := between.ReplaceAllLiteral(text, []byte("<!-- exit codes -->\n\n"+made+"\n<!-- /exit codes -->"))
		if bytes.Equal(wanted, text) {
			continue
		}
		if os.Getenv("UPDATE_GOLDEN") == "1" && os.Getenv("CI") == "" {
			if err := os.WriteFile(path, wanted, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("%s is not what the program has; UPDATE_GOLDEN=1 writes\n%s", path, made)
	}
}

// What the documentation shows of `status` is what the program would write of the same.
func TestTheDocumentationHasTheStatus(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(docs, "sandbox-checks.md"))
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)<!-- status -->\n\n```json\n(.*?)```").FindSubmatch(text)
	if shown == nil {
		t.Fatal("sandbox-checks.md shows no status")
	}
	var status drain.Status
	decoder := json.NewDecoder(bytes.NewReader(shown[1]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&status); err != nil {
		t.Fatal(err)
	}
	written, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	var ours, theirs any
	if json.Unmarshal(written, &ours) != nil || json.Unmarshal(shown[1], &theirs) != nil || !reflect.DeepEqual(ours, theirs) {
		t.Errorf("shown %s\nwritten %s", shown[1], written)
	}
}

// rows are the codes that a command has besides those of every command, command by command.
func rows(table []command) [][]string {
	all := [][]string{}
	for _, each := range everywhere {
		all = append(all, []string{"any", strconv.Itoa(each.number), each.means})
	}
	sorted := slices.Clone(table)
	slices.SortFunc(sorted, func(a, b command) int { return strings.Compare(a.name, b.name) })
	for _, each := range sorted {
		for _, code := range each.codes {
			all = append(all, []string{"`" + each.name + "`", strconv.Itoa(code.number), code.means})
		}
	}
	return all
}

// byCode are all codes of a table, each with the commands that have it.
func byCode(table []command) [][]string {
	all := [][]string{}
	for _, each := range everywhere {
		all = append(all, []string{strconv.Itoa(each.number), each.means, "any"})
	}
	for number := exitUsage + 1; number <= exitNoRoom; number++ {
		var of []string
		means := ""
		for _, each := range table {
			for _, code := range each.codes {
				if code.number == number {
					of, means = append(of, "`"+each.name+"`"), code.means
				}
			}
		}
		all = append(all, []string{strconv.Itoa(number), means, strings.Join(of, ", ")})
	}
	return all
}

// table is one of Markdown, aligned as prettier does it.
func table(head []string, rows [][]string) string {
	widths := make([]int, len(head))
	all := append([][]string{head}, rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var text strings.Builder
	for n, row := range all {
		for i, cell := range row {
			fmt.Fprintf(&text, "| %-*s ", widths[i], cell)
		}
		text.WriteString("|\n")
		if n == 0 {
			for _, width := range widths {
				text.WriteString("| " + strings.Repeat("-", width) + " ")
			}
			text.WriteString("|\n")
		}
	}
	return text.String()
}
