package main

import (
	"encoding/json"
	"flag"
	"os"

	"gofleet/sandbox/internal/cache/gocache"
)

// cacheCommands keep a Go build cache.
var cacheCommands = []command{
	{"stats", "DIRECTORY", "say what a build cache holds, as JSON", declareStats},
}

func declareStats(*flag.FlagSet) run {
	return func(arguments []string) error {
		cache, err := gocache.Open(arguments[0])
		if err != nil {
			return err
		}
		defer cache.Close()
		inventory, err := cache.Read()
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(map[string]int64{
			"bytes": inventory.Occupied(), "actions": int64(len(inventory.Actions)), "outputs": int64(len(inventory.Outputs)),
		})
	}
}
