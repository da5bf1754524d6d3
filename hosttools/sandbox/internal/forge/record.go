package forge

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/files"
)

// known is an agent that the forge knows, or may know: without an id, its name was sent and no answer came.
type known struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	// At is where, which the settings may no longer say.
	At config.Agent `json:"at"`
}

// record is what is to be made unknown again, on the disk before the forge is asked: no crash leaves an agent that nobody
// remembers.
type record struct {
	path   string
	agents []known
}

func readRecord(c *config.Config, slot int) (*record, error) {
	r := &record{path: c.Registration(slot)}
	if err := os.MkdirAll(filepath.Dir(r.path), 0o700); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(r.path)
	if errors.Is(err, os.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &r.agents); err != nil {
		return nil, fmt.Errorf("%s: %w; remove it, and what the forge still knows of this slot's agents by hand", r.path, err)
	}
	return r, nil
}

func (r *record) add(name string, at *config.Agent) error {
	r.agents = append(r.agents, known{Name: name, At: *at})
	return r.write()
}

func (r *record) setID(name, id string) error {
	for i := range r.agents {
		if r.agents[i].Name == name {
			r.agents[i].ID = id
		}
	}
	return r.write()
}

// syncDirectory is replaced in tests.
var syncDirectory = files.SyncDirectory

func (r *record) write() error {
	if len(r.agents) == 0 {
		if err := os.Remove(r.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	text, err := json.Marshal(r.agents)
	if err != nil {
		return err
	}
	if err := files.Replace(r.path, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(r.path))
}
