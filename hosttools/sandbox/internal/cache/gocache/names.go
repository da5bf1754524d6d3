// Package gocache reads the go command's build cache (GOCACHE) as it is on disk, and removes files of it.
//
// A cache has 256 buckets, `00` to `ff`, by the first byte of an entry's name:
//
//	xx/<64 hex digits>-a  an action: "v1 <its own ID> <output ID> <size> <time added, ns>\n", numbers padded to 20
//	xx/<64 hex digits>-d  an output, named by the SHA-256 of its content; that of `go run` and `go tool` is a directory
//	                      with one executable in it, whose content has that SHA-256
//
// Beside them are trim.txt (when the go command last trimmed), testexpire.txt (test results added before count no
// longer), README and fuzz/, the corpora of fuzz tests. The go command writes outputs before actions, sets the time of
// modification of what it uses at most once an hour, and trusts an output whose size fits: it does not read it again.
package gocache

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"
)

const (
	actionSuffix = "-a"
	outputSuffix = "-d"
	idDigits     = 64
	// actionSize is the exact size of an action file.
	actionSize = len("v1 ") + idDigits + 1 + idDigits + 1 + 20 + 1 + 20 + 1
)

// Buckets calls each with the name of every bucket.
func Buckets(each func(name string)) {
	for i := range 256 {
		each(fmt.Sprintf("%02x", i))
	}
}

// id takes an entry's name apart; ok is false for what the go command would not have written there.
func id(bucket, name string) (id, suffix string, ok bool) {
	if len(name) != idDigits+len(actionSuffix) || name[:2] != bucket || !isHex(name[:idDigits]) {
		return "", "", false
	}
	suffix = name[idDigits:]
	return name[:idDigits], suffix, suffix == actionSuffix || suffix == outputSuffix
}

func isHex(text string) bool {
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

type action struct {
	output string
	size   int64
	added  time.Time
}

// parseAction reads the content of the action file with this ID.
func parseAction(id string, content []byte) (action, error) {
	var a action
	if len(content) != actionSize {
		return a, fmt.Errorf("%d bytes long, not %d", len(content), actionSize)
	}
	fields := bytes.Fields(content)
	if len(fields) != 5 || string(fields[0]) != "v1" || content[len(content)-1] != '\n' {
		return a, errors.New("no v1 entry")
	}
	if string(fields[1]) != id {
		return a, errors.New("the entry of another action")
	}
	if len(fields[2]) != idDigits {
		return a, errors.New("no output ID")
	}
	if _, err := hex.Decode(make([]byte, idDigits/2), fields[2]); err != nil || !isHex(string(fields[2])) {
		return a, errors.New("no output ID")
	}
	size, err := strconv.ParseInt(string(fields[3]), 10, 64)
	if err != nil || size < 0 {
		return a, errors.New("no size")
	}
	added, err := strconv.ParseInt(string(fields[4]), 10, 64)
	if err != nil || added < 0 {
		return a, errors.New("no time")
	}
	return action{string(fields[2]), size, time.Unix(0, added)}, nil
}
