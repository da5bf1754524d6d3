// Package lock takes locks that end with their process.
package lock

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// Ways to hold a lock.
const (
	Shared    = syscall.LOCK_SH
	Exclusive = syscall.LOCK_EX
)

// File waits for a lock file of one's own; the returned function gives it back.
func File(path string) (release func(), err error) {
	file, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(file, syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() { file.Close() }, nil
}

// Try takes an open file's lock, shared or exclusive, and waits for it as long as the context lasts; an
// ended context takes a free lock all the same. False: somebody has it.
func Try(ctx context.Context, file *os.File, how int) (bool, error) {
	for pause := time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		err := flock(file, how|syscall.LOCK_NB)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return false, err
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-time.After(pause):
		}
	}
}

func flock(file *os.File, how int) error {
	for {
		if err := syscall.Flock(int(file.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
