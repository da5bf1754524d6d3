package cache

import (
	"fmt"
	"os"
	"time"
)

// helper is what a test runs this program again for, to kill it: GOFLEET_TEST_COPY is "persist" or "restore".
func helper() bool {
	verb := os.Getenv("GOFLEET_TEST_COPY")
	if verb == "" {
		return false
	}
	k := &Keeper{Path: os.Getenv("GOFLEET_TEST_CACHE"), Now: time.Now}
	do := k.Persist
	if verb == "restore" {
		do = k.Restore
	}
	if _, err := do(os.Getenv("GOFLEET_TEST_DIRECTORY")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}
