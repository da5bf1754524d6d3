package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gofleet/sandbox/internal/usage"
)

// marked is a file that is there once the module user has found the cache full: to look how full it is takes long.
func marked(shared string) string { return filepath.Join(shared, private, "full") }

func markFull(shared string) error {
	file, err := os.OpenFile(marked(shared), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// Full reports whether nothing more was fetched since the shared cache has reached its budget.
func Full(shared string) bool {
	_, err := os.Lstat(marked(shared))
	return err == nil
}

// kept is the part of its budget that a shared cache is brought down to: jobs are held up for that, and not soon again.
const kept = 0.75

// Trim removes the versions that came first from a shared cache that has reached its budget. Nobody may be using the cache.
func Trim(ctx context.Context, shared string, budget int64) (says string, err error) {
	versions, err := Versions(shared)
	if err != nil {
		return "", err
	}
	size, _ := usage.Tree(shared)
	count := 0
	for _, each := range versions {
		if size <= int64(kept*float64(budget)) {
			break
		}
		tree, _ := usage.Tree(filepath.Join(shared, each.Directory()))
		zip, _ := usage.Tree(filepath.Join(shared, "cache", "download", each.File("zip")))
		if err := Remove(ctx, shared, each.Version); err != nil {
			return "", err
		}
		size -= tree + zip
		count++
	}
	if err := os.Remove(marked(shared)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return fmt.Sprintf("%d versions of %d", count, len(versions)), nil
}
