package checks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// message is a line of `govulncheck -json`, as far as it is needed.
type message struct {
	OSV *struct {
		ID, Summary string
	}
	Finding *struct {
		OSV          string
		FixedVersion string `json:"fixed_version"`
		Trace        []frame
	}
}

type frame struct {
	Module, Version, Package, Function, Receiver string
	Position                                     *struct {
		Filename string
		Line     int
	}
}

// govulncheck: no known vulnerability is in code that is called. One in code that is only required is a note.
func govulncheck(ctx context.Context, t *tree, r *Report) error {
	program, err := exec.LookPath("govulncheck")
	if err != nil {
		return errors.New("there is no govulncheck on this host: KNOWN VULNERABILITIES WERE NOT LOOKED FOR")
	}
	for _, m := range t.modules {
		run := exec.CommandContext(ctx, program, "-json", "./...")
		run.Dir = m.dir
		run.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=", "PWD="+m.dir, "PATH="+filepath.Dir(t.Go)+string(os.PathListSeparator)+os.Getenv("PATH"))
		var out, said bytes.Buffer
		run.Stdout, run.Stderr = &out, &said
		if err := run.Run(); err != nil {
			return fmt.Errorf("govulncheck in %s: %w: %s", shown(t.relative(m.dir)), err, lastLines(said.String(), 5))
		}
		if err := t.vulnerabilities(m, &out, r); err != nil {
			return fmt.Errorf("govulncheck in %s: %w", shown(t.relative(m.dir)), err)
		}
	}
	return nil
}

func (t *tree) vulnerabilities(m *module, out io.Reader, r *Report) error {
	summaries := map[string]string{}
	called, required := map[string]Finding{}, map[string]Finding{}
	for decoder := json.NewDecoder(out); ; {
		var line message
		if err := decoder.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if line.OSV != nil {
			summaries[line.OSV.ID] = line.OSV.Summary
		}
		if f := line.Finding; f != nil && len(f.Trace) > 0 {
			where := f.Trace[0]
			text := where.Module + " " + where.Version
			if f.FixedVersion != "" {
				text += ", fixed in " + f.FixedVersion
			}
			if where.Function == "" {
				required[f.OSV] = Finding{m.file, lineOf(m.text, where.Module, where.Version), text}
				continue
			}
			finding := Finding{m.file, lineOf(m.text, where.Module, where.Version), text}
			if at := f.Trace[len(f.Trace)-1].Position; at != nil && at.Filename != "" {
				file := filepath.FromSlash(at.Filename)
				if !filepath.IsAbs(file) {
					file = filepath.Join(m.dir, file)
				}
				finding.File, finding.Line = t.relative(file), at.Line
			}
			if _, is := called[f.OSV]; !is {
				called[f.OSV] = finding
			}
		}
	}
	named := func(id string, f Finding) Finding {
		f.Message = strings.TrimSpace(id+" "+summaries[id]) + ": " + f.Message
		return f
	}
	for _, id := range sortedKeys(called) {
		r.Findings = append(r.Findings, named(id, called[id]))
		delete(required, id)
	}
	for _, id := range sortedKeys(required) {
		r.Notes = append(r.Notes, named(id, required[id]))
	}
	sort.SliceStable(r.Findings, func(i, j int) bool { return r.Findings[i].Message < r.Findings[j].Message })
	return nil
}
