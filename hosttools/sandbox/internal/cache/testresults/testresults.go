// Package testresults expires the results of tests in a build cache, as `go clean -testcache` does, and removes them:
// the cheapest way to make room, for nothing has to be compiled again.
package testresults

import (
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gofleet/sandbox/internal/cache/gocache"
)

// expiry is the file that holds when results were expired, in nanoseconds; without its line break it does not count.
const expiry = "testexpire.txt"

// future is how far ahead of the clock an expiry may be: one further ahead would keep tests from being cached.
const future = 5 * time.Minute

// Report is what was removed.
type Report struct {
	Results int   `json:"results"`
	Freed   int64 `json:"freedBytes"`
}

// Expire makes results of up to now count no longer and removes them.
func Expire(c *gocache.Cache, inventory *gocache.Inventory, now time.Time) (*Report, error) {
	err := c.Update(expiry, func(old string) string {
		if at := parse(old); at >= now.UnixNano() && at <= now.Add(future).UnixNano() {
			return old
		}
		return strconv.FormatInt(now.UnixNano(), 10) + "\n"
	})
	if err != nil {
		return nil, err
	}
	report := &Report{}
	var failed []error
	dead := map[string]bool{}
	for id, action := range inventory.Actions {
		output := inventory.Outputs[action.Output]
		if output == nil || action.Broken != nil || !isResult(c, output) {
			continue
		}
		if err := c.Remove(action.Path); err != nil {
			failed = append(failed, err)
			continue
		}
		delete(inventory.Actions, id)
		dead[output.ID] = true
		report.Results++
		report.Freed += action.Occupied
	}
	for _, action := range inventory.Actions {
		delete(dead, action.Output)
	}
	for id := range dead {
		output := inventory.Outputs[id]
		if err := c.Remove(output.Path); err != nil {
			failed = append(failed, err)
			continue
		}
		delete(inventory.Outputs, id)
		report.Freed += output.Occupied
	}
	return report, errors.Join(failed...)
}

// Repair puts right an expiry from the future, which a wrong clock left.
func Repair(c *gocache.Cache, now time.Time) error {
	if _, err := os.Lstat(c.Path + "/" + expiry); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return c.Update(expiry, func(old string) string {
		if parse(old) <= now.Add(future).UnixNano() {
			return old
		}
		return strconv.FormatInt(now.UnixNano(), 10) + "\n"
	})
}

func parse(text string) int64 {
	at, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0
	}
	return at
}

var (
	log   = []byte("# test log\n")
	cover = regexp.MustCompile(`^mode: (set|count|atomic)\n`)
)

// isResult tells the results of tests by what is in them: what a test asked for (a log), what it printed, whose last
// line begins with "ok", and its coverage.
func isResult(c *gocache.Cache, output *gocache.Output) bool {
	if output.Executable() {
		return false
	}
	file, err := c.OpenFile(output.Content)
	if err != nil {
		return false
	}
	defer file.Close()
	head := make([]byte, 16)
	n, _ := io.ReadFull(file, head)
	if bytes.HasPrefix(head[:n], log) || cover.Match(head[:n]) {
		return true
	}
	tail := make([]byte, min(output.Size, 4<<10))
	if n, err := file.ReadAt(tail, output.Size-int64(len(tail))); err != nil && n < len(tail) || n == 0 || tail[n-1] != '\n' {
		return false
	}
	last := bytes.LastIndexByte(tail[:len(tail)-1], '\n') + 1
	return bytes.HasPrefix(tail[last:], []byte("ok  \t"))
}
