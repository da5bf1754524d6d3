package repair

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"gofleet/store/internal/config"
	"gofleet/store/internal/files"
)

// ReloadMark asks for a reload of the front; `gofleet-store apply` sees to it.
const ReloadMark = "reload-front"

var number = regexp.MustCompile(`default "g([0-9]+)"`)

// NextGeneration makes the front forget what it cached before, for that may be what was taken out of the store.
func NextGeneration(c *config.Config) error {
	if c.Repair.Generation == "" {
		return nil
	}
	now, err := Generation(c)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("map \"\" $gomod_generation { default \"g%d\"; }\n", now+1)
	if err := files.Replace(c.Repair.Generation, []byte(text), 0o640); err != nil {
		return err
	}
	return files.Replace(filepath.Join(c.Runtime, ReloadMark), nil, 0o640)
}

// Generation is the current number; 0 where there is none yet.
func Generation(c *config.Config) (int64, error) {
	text, err := os.ReadFile(c.Repair.Generation)
	if err != nil && !os.IsNotExist(err) {
		return 0, err
	}
	match := number.FindSubmatch(text)
	if match == nil {
		return 0, nil
	}
	return strconv.ParseInt(string(match[1]), 10, 64)
}
