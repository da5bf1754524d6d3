package watch

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/modules"
	"gofleet/sandbox/internal/usage"
)

// longestStep bounds one step.
const longestStep = 20 * time.Minute

// A BuildCache is one that a watcher may empty.
type BuildCache interface {
	Path() string
	// Slot is whose it is; 0: all slots use it.
	Slot() int
	// Occupied is how many bytes it takes, and how many files it has.
	Occupied() (bytes, files int64, err error)
	// ExpireTests removes results of tests.
	ExpireTests() error
	// Shrink removes what was not used for the longest, until it takes no more than that many bytes and has no more files.
	Shrink(bytes, files int64) error
}

// A step frees something on the file system of a path, while a slot, or with 0 every slot, has no job.
type step struct {
	name, path string
	slot       int
	// do says what it did, where the numbers do not.
	do func(ctx context.Context) (says string, err error)
}

// steps in the order of what it costs to have their content again.
func (w watcher) steps() ([]step, error) {
	c := w.c
	list, err := w.caches(c)
	if err != nil {
		return nil, err
	}
	var all []step
	add := func(name, path string, slot int, do func(context.Context) (string, error)) {
		all = append(all, step{name, path, slot, do})
	}
	for _, each := range list {
		add("test results", each.Path(), each.Slot(), func(context.Context) (string, error) { return "", each.ExpireTests() })
	}
	for i, each := range list {
		// Those before it have given their shares.
		add("build cache", each.Path(), each.Slot(), func(context.Context) (string, error) { return "", shrink(c, each, list[i:]) })
	}
	for _, folder := range c.Watch.Toolchains {
		add("toolchains", folder, 0, func(ctx context.Context) (string, error) { return removeToolchains(ctx, folder, w.now()) })
	}
	if c.Modules.Shared != "" {
		add("module cache", c.Modules.Shared, 0, func(ctx context.Context) (string, error) { return evict(ctx, c) })
	}
	for _, command := range c.Watch.Containers {
		add("container cache", "", 0, func(ctx context.Context) (string, error) { return "", runCommand(ctx, command) })
	}
	return all, nil
}

// reclaim does one step after the other for file systems that are too full, and looks after each: those that can change
// nothing any more are left out.
func (w watcher) reclaim(l *locks, full []FileSystem, r *Report) error {
	steps, err := w.steps()
	if err != nil {
		return err
	}
	var failures []error
	for _, each := range steps {
		now, err := measure(w.c)
		if err != nil {
			failures = append(failures, err)
		}
		before := needed(each, now, full, w.c.Watch.LowPercent)
		if before == nil {
			continue
		}
		idle, err := l.take(each.slot)
		if err != nil {
			return err
		}
		if !idle {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), longestStep)
		says, err := each.do(ctx)
		cancel()
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", each.name, err))
		}
		r.add(each, *before, says, err)
	}
	return errors.Join(failures...)
}

// needed is the file system that a step is for, if that is one of those that were too full and not below the low mark yet.
func needed(each step, now, full []FileSystem, low int) *FileSystem {
	var device uint64
	if each.path != "" {
		u, err := usage.Of(each.path)
		if err != nil {
			return nil
		}
		device = u.Device
	}
	for i := range now {
		f := &now[i]
		// A command without a path may free anything on disks.
		if device != f.Device && (each.path != "" || f.Memory()) || f.Percent < float64(low) {
			continue
		}
		if slices.ContainsFunc(full, func(other FileSystem) bool { return other.Device == f.Device }) {
			return f
		}
	}
	return nil
}

// shrink takes from a cache its share of what must go from those of its file system that are still to give theirs.
func shrink(c *config.Config, each BuildCache, rest []BuildCache) error {
	u, err := usage.Of(each.Path())
	if err != nil {
		return err
	}
	var sumBytes, sumFiles, ownBytes, ownFiles int64
	for _, other := range rest {
		if theirs, err := usage.Of(other.Path()); err != nil || theirs.Device != u.Device {
			continue
		}
		bytes, files, err := other.Occupied()
		if err != nil {
			return err
		}
		sumBytes, sumFiles = sumBytes+bytes, sumFiles+files
		if other.Path() == each.Path() {
			ownBytes, ownFiles = bytes, files
		}
	}
	overBytes, overInodes := u.Over(c.Watch.LowPercent)
	return each.Shrink(left(ownBytes, overBytes, sumBytes), left(ownFiles, overInodes, sumFiles))
}

// left is what a cache may keep of its own where so much of the sum of all must go.
func left(own, over, sum int64) int64 {
	if sum == 0 || over == 0 {
		return own
	}
	// One more: at the mark it is not below it.
	return int64(float64(own) * (1 - min(1, float64(over+1)/float64(sum))))
}

// evict removes versions from the shared module cache, those that came first first, until its file system is below the
// low mark.
func evict(ctx context.Context, c *config.Config) (string, error) {
	versions, err := modules.Versions(c.Modules.Shared)
	if err != nil {
		return "", err
	}
	count := 0
	for _, each := range versions {
		u, err := usage.Of(c.Modules.Shared)
		if err != nil {
			return "", err
		}
		if u.Percent() < float64(c.Watch.LowPercent) {
			break
		}
		if err := modules.Remove(ctx, c.Modules.Shared, each.Version); err != nil {
			return "", err
		}
		count++
	}
	if count == 0 {
		return "", nil
	}
	return fmt.Sprintf("%d versions of %d", count, len(versions)), nil
}

func runCommand(ctx context.Context, command []string) error {
	if len(command) == 0 {
		return nil
	}
	out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %.500s", strings.Join(command, " "), err, out)
	}
	return nil
}
