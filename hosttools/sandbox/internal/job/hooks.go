package job

import "gofleet/sandbox/internal/config"

// Before runs the command that goes before each job; if it fails, so does the job.
func Before(c *config.Config, s *config.Slot) error { return hook(c, s, c.Before) }

// After runs the command that goes after each job, in what the job left.
func After(c *config.Config, s *config.Slot) error { return hook(c, s, c.After) }

func hook(c *config.Config, s *config.Slot, command []string) error {
	if len(command) == 0 {
		return nil
	}
	return Run(c, s, command)
}
