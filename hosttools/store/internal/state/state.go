// Package state is what one run of gofleet-store tells the next one.
package state

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"gofleet/store/internal/files"
)

// State is kept between runs; times in Unix seconds.
type State struct {
	path string
	// LastRepair is when every version was last looked at.
	LastRepair int64 `json:"lastRepair"`
	// LastGC is when versions were last collected, or would have been.
	LastGC int64 `json:"lastGC"`
	// StoreBytes, Versions and UsedBytes (of the file system) when the store was last counted; Counted is when that was.
	Counted    int64 `json:"counted"`
	StoreBytes int64 `json:"storeBytes"`
	Versions   int64 `json:"versions"`
	UsedBytes  int64 `json:"usedBytes"`
	// Totals since the store is kept.
	Broken    int64 `json:"broken"`
	Collected int64 `json:"collected"`
	Freed     int64 `json:"freed"`
	// GCStuck: too full, and there was nothing that might be collected.
	GCStuck bool `json:"gcStuck"`
	// Said is the last complaint, so that it is not repeated every few seconds.
	Said string `json:"said"`
}

// Open reads the state; one that is missing or cannot be read is empty.
func Open(directory string) (*State, error) {
	s := &State{path: filepath.Join(directory, "keeper.json")}
	text, err := os.ReadFile(s.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if json.Unmarshal(text, s) != nil {
		*s = State{path: s.path}
	}
	return s, nil
}

// Save writes the state, if it changed.
func (s *State) Save() error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = files.Ensure(s.path, append(text, '\n'), 0o640)
	return err
}
