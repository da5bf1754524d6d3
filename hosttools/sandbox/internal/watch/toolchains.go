package watch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gofleet/sandbox/internal/lock"
	"gofleet/sandbox/internal/remove"
)

// Where a component's releases are, and the lock of whoever changes components; see docs/host-protocol.md.
var (
	components = "/etc/gofleet"
	hostLock   = "/run/gofleet/lock"
)

// settled is how long nothing may have changed in a toolchain's directory: one that is being staged is named by no release
// yet, and staging takes no lock.
const settled = 2 * time.Hour

// unusedToolchains lists the directories of a folder, /usr/local/lib/gofleet/<component>, that no release of the component
// names. A folder whose component has no releases is left alone: it may be somebody else's.
func unusedToolchains(folder string, now time.Time) ([]string, error) {
	releases := filepath.Join(components, filepath.Base(folder), "releases")
	manifests, err := filepath.Glob(filepath.Join(releases, "*", ".gofleet", "manifest"))
	if err != nil || len(manifests) == 0 {
		return nil, err
	}
	named := map[string]bool{}
	for _, each := range manifests {
		if err := downloadsOf(each, named); err != nil {
			return nil, err
		}
	}
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var unused []string
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !entry.IsDir() || named[entry.Name()] || now.Sub(info.ModTime()) < settled {
			continue
		}
		unused = append(unused, filepath.Join(folder, entry.Name()))
	}
	return unused, nil
}

// downloadsOf adds the names of a manifest's download records.
func downloadsOf(manifest string, named map[string]bool) error {
	file, err := os.Open(manifest)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if fields := strings.Split(lines.Text(), "\t"); len(fields) > 1 && fields[0] == "download" {
			named[fields[1]] = true
		}
	}
	return lines.Err()
}

// removeToolchains removes what is not used while no component is being changed.
func removeToolchains(ctx context.Context, folder string, now time.Time) (says string, err error) {
	// A host without the lock has no agent, and no releases.
	file, err := os.Open(hostLock)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer file.Close()
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if held, err := lock.Try(short, file, lock.Exclusive); err != nil || !held {
		return "a component is being changed: toolchains stay", err
	}
	unused, err := unusedToolchains(folder, now)
	if err != nil {
		return "", err
	}
	for _, each := range unused {
		if err := remove.Tree(ctx, each); err != nil {
			return "", err
		}
	}
	if len(unused) == 0 {
		return "", nil
	}
	return fmt.Sprintf("%d toolchains that no release names: %s", len(unused), strings.Join(unused, ", ")), nil
}
