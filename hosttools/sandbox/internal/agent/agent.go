// Package agent hands a slot what its agent needs for one job, and no more than that.
package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"gofleet/sandbox/internal/config"
)

// Handed is what a slot's user gets. All of it is good for one agent, and ends with its registration: a job runs as the
// same user, so it can have whatever is here.
type Handed struct {
	// Command starts the agent. Everybody on the host can read a command line: it holds no secrets.
	Command []string `json:"command"`
	// Environment is added to the job's own.
	Environment map[string]string `json:"environment"`
	// Files by name in the agent's directory of the workspace, for the user alone.
	Files map[string]string `json:"files"`
}

// Directory is the agent's part of a workspace.
func Directory(s *config.Slot) string { return filepath.Join(s.Workspace, config.AgentAt) }

func path(s *config.Slot) string { return filepath.Join(s.Workspace, ".handed") }

// Give leaves it in the workspace that root has just made, in which nothing of the slot's user runs yet.
func Give(s *config.Slot, handed Handed, uid, gid int) error {
	text, err := json.Marshal(handed)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path(s), os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o400)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Chown(uid, gid), file.Close())
}

// Take gets it as the slot's user, once: afterwards it is gone, and its files are in place.
func Take(s *config.Slot) (Handed, error) {
	text, err := os.ReadFile(path(s))
	if errors.Is(err, os.ErrNotExist) {
		return Handed{}, fmt.Errorf("slot %d has no agent to run: `gofleet-sandbox register` goes first", s.Number)
	}
	if err != nil {
		return Handed{}, err
	}
	if err := os.Remove(path(s)); err != nil {
		return Handed{}, err
	}
	var handed Handed
	if err := json.Unmarshal(text, &handed); err != nil || len(handed.Command) == 0 {
		// What is in it may be secret.
		return Handed{}, fmt.Errorf("%s: no command in what was handed over", path(s))
	}
	if len(handed.Files) > 0 {
		if err := os.MkdirAll(Directory(s), 0o700); err != nil {
			return Handed{}, err
		}
	}
	for name, content := range handed.Files {
		if err := os.WriteFile(filepath.Join(Directory(s), filepath.Base(name)), []byte(content), 0o600); err != nil {
			return Handed{}, err
		}
	}
	return handed, nil
}
