// Package canary builds a small Go workspace under the directives of a slot's unit before that unit is switched on, and
// finds the directives to blame where it fails.
package canary

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/unitfile"
)

// Options of a canary build.
type Options struct {
	Config *config.Config
	// UnitFile is the template whose [Service] section is tried.
	UnitFile string
	// Slot whose user and paths are tried.
	Slot *config.Slot
	// Limit is the time for everything.
	Limit time.Duration
}

// Run builds the canary, writes the result to the state directory and tells people about it. An error says that it could
// not be tried; the result says so too, for what an earlier run found is not about this unit.
func Run(ctx context.Context, o Options, out io.Writer) (*Result, error) {
	unlock, err := lock(o.Config.Component)
	if err != nil {
		return nil, err
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(ctx, o.Limit)
	defer cancel()
	r, err := try(ctx, o)
	if err != nil {
		return nil, errors.Join(err, notTried(o.UnitFile, err).save(o.Config.State))
	}
	r.print(out)
	return r, r.save(o.Config.State)
}

func try(ctx context.Context, o Options) (r *Result, err error) {
	text, err := os.ReadFile(o.UnitFile)
	if err != nil {
		return nil, err
	}
	directives, err := unitfile.Section(string(text), "Service")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.UnitFile, err)
	}
	version, err := goVersion(ctx, o.Config.Go)
	if err != nil {
		return nil, err
	}
	r = &Result{Unit: o.UnitFile, Go: version, Blame: [][]unitfile.Directive{}, Output: []string{}, Narrowed: true}
	uid, gid, group, err := r.identity(o)
	if err != nil {
		return nil, err
	}
	w, err := newWorkspace(o.Slot, uid, gid)
	defer func() { err = errors.Join(err, w.remove()) }()
	if err != nil {
		return nil, fmt.Errorf("the canary's workspace: %w", err)
	}
	s := sortDirectives(directives, specifiers(filepath.Base(o.UnitFile), w.instance), thisHost)
	r.NotGiven = append([]NotGiven{}, s.notGiven...)
	steps := r.plan()
	r.Digest = digest(version, steps, s, thisHost)
	if last := before(o.Config.State); last != nil && last.Status == Passed && last.Digest == r.Digest && r.Digest != "" {
		last.Remembered, last.Unit = true, o.UnitFile
		return last, nil
	}
	u := &units{component: o.Config.Component, user: r.User, group: group, workspace: w, environment: w.environment(o.Config.Go)}
	if slices.Contains(steps, "git-ssh") {
		server, err := startServer(ctx, unitPrefix(o.Config.Component, w.instance)+"-server.service", w)
		if server != nil {
			defer server.stop()
		}
		if err != nil {
			return nil, fmt.Errorf("the SSH server of the canary: %w", err)
		}
		u.server = server.unit
		for name, value := range server.environment {
			u.environment[name] = value
		}
	}
	err = r.build(ctx, u, s, steps)
	r.asWritten(directives)
	return r, err
}

// asWritten names the directives to blame as the template has them.
func (r *Result) asWritten(directives []unitfile.Directive) {
	for _, set := range r.Blame {
		for i := range set {
			for _, d := range directives {
				if d.Line == set[i].Line {
					set[i] = d
				}
			}
		}
	}
}

// build runs all steps with all directives, and searches if that fails.
func (r *Result) build(ctx context.Context, u *units, s sorted, steps []string) error {
	var out outcome
	for {
		var err error
		out, err = u.run(ctx, append(append([]Setting{}, s.granting...), s.confining...), steps)
		if err != nil {
			return err
		}
		if out.refused == "" || !r.leaveOut(&s, out.refused) {
			break
		}
	}
	r.Directives = len(flat(s.granting)) + len(flat(s.confining))
	r.reached(out.failed)
	if out.failed == "" {
		r.Status = Passed
		return nil
	}
	r.Status, r.Output = Failed, out.output
	find := search{step: out.failed, granting: s.granting, confining: s.confining}
	find.run = func(ctx context.Context, settings []Setting, steps []string, cold bool) (outcome, error) {
		prepare := u.workspace.warmCache
		if cold {
			prepare = u.workspace.emptyCache
		}
		if err := prepare(); err != nil {
			return outcome{}, err
		}
		return u.run(ctx, settings, steps)
	}
	find.keep = u.workspace.keepCache
	v, err := find.blame(ctx)
	r.Blame = append(r.Blame, v.blamed...)
	switch {
	case err != nil && ctx.Err() == nil:
		return err
	case err != nil:
		r.Narrowed = false
		r.Note = err.Error()
	case v.innocent:
		r.Status, r.Output = Innocent, v.output
	case v.gone:
		r.Note = "the step alone passes with all directives, so none of them can be named"
	}
	return nil
}

// leaveOut takes the directives of a name out of the settings, because systemd-run does not take them.
func (r *Result) leaveOut(s *sorted, name string) bool {
	found := false
	drop := func(settings []Setting) []Setting {
		var kept []Setting
		for _, each := range settings {
			if each.name() != name {
				kept = append(kept, each)
				continue
			}
			found = true
			for _, d := range each {
				r.NotGiven = append(r.NotGiven, NotGiven{d, "systemd-run does not take it"})
			}
		}
		return kept
	}
	s.granting, s.confining = drop(s.granting), drop(s.confining)
	return found
}

// plan says which steps this host can do; the others are in the result with their reasons.
func (r *Result) plan() []string {
	missing := map[string]string{}
	if _, err := exec.LookPath("gcc"); err != nil {
		missing["cgo"], missing["race"] = "there is no C compiler (gcc)", "it needs cgo, and there is no C compiler (gcc)"
	}
	if why := serverMissing(); why != "" {
		missing["git-ssh"] = why
	}
	var steps []string
	for _, name := range allSteps {
		if why := missing[name]; why != "" {
			r.Steps = append(r.Steps, Step{name, "not tried", why})
			continue
		}
		r.Steps = append(r.Steps, Step{Name: name, Result: "not reached"})
		steps = append(steps, name)
	}
	return steps
}

// reached marks the steps before the failed one as passed.
func (r *Result) reached(failed string) {
	if failed == startStep {
		r.Steps = append([]Step{{Name: startStep, Result: "failed"}}, r.Steps...)
		return
	}
	for i := range r.Steps {
		step := &r.Steps[i]
		switch {
		case step.Name == failed:
			step.Result = "failed"
			return
		case step.Result == "not reached":
			step.Result = "passed"
		}
	}
}

// digest is of everything that decides whether the canary passes; empty: it cannot be told, and nothing is remembered.
func digest(version string, steps []string, s sorted, on host) string {
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\n%q\n%s", version, steps, script)
	for _, d := range flat(append(append([]Setting{}, s.granting...), s.confining...)) {
		fmt.Fprintln(hash, d)
		if d.Name == "AppArmorProfile" && on.profiles() != nil {
			profile := on.digest(strings.TrimPrefix(d.Value, "-"))
			if profile == "" {
				return ""
			}
			fmt.Fprintln(hash, profile)
		}
	}
	for _, name := range sortedKeys(sources) {
		fmt.Fprintf(hash, "%s\n%s", name, sources[name])
	}
	return hex.EncodeToString(hash.Sum(nil))
}
