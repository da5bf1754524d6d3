package wanted

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/module"
)

// Read takes the names that wait, without doubles, oldest first, and the files they are in. Lines that are no module's
// name are left out.
func Read(c *config.Config) (names []module.Version, files []string, err error) {
	entries, err := os.ReadDir(c.Wanted())
	if os.IsNotExist(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	seen := map[module.Version]bool{}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), part) || !entry.Type().IsRegular() {
			continue
		}
		path := filepath.Join(c.Wanted(), entry.Name())
		found, err := read(path)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, path)
		for _, each := range found {
			if !seen[each] {
				seen[each] = true
				names = append(names, each)
			}
		}
	}
	return slices.Clip(names), files, nil
}

func read(path string) ([]module.Version, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var names []module.Version
	lines := bufio.NewScanner(io.LimitReader(file, mostNames*1024))
	for lines.Scan() {
		if v, err := module.Parse(lines.Text()); err == nil {
			names = append(names, v)
		}
	}
	return names, lines.Err()
}
