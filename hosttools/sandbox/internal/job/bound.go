package job

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/mount"
)

// workspaceName is the workspace in a file system that is a job's alone, beside the job's layers.
const workspaceName = "workspace"

// bound puts the workspace and the layers of a job into one file system of the size that is set. It is in memory, which
// is the slot's, since jobs write it; what is full ends with "no space left on device" for that job and nobody else.
func bound(c *config.Config, s *config.Slot) error {
	if c.Job.WorkspaceBytes == 0 {
		return nil
	}
	own, err := mount.At(s.Workspace)
	if err != nil {
		return err
	}
	if own != nil {
		return fmt.Errorf("%s is a file system of its own already: leave out limits.workspace", s.Workspace)
	}
	layers, workspace := c.Layers(s), filepath.Join(c.Layers(s), workspaceName)
	for _, each := range []string{layers, s.Workspace} {
		if err := os.MkdirAll(filepath.Dir(each), 0o755); err != nil {
			return err
		}
		if err := os.Mkdir(each, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	if err := mount.Memory(layers, c.Job.WorkspaceBytes); err != nil {
		return err
	}
	if err := os.Mkdir(workspace, 0o700); err != nil {
		return err
	}
	return mount.Bind(workspace, s.Workspace)
}

// unbound takes such a file system away with all that is in it, whatever the settings say now. Nothing but ours is ever
// mounted on a slot's layers.
func unbound(c *config.Config, s *config.Slot) error {
	own, err := mount.At(c.Layers(s))
	if err != nil || own == nil {
		return err
	}
	if err := errors.Join(mount.ClearOverlays(s.Modules), mount.ClearOverlays(s.BuildCache)); err != nil {
		return err
	}
	same, err := sameFileSystem(s.Workspace, c.Layers(s))
	if err != nil {
		return err
	}
	if same {
		if err := mount.Clear(s.Workspace); err != nil {
			return err
		}
	}
	return mount.Clear(c.Layers(s))
}

func sameFileSystem(one, other string) (bool, error) {
	var a, b syscall.Stat_t
	if err := syscall.Lstat(one, &a); errors.Is(err, os.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("%s: %w", one, err)
	}
	if err := syscall.Lstat(other, &b); err != nil {
		return false, fmt.Errorf("%s: %w", other, err)
	}
	return a.Dev == b.Dev, nil
}
