package gocache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Entry is an action with its output, as a go command reads them.
type Entry struct {
	// Output is the ID of the output: the SHA-256 of its content, in hex.
	Output string
	Size   int64
	Added  time.Time
	// Path is the file with the content.
	Path string
}

// noteUse is how old the last noted use of an entry must be to be noted again, as by the go command.
const noteUse = time.Hour

// Lookup finds an action in the cache at a path as a go command would, and notes the use.
func Lookup(path, action string) (Entry, bool) {
	name, ok := entryPath(path, action, actionSuffix)
	if !ok {
		return Entry{}, false
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return Entry{}, false
	}
	found, err := parseAction(action, text)
	if err != nil {
		return Entry{}, false
	}
	content, _ := entryPath(path, found.output, outputSuffix)
	info, err := os.Lstat(content)
	if err != nil || !info.Mode().IsRegular() || info.Size() != found.size {
		return Entry{}, false
	}
	if now := time.Now(); now.Sub(info.ModTime()) > noteUse {
		// Of a cache that others own no use can be noted.
		_, _ = os.Chtimes(name, now, now), os.Chtimes(content, now, now)
	}
	return Entry{found.output, found.size, found.added, content}, true
}

// Insert stores an action with its output, which must have the content that its ID names, as of when it was first made.
// Each file is whole or not there.
func Insert(path, action, output string, added time.Time, content io.Reader) (Entry, error) {
	actionFile, ok1 := entryPath(path, action, actionSuffix)
	outputFile, ok2 := entryPath(path, output, outputSuffix)
	if !ok1 || !ok2 {
		return Entry{}, fmt.Errorf("action %q with output %q: IDs have %d hex digits", action, output, idDigits)
	}
	sum := sha256.New()
	size := int64(0)
	err := replace(outputFile, func(file *os.File) (err error) {
		size, err = io.Copy(io.MultiWriter(file, sum), content)
		if err == nil && hex.EncodeToString(sum.Sum(nil)) != output {
			err = fmt.Errorf("output %s: its content is another", output)
		}
		return err
	})
	if err != nil {
		return Entry{}, err
	}
	err = replace(actionFile, func(file *os.File) error {
		_, err := file.WriteString(actionText(action, output, size, added))
		return err
	})
	return Entry{output, size, added, outputFile}, err
}

func actionText(action, output string, size int64, added time.Time) string {
	return fmt.Sprintf("v1 %s %s %20d %20d\n", action, output, size, added.UnixNano())
}

func entryPath(path, id, suffix string) (string, bool) {
	if len(id) != idDigits || !isHex(id) {
		return "", false
	}
	return filepath.Join(path, id[:2], id+suffix), true
}

func replace(path string, fill func(*os.File) error) error {
	bucket := filepath.Dir(path)
	if err := os.Mkdir(bucket, 0o777); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	file, err := os.CreateTemp(bucket, Partial+"*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if err := errors.Join(fill(file), file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
