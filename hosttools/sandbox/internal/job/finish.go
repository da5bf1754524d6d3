package job

import (
	"errors"
	"syscall"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/slot"
	"gofleet/sandbox/internal/wanted"
)

// Finish clears a slot after a job, however it ended, as root. It may be repeated.
func Finish(c *config.Config, s *config.Slot) error {
	syscall.Umask(0o022)
	countCache(c, s)
	noted := wanted.Note(c, s, upperOfModules(c, s))
	if err := clearSlot(c, s); err != nil {
		return errors.Join(noted, err)
	}
	return errors.Join(noted, slot.MarkIdle(c, s))
}
