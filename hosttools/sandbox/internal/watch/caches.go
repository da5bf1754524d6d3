package watch

import (
	"gofleet/sandbox/internal/config"
)

func caches(c *config.Config) ([]BuildCache, error) {
	return nil, nil
}
