package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"gofleet/store/internal/files"
	"gofleet/store/internal/repair"
	"gofleet/store/internal/watch"
)

// apply does, as root, what runs have asked for. A mark that could not be dealt with is there again for the next time.
func (k *keeper) apply([]string) error {
	return errors.Join(
		k.settle(watch.RestartMark, k.c.Athens.Restart),
		k.settle(repair.ReloadMark, k.c.Front.Reload),
	)
}

func (k *keeper) settle(mark string, words []string) error {
	path := filepath.Join(k.c.Runtime, mark)
	// Before the command: a mark that is made while it runs asks for another one.
	if was, err := files.Remove(path); err != nil || !was || len(words) == 0 {
		return err
	}
	output, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("%s: %w: %s", words[0], err, output), files.Replace(path, nil, 0o640))
}
