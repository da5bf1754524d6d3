package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/slot"
)

// ExitCode is the code with which a command ended, where it was not 0; 128 and the number where a signal ended it.
type ExitCode int

func (code ExitCode) Error() string { return fmt.Sprintf("the command ended with %d", int(code)) }

// passed are the signals that a command gets when this process does.
var passed = []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2}

// lockPatience is how long a job waits for its slot's lock; what reclaims does not hold it while the slot is busy.
const lockPatience = time.Minute

// Run runs a command as the slot's user in its workspace, and holds the slot's lock meanwhile. It ends as the command
// does.
func Run(c *config.Config, s *config.Slot, command []string) error {
	// Before the command runs: a signal that comes meanwhile is passed on too.
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, passed...)
	defer signal.Stop(signals)
	ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
	defer cancel()
	release, err := slot.Hold(ctx, c, s, syscall.LOCK_SH)
	if errors.Is(err, os.ErrNotExist) || err == nil && !slot.Busy(c, s) {
		return fmt.Errorf("slot %d is not prepared: `gofleet-sandbox prepare` goes first", s.Number)
	}
	if err != nil {
		return err
	}
	if release == nil {
		return fmt.Errorf("%s is held; waited %v", c.Lock(s), lockPatience)
	}
	defer release()
	// The lock is this process's: descriptors of Go programs are not inherited.
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Dir = filepath.Join(s.Workspace, config.Checkout)
	cmd.Env = Environment(c, s, os.Environ(), ReadLimits("/"))
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case received := <-signals:
			// It may just have ended.
			_ = cmd.Process.Signal(received)
		case err := <-ended:
			return asExitCode(err)
		}
	}
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
