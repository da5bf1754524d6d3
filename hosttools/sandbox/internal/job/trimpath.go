package job

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"gofleet/sandbox/internal/config"
)

// flagsName is the variable with flags that every go command has.
const flagsName = "GOFLAGS"

// sharing makes what a job builds of use to jobs of other slots: the go command's keys hold the directory of a package,
// which is another one in each slot, unless it is told to trim it. Other flags stay, wherever they are set; -trimpath=false
// among them has the last word.
func sharing(c *config.Config, environment []string) []string {
	if c.Cache.Shared == "" {
		return environment
	}
	cmd := exec.Command(c.Go, "env", flagsName)
	// The job's HOME is new and sets nothing; the go command is to leave nothing there.
	cmd.Env = append(slices.Clone(environment), "HOME=/dev/null", "GOENV=off")
	cmd.Dir = "/"
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
		}
		fmt.Fprintf(os.Stderr, "warning: %s env %s: %v; the job may build what another slot has built\n", c.Go, flagsName, err)
		return environment
	}
	environment = slices.DeleteFunc(slices.Clone(environment), func(each string) bool {
		return strings.HasPrefix(each, flagsName+"=")
	})
	environment = append(environment, flagsName+"="+trimming(strings.TrimSpace(string(out))))
	slices.Sort(environment)
	return environment
}

// trimming adds the flag, unless something is said of it already.
func trimming(flags string) string {
	for _, each := range strings.Fields(flags) {
		name, _, _ := strings.Cut(strings.TrimLeft(each, `-'"`), "=")
		if name == "trimpath" {
			return flags
		}
	}
	return strings.TrimSpace("-trimpath " + flags)
}
