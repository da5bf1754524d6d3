// Package pause keeps the mark that says that no new job may begin. Several may want that, each for a reason of its own;
// the mark is there as long as one of them does.
package pause

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"gofleet/sandbox/internal/files"
	"gofleet/sandbox/internal/lock"
)

// Who may hold the mark.
const (
	Watch    = "watch"
	Modules  = "modules"
	Operator = "operator"
	// somebody made the file by hand.
	somebody = "somebody"
)

// Reason is why a holder wants no new job.
type Reason struct {
	Why   string    `json:"why"`
	Since time.Time `json:"since"`
}

// Mark is the content of the mark: a reason by holder.
type Mark map[string]Reason

// Read reads the mark; without one it is empty. A mark that was made by hand counts: whoever did that wanted a pause.
func Read(path string) (Mark, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Mark{}, nil
	}
	if err != nil {
		return nil, err
	}
	var m Mark
	if err := json.Unmarshal(text, &m); err != nil || len(m) == 0 {
		why := strings.TrimSpace(string(text))
		if why == "" {
			why = "the mark was made by hand"
		}
		return Mark{somebody: {Why: why}}, nil
	}
	return m, nil
}

// Paused reports whether there is a mark at all.
func Paused(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// String says who and why, on one line.
func (m Mark) String() string {
	var parts []string
	for holder, reason := range m {
		parts = append(parts, fmt.Sprintf("%s: %s", holder, reason.Why))
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

// Set makes the holder want a pause; `changed` is false where it did before.
func Set(path, holder, why string, now time.Time) (changed bool, err error) {
	err = update(path, func(m Mark) {
		before, held := m[holder]
		if changed = !held; held {
			now = before.Since
		}
		m[holder] = Reason{Why: why, Since: now.UTC().Truncate(time.Second)}
	})
	return changed, err
}

// Clear ends the holder's wish; `changed` is false where it had none. An operator also ends what was made by hand.
func Clear(path, holder string) (changed bool, err error) {
	err = update(path, func(m Mark) {
		_, changed = m[holder]
		delete(m, holder)
		if _, byHand := m[somebody]; byHand && holder == Operator {
			changed = true
			delete(m, somebody)
		}
	})
	return changed, err
}

func update(path string, change func(Mark)) error {
	release, err := lock.File(path + ".lock")
	if err != nil {
		return err
	}
	defer release()
	m, err := Read(path)
	if err != nil {
		return err
	}
	change(m)
	if len(m) == 0 {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return files.Replace(path, append(text, '\n'), 0o644)
}
