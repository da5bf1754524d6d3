package watch

import (
	"context"

	"gofleet/sandbox/internal/cache"
	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/remove"
	"gofleet/sandbox/internal/usage"
)

// kept is a build cache that no job uses meanwhile.
type kept struct {
	keeper *cache.Keeper
	slot   int
}

func caches(c *config.Config) ([]BuildCache, error) {
	keepers, err := cache.Of(c, 0)
	if err != nil {
		return nil, err
	}
	var list []BuildCache
	for i, keeper := range keepers {
		keeper.Grace = 0
		each := kept{keeper: keeper}
		if !keeper.Shared {
			each.slot = c.Slots[i].Number
		}
		list = append(list, each)
	}
	return list, nil
}

func (k kept) Path() string { return k.keeper.Path }
func (k kept) Slot() int    { return k.slot }

// Occupied also counts what a job has made of its slot's own cache, so that it is none any more.
func (k kept) Occupied() (bytes, files int64, err error) {
	bytes, files, err = k.keeper.Occupied()
	if err != nil && k.slot > 0 {
		bytes, files = usage.Tree(k.keeper.Path)
		return bytes, files, nil
	}
	return bytes, files, err
}

func (k kept) ExpireTests() error {
	_, err := k.keeper.ExpireTests()
	return err
}

// Shrink empties a slot's own cache altogether where a keeper cannot: it is disposable.
func (k kept) Shrink(bytes, files int64) error {
	smaller := *k.keeper
	smaller.MaxBytes, smaller.MaxFiles, smaller.MaxAge = max(1, bytes), max(1, files), 0
	_, err := smaller.Prune()
	if leftBytes, leftFiles := usage.Tree(k.keeper.Path); err != nil && k.slot > 0 && (leftBytes > bytes || leftFiles > files) {
		return remove.Contents(context.Background(), k.keeper.Path)
	}
	return err
}
