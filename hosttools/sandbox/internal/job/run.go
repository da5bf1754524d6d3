package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"gofleet/sandbox/internal/agent"
	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/lock"
	"gofleet/sandbox/internal/pause"
	"gofleet/sandbox/internal/slot"
)

// ExitCode is the code with which a command ended, where it was not 0; 128 and the number where a signal ended it.
type ExitCode int

func (code ExitCode) Error() string { return fmt.Sprintf("the command ended with %d", int(code)) }

// ErrBefore is that the command before the job failed, so that the job's own did not run.
var ErrBefore = errors.New("before the job")

// passed are the signals that a command gets when this process does.
var passed = []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2}

// lockPatience is how long a job waits for its slot's lock; what reclaims does not hold it while the slot is busy.
const lockPatience = time.Minute

// Run runs a job as the slot's user in its workspace: the command that is set to go before, the job's own, the one that
// is set to go after. It holds the slot's lock meanwhile, and ends as the job's command does. Without a command it is the
// agent that was handed to the slot.
func Run(c *config.Config, s *config.Slot, command []string) error {
	// From here on: a signal that comes before the command runs is meant for it, too.
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, passed...)
	defer signal.Stop(signals)
	release, err := hold(c, s)
	if err != nil {
		return err
	}
	defer release()
	j := &running{Slot: s, environment: sharing(c, Environment(c, s, os.Environ(), ReadCPULimit("/"))), signals: signals}
	if len(c.Before) > 0 {
		if err := j.do(c.Before); err != nil {
			return fmt.Errorf("%w: %w", ErrBefore, err)
		}
	}
	err = j.main(command)
	if len(c.After) > 0 {
		j.environment = append(j.environment, "GOFLEET_EXIT_CODE="+strconv.Itoa(codeOf(err)))
		if after := j.do(c.After); after != nil {
			// It changes nothing about how the job went.
			fmt.Fprintln(os.Stderr, "gofleet-sandbox: after the job:", after)
		}
	}
	return err
}

func hold(c *config.Config, s *config.Slot) (release func(), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
	defer cancel()
	release, err = slot.Hold(ctx, c, s, lock.Shared)
	if errors.Is(err, os.ErrNotExist) || err == nil && release != nil && !slot.Busy(c, s) {
		return nil, fmt.Errorf("slot %d is not prepared: `gofleet-sandbox prepare` goes first", s.Number)
	}
	if err == nil && release == nil {
		err = fmt.Errorf("%s is held; waited %v", c.Lock(s), lockPatience)
	}
	if err == nil && pause.Paused(c.PauseMark) {
		// It came after the slot was made ready, and whoever made it told those that ran then.
		release()
		return nil, fmt.Errorf("%w: %s came meanwhile", ErrPaused, c.PauseMark)
	}
	return release, err
}

type running struct {
	*config.Slot
	environment []string
	signals     <-chan os.Signal
}

// main is the job itself. What an agent is handed is for its own environment, not for what goes before and after.
func (j *running) main(command []string) error {
	if len(command) > 0 {
		return j.do(command)
	}
	handed, err := agent.Take(j.Slot)
	if err != nil {
		return err
	}
	own := *j
	for name, value := range handed.Environment {
		own.environment = append(own.environment[:len(own.environment):len(own.environment)], name+"="+value)
	}
	return own.do(handed.Command)
}

// do runs one command and passes it the signals that come meanwhile. The lock is not its own: Go programs hand on no
// descriptors.
func (j *running) do(command []string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Dir = filepath.Join(j.Workspace, config.Checkout)
	cmd.Env = j.environment
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case received := <-j.signals:
			// It may just have ended.
			_ = cmd.Process.Signal(received)
		case err := <-ended:
			return asExitCode(err)
		}
	}
}

// codeOf is what a shell would say: 127 for a command that could not be started.
func codeOf(err error) int {
	var code ExitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	return 127
}

func asExitCode(err error) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return ExitCode(128 + int(status.Signal()))
	}
	return ExitCode(exit.ExitCode())
}
