// Package checks looks at the Go modules of a source tree as the preflight of a job. It never writes into the tree.
package checks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Status of one check.
type Status string

const (
	Pass   Status = "pass"
	Fail   Status = "fail"
	NotRun Status = "not-run"
)

// Finding is one thing that is wrong.
type Finding struct {
	// File is relative to the tree, with slashes; Line counts from 1, and is 0 where the file as a whole is meant.
	File    string `json:"file"`
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// Report of one check.
type Report struct {
	Name     string    `json:"name"`
	Status   Status    `json:"status"`
	Findings []Finding `json:"findings"`
	// Notes are worth a look and fail nothing.
	Notes []Finding `json:"notes"`
	// Reason says why the check could not be run.
	Reason string `json:"reason,omitempty"`
	// Remediation is what would do, where there are findings or the check was not run.
	Remediation string `json:"remediation,omitempty"`
}

// Options of all checks.
type Options struct {
	// Dir is the source tree: one module, several, or a workspace.
	Dir string
	// Go is the go command.
	Go string
	// Replace are module paths that may be replaced by a local path.
	Replace []string
}

// check looks at the tree and adds to the report. An error is why it could not be run.
type check struct {
	name, remedy string
	run          func(ctx context.Context, t *tree, r *Report) error
}

var all = []check{
	{"mod-verify", "delete the module from the cache (`go clean -modcache`) and build again; if it stays, ask whoever runs the proxy", verify},
	{"vendor", "run `go mod vendor` (`go work vendor` in a workspace) and commit what it changes", vendor},
	{"tidy", "run `go mod tidy` and commit go.mod and go.sum", tidy},
	{"work", "correct go.work with `go work use` and `go work edit`, commit it, and make each module build with GOWORK=off", work},
	{"replace", "require a published version; allow what must stay local with -allow-replace", replace},
	{"toolchain", "lower the go or toolchain line with `go mod edit`, or install the newer Go on the hosts first", toolchain},
	{"govulncheck", "update to the fixed versions; where it was not run, install it: `go install golang.org/x/vuln/cmd/govulncheck@latest`", govulncheck},
	{"version-drift", "require one version of the module in all of them", drift},
}

// Names of all checks, in the order in which they are run.
func Names() []string {
	names := make([]string, len(all))
	for i, each := range all {
		names[i] = each.name
	}
	return names
}

// ErrUnknown is that of a name that is no check.
var ErrUnknown = errors.New("no such check")

// Run runs the named checks. An error says that none could be run.
func Run(ctx context.Context, o Options, names []string) ([]Report, error) {
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("%w: %q; one of %s", ErrUnknown, name, strings.Join(Names(), ", "))
		}
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if o.Go, err = exec.LookPath(o.Go); err == nil {
		o.Go, err = filepath.Abs(o.Go)
	}
	if err != nil {
		return nil, fmt.Errorf("the go command: %w; name it with -go", err)
	}
	temp, err := os.MkdirTemp("", "gofleet-check-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	o.Dir = dir
	t := &tree{Options: o, temp: temp}
	if err := t.find(ctx); err != nil {
		return nil, err
	}
	var reports []Report
	for _, each := range all {
		if slices.Contains(names, each.name) {
			reports = append(reports, each.report(ctx, t))
		}
	}
	return reports, nil
}

func (c check) report(ctx context.Context, t *tree) Report {
	r := Report{Name: c.name, Status: Pass, Findings: []Finding{}, Notes: []Finding{}}
	err := c.run(ctx, t, &r)
	switch {
	case len(r.Findings) > 0:
		r.Status = Fail
	case err != nil:
		r.Status = NotRun
	}
	if err != nil {
		r.Reason = err.Error()
	}
	if r.Status != Pass {
		r.Remediation = c.remedy
	}
	return r
}

func (r *Report) add(file string, line int, format string, arguments ...any) {
	r.Findings = append(r.Findings, Finding{file, line, fmt.Sprintf(format, arguments...)})
}

func (r *Report) note(file string, line int, format string, arguments ...any) {
	r.Notes = append(r.Notes, Finding{file, line, fmt.Sprintf(format, arguments...)})
}

// Worst is the status of several checks: a finding outweighs what could not be run.
func Worst(reports []Report) Status {
	worst := Pass
	for _, each := range reports {
		if each.Status == Fail {
			return Fail
		}
		if each.Status == NotRun {
			worst = NotRun
		}
	}
	return worst
}
