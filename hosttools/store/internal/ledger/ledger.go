// Package ledger remembers what each version was when it was first seen whole.
package ledger

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"gofleet/store/internal/files"
)

// Ledger maps module@version to what is known of it.
type Ledger struct {
	path     string
	Versions map[string]Entry `json:"versions"`
}

// Entry is one version.
type Entry struct {
	// H1 of the zip when the version was first seen whole; empty for one that has no zip.
	H1 string `json:"h1,omitempty"`
	// Mod is the h1 of its go.mod.
	Mod string `json:"mod,omitempty"`
	// Read is when all of it was last read, in Unix seconds; 0: never by us.
	Read int64 `json:"read"`
	// Stamps are the files as they were then; none: the version is not in the store now.
	Stamps map[string]Stamp `json:"stamps,omitempty"`
}

// Stamp tells a file that was not touched. A content of equal size with the modification time put back still has
// another change time, which only a wrong clock can fake.
type Stamp struct {
	Size  int64  `json:"size"`
	Mtime int64  `json:"mtime"`
	Ctime int64  `json:"ctime"`
	Inode uint64 `json:"inode"`
}

// StampOf makes the stamp of a file.
func StampOf(info fs.FileInfo) Stamp {
	stat := info.Sys().(*syscall.Stat_t)
	return Stamp{Size: stat.Size, Mtime: stat.Mtim.Nano(), Ctime: stat.Ctim.Nano(), Inode: stat.Ino}
}

// Open reads the ledger of a state directory; one that is missing or cannot be read is empty, and everything is read anew.
func Open(state string) (*Ledger, error) {
	l := &Ledger{path: filepath.Join(state, "ledger.json")}
	text, err := os.ReadFile(l.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if json.Unmarshal(text, l) != nil || l.Versions == nil {
		l.Versions = map[string]Entry{}
	}
	return l, nil
}

// Save writes the ledger, if it changed.
func (l *Ledger) Save() error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = files.Ensure(l.path, append(text, '\n'), 0o640)
	return err
}
