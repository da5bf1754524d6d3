package watch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gofleet/store/internal/config"
	"gofleet/store/internal/files"
)

// RestartMark asks for a restart of Athens; `gofleet-store apply` sees to it.
const RestartMark = "restart-athens"

// Athens serves what it has, fetches nothing and answers lists from the store.
const readOnlySettings = "ATHENS_DOWNLOAD_MODE=none\nATHENS_NETWORK_MODE=offline\n"

// ReadOnly reports whether the store is read-only now.
func ReadOnly(c *config.Config) bool {
	_, err := os.Lstat(c.Watch.ReadOnlyFlag)
	return err == nil
}

// Switch makes the store read-only above the upper mark and writable again below the lower one; in between it stays what
// it is. What it says is empty where nothing changed.
func Switch(c *config.Config, u Usage) (says string, err error) {
	percent, what := u.Percent()
	switch {
	case percent >= float64(c.Watch.ReadOnlyPercent):
		says = fmt.Sprintf("read-only: %.1f %% %s used, the mark is %d %%", percent, what, c.Watch.ReadOnlyPercent)
		return enter(c, says)
	case percent < float64(c.Watch.AlertPercent):
		return leave(c, fmt.Sprintf("writable again: %.1f %% %s used", percent, what))
	case ReadOnly(c):
		return enter(c, "read-only still")
	}
	return leave(c, "writable")
}

func enter(c *config.Config, says string) (string, error) {
	changed, err := files.Ensure(c.Watch.ReadOnlyEnvironment, []byte(readOnlySettings), 0o640)
	if err != nil {
		return "", err
	}
	if changed {
		err = restart(c)
	}
	if !ReadOnly(c) {
		return says, errors.Join(err, files.Replace(c.Watch.ReadOnlyFlag, []byte(says+"\n"), 0o640))
	}
	return "", err
}

func leave(c *config.Config, says string) (string, error) {
	changed, err := files.Remove(c.Watch.ReadOnlyEnvironment)
	if err != nil {
		return "", err
	}
	if changed {
		err = restart(c)
	}
	was, removed := files.Remove(c.Watch.ReadOnlyFlag)
	if !was && !changed {
		says = ""
	}
	return says, errors.Join(err, removed)
}

func restart(c *config.Config) error {
	return files.Replace(filepath.Join(c.Runtime, RestartMark), nil, 0o640)
}
