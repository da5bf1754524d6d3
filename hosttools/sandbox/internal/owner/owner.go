// Package owner lets root act with the rights of a directory's owner, so that nothing that the owner put there can make
// root read or remove what the owner could not.
package owner

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
)

// Of is who owns a directory.
func Of(path string) (user, group int, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, 0, err
	}
	if !info.IsDir() {
		return 0, 0, fmt.Errorf("%s is no directory", path)
	}
	s := info.Sys().(*syscall.Stat_t)
	return int(s.Uid), int(s.Gid), nil
}

// As runs what root wants done with the effective rights of the directory's owner. Called by the owner it just runs it;
// anybody else gets an error. The whole process changes, so that nothing else may go on meanwhile; other processes of
// that user can neither signal nor trace it, for its real user stays root.
func As(path string, do func() error) (err error) {
	user, group, err := Of(path)
	if err != nil {
		return err
	}
	me := os.Geteuid()
	if me == user {
		return do()
	}
	if me != 0 {
		return fmt.Errorf("%s belongs to user %d, this is user %d: run it as that user or as root", path, user, me)
	}
	groups, err := syscall.Getgroups()
	if err != nil {
		return err
	}
	own := os.Getegid()
	back := func() error {
		return errors.Join(syscall.Setresuid(-1, 0, -1), syscall.Setresgid(-1, own, -1), syscall.Setgroups(slices.Clone(groups)))
	}
	defer func() {
		if failed := back(); failed != nil {
			// Going on with mixed rights is worse than ending.
			panic(fmt.Sprintf("cannot take back root's rights: %v", failed))
		}
	}()
	if err := syscall.Setgroups([]int{group}); err != nil {
		return err
	}
	if err := syscall.Setresgid(-1, group, -1); err != nil {
		return err
	}
	if err := syscall.Setresuid(-1, user, -1); err != nil {
		return err
	}
	return do()
}
