package watch

import (
	"gofleet/sandbox/internal/cache"
	"gofleet/sandbox/internal/config"
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

func (k kept) Path() string                    { return k.keeper.Path }
func (k kept) Slot() int                       { return k.slot }
func (k kept) Occupied() (int64, int64, error) { return k.keeper.Occupied() }

func (k kept) ExpireTests() error {
	_, err := k.keeper.ExpireTests()
	return err
}

func (k kept) Shrink(bytes int64) error {
	smaller := *k.keeper
	smaller.MaxBytes, smaller.MaxAge = max(1, bytes), 0
	_, err := smaller.Prune()
	return err
}
