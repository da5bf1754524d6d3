package checks

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
)

var (
	diffFile = regexp.MustCompile(`^--- .*/(go\.mod|go\.sum)$`)
	hunk     = regexp.MustCompile(`^@@ -(\d+)`)
)

// tidy: `go mod tidy` would change nothing.
func tidy(ctx context.Context, t *tree, r *Report) error {
	for _, m := range t.modules {
		out, err := t.goCommand(ctx, m.dir, nil, "mod", "tidy", "-diff")
		if err == nil {
			continue
		}
		var said *goError
		if !errors.As(err, &said) || !differences(m, out, r) {
			return err
		}
	}
	return nil
}

// differences adds a finding for each line of a diff; false: there is none.
func differences(m *module, diff string, r *Report) bool {
	file, line, found := "", 0, false
	for _, text := range strings.Split(diff, "\n") {
		if name := diffFile.FindStringSubmatch(text); name != nil {
			file = m.beside(name[1])
			continue
		}
		if at := hunk.FindStringSubmatch(text); at != nil {
			line, _ = strconv.Atoi(at[1])
			continue
		}
		if file == "" || text == "" || strings.HasPrefix(text, "+++") || strings.HasPrefix(text, "diff ") {
			continue
		}
		content := strings.TrimSpace(text[1:])
		switch text[0] {
		case '-':
			if content != "" {
				found = true
				r.add(file, line, "not tidy: %s", content)
			}
			line++
		case '+':
			if content != "" {
				found = true
				r.add(file, line, "missing: %s", content)
			}
		case ' ':
			line++
		}
	}
	return found
}
