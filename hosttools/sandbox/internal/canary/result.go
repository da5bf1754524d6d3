package canary

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gofleet/sandbox/internal/unitfile"
)

// Status of a canary build.
type Status string

const (
	Passed Status = "passed"
	// Failed with the directives; without them it passes.
	Failed Status = "failed"
	// Innocent: it fails without any directive too.
	Innocent Status = "fails without the sandbox"
	// NotTried: something stood in the way of the canary itself.
	NotTried Status = "not tried"
)

// Step is one thing the canary does.
type Step struct {
	Name   string `json:"name"`
	Result string `json:"result"` // passed, failed, not reached or not tried
	Reason string `json:"reason,omitempty"`
}

// Result is `canary.json` in the state directory.
type Result struct {
	Status Status `json:"status"`
	// Digest is of everything that decides whether the canary passes: directives, profile, go version, steps.
	Digest string `json:"digest"`
	// Remembered: it passed before and was not run again.
	Remembered bool   `json:"remembered"`
	Unit       string `json:"unit"`
	User       string `json:"user"`
	Go         string `json:"go"`
	Directives int    `json:"directives"`
	Steps      []Step `json:"steps"`
	// Blame are sets of directives; each keeps the failed step from passing.
	Blame [][]unitfile.Directive `json:"blame"`
	// Narrowed is false where there was no time to make the sets as small as they can be.
	Narrowed bool `json:"narrowed"`
	// Output is what the failed step said last.
	Output   []string   `json:"output"`
	NotGiven []NotGiven `json:"notGiven"`
	Note     string     `json:"note,omitempty"`
}

const resultFile = "canary.json"

func notTried(unit string, why error) *Result {
	return &Result{Status: NotTried, Unit: unit, Steps: []Step{}, Blame: [][]unitfile.Directive{}, Narrowed: true, Output: []string{},
		NotGiven: []NotGiven{}, Note: why.Error()}
}

// before reads the last result; nil where there is none that can be read.
func before(state string) *Result {
	text, err := os.ReadFile(filepath.Join(state, resultFile))
	if err != nil {
		return nil
	}
	var r Result
	if json.Unmarshal(text, &r) != nil {
		return nil
	}
	return &r
}

// save writes the result. A state directory that is not there yet is made at the first switch, not by a check before it.
func (r *Result) save(state string) error {
	if _, err := os.Stat(state); os.IsNotExist(err) {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(state, resultFile)
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// print writes the result for people: what is to blame comes last, for a check's last lines are what they are shown.
func (r *Result) print(out io.Writer) {
	for _, each := range r.NotGiven {
		fmt.Fprintf(out, "not given: %s (line %d): %s\n", each.Name, each.Line, each.Reason)
	}
	for _, step := range r.Steps {
		if step.Reason != "" {
			fmt.Fprintf(out, "%s: %s: %s\n", step.Result, step.Name, step.Reason)
		}
	}
	if r.Note != "" {
		fmt.Fprintln(out, r.Note)
	}
	for _, line := range r.Output {
		fmt.Fprintf(out, "  %s\n", line)
	}
	fmt.Fprintln(out, r.headline())
	for _, set := range r.Blame {
		var names []string
		for _, d := range set {
			names = append(names, fmt.Sprintf("%s (line %d)", d, d.Line))
		}
		fmt.Fprintf(out, "to blame: %s\n", strings.Join(names, ", together with "))
	}
	if len(r.Blame) > 0 && !r.Narrowed {
		fmt.Fprintln(out, "the time was over before the set was as small as it can be; give more with -limit")
	}
}

func (r *Result) headline() string {
	step := ""
	var passed []string
	for _, each := range r.Steps {
		if each.Result == "failed" {
			step = each.Name
		}
		if each.Result == "passed" {
			passed = append(passed, each.Name)
		}
	}
	switch {
	case r.Remembered:
		return fmt.Sprintf("the %d directives of %s passed before with %s", r.Directives, r.Unit, r.Go)
	case r.Status == Passed:
		return fmt.Sprintf("passed with the %d directives of %s and %s: %s", r.Directives, r.Unit, r.Go, strings.Join(passed, ", "))
	case r.Status == Innocent:
		return fmt.Sprintf("step %s fails without any directive too, so the sandbox is not to blame: correct the host or its Go first", step)
	case len(r.Blame) == 0:
		return fmt.Sprintf("step %s failed with the directives of %s", step, r.Unit)
	default:
		return fmt.Sprintf("step %s fails with the directives of %s and passes without", step, r.Unit)
	}
}
