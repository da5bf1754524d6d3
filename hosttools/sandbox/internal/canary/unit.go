package canary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"sort"
	"strings"
	"time"
)

// outcome is what became of one run of the steps.
type outcome struct {
	// failed is the step that failed; startStep: none was reached. Empty: all passed.
	failed string
	// output is what the run said last.
	output []string
	// refused is the directive that systemd does not take for a transient unit; nothing was run.
	refused string
}

// startStep is the name of what comes before the first step: the unit itself.
const startStep = "start"

// lastLines of a run are kept.
const lastLines = 15

// units runs steps in transient units.
type units struct {
	component   string
	user, group string
	workspace   *workspace
	environment map[string]string
	// server's unit, whose network the steps share; empty: a network of their own.
	server string
	count  int
}

// run runs the steps in a unit with these settings.
func (u *units) run(ctx context.Context, settings []Setting, steps []string) (outcome, error) {
	if err := u.workspace.renew(); err != nil {
		return outcome{}, err
	}
	u.count++
	name := fmt.Sprintf("%s-%d.service", unitPrefix(u.component, u.workspace.instance), u.count)
	args := []string{"--wait", "--collect", "--pipe", "--service-type=exec", "--unit=" + name,
		"-p", "User=" + u.user, "-p", "Group=" + u.group, "-p", "WorkingDirectory=" + u.workspace.root + "/work",
		"-p", "PrivateNetwork=yes", "-p", "RuntimeMaxSec=" + secondsLeft(ctx)}
	if u.server != "" {
		args = append(args, "-p", "JoinsNamespaceOf="+u.server)
	}
	for _, setting := range settings {
		for _, d := range setting {
			args = append(args, "-p", d.String())
		}
	}
	for _, key := range sortedKeys(u.environment) {
		args = append(args, "--setenv="+key+"="+u.environment[key])
	}
	args = append(args, "/bin/sh", u.workspace.root+"/steps.sh")
	run := exec.CommandContext(ctx, "systemd-run", append(args, steps...)...)
	var said, told bytes.Buffer
	run.Stdout, run.Stderr = &said, &told
	run.Cancel = func() error { return exec.Command("systemctl", "stop", name).Run() }
	run.WaitDelay = 20 * time.Second
	err := run.Run()
	if ctx.Err() != nil {
		return outcome{}, fmt.Errorf("the time for the canary is over: %w", ctx.Err())
	}
	if err == nil && strings.Contains(said.String(), "canary: done\n") {
		return outcome{}, nil
	}
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return outcome{}, fmt.Errorf("systemd-run: %w", err)
	}
	return read(said.String(), told.String()), nil
}

// unitPrefix begins the names of a run's units: what an ended run left must not stand in the way.
func unitPrefix(component, instance string) string {
	return fmt.Sprintf("gofleet-%s-%s-%d", component, instance, os.Getpid())
}

// secondsLeft ends what runs on when this program is killed.
func secondsLeft(ctx context.Context) string {
	left := time.Hour
	if until, has := ctx.Deadline(); has {
		left = max(time.Until(until), 0) + 10*time.Second
	}
	return fmt.Sprintf("%.0fs", left.Seconds())
}

var unknown = regexp.MustCompile(`(?:Unknown assignment: |Cannot set property )([A-Za-z]+)`)

// read finds in what a run said where it ended.
func read(said, told string) outcome {
	var out outcome
	if found := unknown.FindStringSubmatch(told); found != nil && !strings.Contains(said, "canary: step ") {
		out.refused = found[1]
	}
	out.failed = startStep
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(said), "\n") {
		if step, is := strings.CutPrefix(line, "canary: step "); is {
			out.failed, lines = step, nil
			continue
		}
		lines = append(lines, line)
	}
	for _, line := range strings.Split(told, "\n") {
		if !strings.HasPrefix(line, "Running as unit") {
			lines = append(lines, line)
		}
	}
	for _, line := range lines {
		if line = strings.TrimRight(line, " \r\t"); line != "" {
			out.output = append(out.output, line)
		}
	}
	if extra := len(out.output) - lastLines; extra > 0 {
		out.output = out.output[extra:]
	}
	return out
}

func sortedKeys(all map[string]string) []string {
	keys := make([]string, 0, len(all))
	for key := range all {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
