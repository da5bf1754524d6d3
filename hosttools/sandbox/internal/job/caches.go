package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"gofleet/sandbox/internal/agent"
	"gofleet/sandbox/internal/beneath"
	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/mount"
	"gofleet/sandbox/internal/remove"
)

// Names in a directory of layers.
const (
	upperName = "upper"
	workName  = "work"
	// ofModules is the module cache's part of a slot's layers, ofBuilds the build cache's.
	ofModules = "modules"
	ofBuilds  = "build"
	// ofAgent is what an agent writes beside its program.
	ofAgent = "agent"
	// inMemory is where a layer over a build cache lies in the slot's own tmpfs.
	inMemory = ".layers"
)

// mountModules puts the job's own writes over the shared module cache. Without a shared one the job's is empty.
func mountModules(c *config.Config, s *config.Slot, owner account) error {
	if err := directoryFor(s.Modules, owner); err != nil {
		return err
	}
	if c.Modules.Shared == "" {
		return nil
	}
	upper, work, err := layers(filepath.Join(c.Layers(s), ofModules), owner)
	if err != nil {
		return err
	}
	return mount.Overlay(c.Modules.Shared, upper, work, s.Modules)
}

// mountBuilds makes the build cache what a job may use: the slot's own as it is, which is empty where writes are discarded,
// or then, where there is a trusted one, a layer over that.
func mountBuilds(c *config.Config, s *config.Slot, owner account) error {
	own, err := mount.At(s.BuildCache)
	if err != nil {
		return err
	}
	if c.Cache.Kind == "tmpfs" && own == nil {
		return fmt.Errorf("%s: no file system is mounted there; the slot's unit must have RequiresMountsFor=%s", s.BuildCache, s.BuildCache)
	}
	if s.BuildCache == c.Cache.Shared {
		return nil
	}
	if !c.Cache.Discard || c.Cache.Shared == "" {
		return directoryFor(s.BuildCache, owner)
	}
	if err := directoryFor(s.BuildCache, owner); err != nil {
		return err
	}
	upper, work, err := layers(buildLayers(c, s, own != nil), owner)
	if err != nil {
		return err
	}
	if err := cacheDirectories(upper, owner); err != nil {
		return err
	}
	return mount.Overlay(c.Cache.Shared, upper, work, s.BuildCache)
}

// mountAgent shows an agent that writes beside its program that program, with a layer of the job's own above.
func mountAgent(c *config.Config, s *config.Slot, owner account) error {
	if c.Agent == nil || !c.Agent.Writable {
		return nil
	}
	at := agent.Directory(s)
	if err := os.Mkdir(at, 0o700); err != nil {
		return err
	}
	upper, work, err := layers(filepath.Join(c.Layers(s), ofAgent), owner)
	if err != nil {
		return err
	}
	return mount.Overlay(c.Agent.Tree, upper, work, at)
}

func buildLayers(c *config.Config, s *config.Slot, mounted bool) string {
	if mounted {
		return filepath.Join(s.BuildCache, inMemory)
	}
	return filepath.Join(c.Layers(s), ofBuilds)
}

// cacheDirectories makes the directories that a build cache consists of, 00 to ff, in the job's layer. Merged, the
// topmost owner counts; the trusted cache's own user is another one.
func cacheDirectories(upper string, owner account) error {
	fd, err := beneath.Open(upper)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	for i := range 256 {
		if err := makeOwned(fd, fmt.Sprintf("%02x", i), owner); err != nil {
			return fmt.Errorf("%s: %w", upper, err)
		}
	}
	return nil
}

// layers makes empty layers. The directory they are in is root's alone: a job must only reach them through the mount.
func layers(path string, owner account) (upper, work string, err error) {
	// Made anew: what is there may be a job's.
	if err := remove.Tree(context.Background(), path); err != nil {
		return "", "", err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", "", err
	}
	fd, err := beneath.Open(path)
	if err != nil {
		return "", "", err
	}
	defer syscall.Close(fd)
	if err := errors.Join(syscall.Fchown(fd, 0, 0), syscall.Fchmod(fd, 0o700)); err != nil {
		return "", "", err
	}
	if err := makeOwned(fd, upperName, owner); err != nil {
		return "", "", err
	}
	return filepath.Join(path, upperName), filepath.Join(path, workName), syscall.Mkdirat(fd, workName, 0o700)
}

// directoryFor makes the directory that a cache is mounted on or lies in, in one that only root can write. One that is
// there stays as it is, with what it holds.
func directoryFor(path string, owner account) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	parent, err := trusted(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer syscall.Close(parent)
	if err := makeOwned(parent, filepath.Base(path), owner); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// clearCaches takes off what a job had over the shared caches, and deletes it.
func clearCaches(ctx context.Context, c *config.Config, s *config.Slot) error {
	if err := errors.Join(mount.ClearOverlays(s.Modules), mount.ClearOverlays(s.BuildCache)); err != nil {
		return err
	}
	failures := []error{remove.Tree(ctx, c.Layers(s))}
	if c.Modules.Shared == "" {
		failures = append(failures, remove.Tree(ctx, s.Modules))
	}
	if c.Cache.Discard {
		// Nothing else is ever kept in a slot's own build cache.
		failures = append(failures, remove.Contents(ctx, s.BuildCache))
	}
	return errors.Join(failures...)
}

// upperOfModules is the layer with what a job wrote to the module cache; empty where there is no shared one.
func upperOfModules(c *config.Config, s *config.Slot) string {
	if c.Modules.Shared == "" {
		return ""
	}
	return filepath.Join(c.Layers(s), ofModules, upperName)
}
