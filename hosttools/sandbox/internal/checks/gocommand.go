package checks

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// goError is that of a go command which said no.
type goError struct {
	command string
	// said is what it printed on standard error; out, on standard output.
	said, out string
}

func (e *goError) Error() string {
	return fmt.Sprintf("%s: %s", e.command, lastLines(e.said, 5))
}

// goCommand runs go in a directory and returns its standard output. It never fetches another toolchain, and never takes
// settings that a caller's GOFLAGS would bring for other commands.
func (t *tree) goCommand(ctx context.Context, dir string, environment []string, arguments ...string) (string, error) {
	run := exec.CommandContext(ctx, t.Go, arguments...)
	run.Dir = dir
	run.Env = append(os.Environ(), append([]string{"GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=", "GIT_TERMINAL_PROMPT=0", "PWD=" + dir}, environment...)...)
	var out, said bytes.Buffer
	run.Stdout, run.Stderr = &out, &said
	err := run.Run()
	if _, exited := err.(*exec.ExitError); exited {
		return out.String(), &goError{"go " + strings.Join(arguments[:min(2, len(arguments))], " "), said.String(), out.String()}
	}
	return out.String(), err
}

var unreachable = regexp.MustCompile(`(?m)dial tcp|no such host|connection refused|i/o timeout|network is unreachable|TLS handshake|module lookup disabled|\b(50[0-9]|429) `)

// noAnswer: the error is that modules could not be had, which says nothing about the tree.
func noAnswer(text string) bool { return unreachable.MatchString(text) }

func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}

// shown is a name as it can be printed: a file may be called anything.
func shown(name string) string {
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}
