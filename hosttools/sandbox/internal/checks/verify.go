package checks

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var modified = regexp.MustCompile(`^(\S+) (v\S+): (.*)$`)

// verify: what the module cache holds is what go.sum says.
func verify(ctx context.Context, t *tree, r *Report) error {
	for _, m := range t.modules {
		file, err := t.copied(m)
		if err != nil {
			return err
		}
		out, err := t.goCommand(ctx, m.dir, nil, "mod", "verify", "-modfile="+file)
		if err == nil {
			continue
		}
		var said *goError
		if !errors.As(err, &said) {
			return err
		}
		found := false
		for _, line := range strings.Split(out+"\n"+said.said, "\n") {
			if parts := modified.FindStringSubmatch(line); parts != nil {
				found = true
				r.add(m.beside("go.sum"), m.sumLine(parts[1], parts[2]), "%s %s: %s", parts[1], parts[2], parts[3])
			}
		}
		if strings.Contains(said.said, "checksum mismatch") {
			found = true
			r.add(m.beside("go.sum"), 0, "%s", lastLines(said.said, 12))
		}
		if !found {
			return err
		}
	}
	return nil
}

// sumLine is the line of a module in go.sum.
func (m *module) sumLine(path, version string) int {
	text, err := os.ReadFile(filepath.Join(m.dir, "go.sum"))
	if err != nil {
		return 0
	}
	return lineOf(string(text), path, version)
}
