package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"

	"gofleet/sandbox/internal/beneath"
	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/mount"
	"gofleet/sandbox/internal/remove"
)

// clearWorkspace removes a workspace and what is mounted in it. One that is a mount point itself is emptied.
func clearWorkspace(ctx context.Context, path string) error {
	if err := mount.ClearBelow(path); err != nil {
		return err
	}
	own, err := mount.At(path)
	if err != nil {
		return err
	}
	if own == nil {
		return remove.Tree(ctx, path)
	}
	return errors.Join(remove.Contents(ctx, path), withoutAccessLists(path))
}

// withoutAccessLists takes off a directory what its owner may have left on it for whoever comes next.
func withoutAccessLists(path string) error {
	for _, name := range []string{"system.posix_acl_access", "system.posix_acl_default"} {
		err := syscall.Removexattr(path, name)
		if err != nil && !errors.Is(err, syscall.ENODATA) && !errors.Is(err, syscall.ENOTSUP) {
			return fmt.Errorf("%s: %s: %w", path, name, err)
		}
	}
	return nil
}

// makeWorkspace makes the directories of a job, each 0700 of its user. They are root's until all are there.
func makeWorkspace(path string, owner account, inputs []config.Input) error {
	parent, err := trusted(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer syscall.Close(parent)
	name := filepath.Base(path)
	if err := syscall.Mkdirat(parent, name, 0o700); err != nil && !errors.Is(err, syscall.EEXIST) {
		return fmt.Errorf("%s: %w", path, err)
	}
	own, err := beneath.At(parent, name, syscall.O_RDONLY|syscall.O_DIRECTORY, beneath.Anywhere)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer syscall.Close(own)
	if err := errors.Join(syscall.Fchown(own, 0, 0), syscall.Fchmod(own, 0o700)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, each := range []string{config.Home, config.Tmp, config.GoTmp, config.Checkout} {
		if err := makeOwned(own, each, owner); err != nil {
			return fmt.Errorf("%s/%s: %w", path, each, err)
		}
	}
	if len(inputs) > 0 {
		if err := bindInputs(own, path, inputs); err != nil {
			return err
		}
	}
	if err := syscall.Fchown(own, owner.uid, owner.gid); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

var inputName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)

func bindInputs(own int, path string, inputs []config.Input) error {
	if err := syscall.Mkdirat(own, config.InputsAt, 0o755); err != nil {
		return fmt.Errorf("%s/%s: %w", path, config.InputsAt, err)
	}
	for _, input := range inputs {
		if !inputName.MatchString(input.Name) {
			return fmt.Errorf("inputs: %q: must be a file name of letters, digits, dots, - and _", input.Name)
		}
		target := filepath.Join(path, config.InputsAt, input.Name)
		if err := os.Mkdir(target, 0o755); err != nil {
			return fmt.Errorf("inputs: %w", err)
		}
		if err := mount.ReadOnly(input.From, target); err != nil {
			return fmt.Errorf("inputs: %s: %w", input.Name, err)
		}
	}
	return nil
}

// makeOwned makes a directory, or takes one that is there, and gives it to the owner.
func makeOwned(parent int, name string, owner account) error {
	if err := syscall.Mkdirat(parent, name, 0o700); err != nil && !errors.Is(err, syscall.EEXIST) {
		return err
	}
	fd, err := beneath.At(parent, name, syscall.O_RDONLY|syscall.O_DIRECTORY, beneath.Anywhere)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	return errors.Join(syscall.Fchown(fd, owner.uid, owner.gid), syscall.Fchmod(fd, 0o700))
}

// trusted opens a directory in which nobody else can put anything: what is made there stays what it is.
func trusted(path string) (int, error) {
	fd, err := beneath.Open(path)
	if err != nil {
		return -1, err
	}
	var stat syscall.Stat_t
	err = syscall.Fstat(fd, &stat)
	if err == nil && (int(stat.Uid) != os.Geteuid() || stat.Mode&0o022 != 0) {
		err = fmt.Errorf("%s: belongs to uid %d with mode %04o; it must belong to root and be writable for nobody else", path, stat.Uid, stat.Mode&0o7777)
	}
	if err != nil {
		syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}
