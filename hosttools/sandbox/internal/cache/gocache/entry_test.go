package gocache

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func idOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestWhatIsInsertedIsFoundAsAGoCommandWould(t *testing.T) {
	cache, action, added := t.TempDir(), idOf("action"), time.Unix(1700000000, 5)
	if _, ok := Lookup(cache, action); ok {
		t.Error("an empty cache has it")
	}
	stored, err := Insert(cache, action, idOf("content"), added, strings.NewReader("content"))
	if err != nil {
		t.Fatal(err)
	}
	found, ok := Lookup(cache, action)
	if !ok || found.Output != idOf("content") || found.Size != 7 || !found.Added.Equal(added) || found.Path != stored.Path {
		t.Errorf("%+v %v", found, ok)
	}
	// The cache's own reader takes it, too.
	c, err := Open(cache, false)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	inventory, err := c.Read()
	if err != nil || len(inventory.Actions) != 1 || len(inventory.Outputs) != 1 {
		t.Errorf("%+v %v", inventory, err)
	}
	old := time.Now().Add(-3 * time.Hour)
	if err := os.Chtimes(found.Path, old, old); err != nil {
		t.Fatal(err)
	}
	Lookup(cache, action)
	if info, err := os.Stat(found.Path); err != nil || time.Since(info.ModTime()) > time.Minute {
		t.Errorf("the use is not noted: %v %v", info, err)
	}
	if err := os.Truncate(found.Path, 3); err != nil {
		t.Fatal(err)
	}
	if _, ok := Lookup(cache, action); ok {
		t.Error("a truncated output is found")
	}
}

func TestWhatHasNotTheContentOfItsNameIsNotStored(t *testing.T) {
	cache, action := t.TempDir(), idOf("action")
	if _, err := Insert(cache, action, idOf("content"), time.Now(), strings.NewReader("other content")); err == nil {
		t.Error("no error")
	}
	for _, id := range []string{"", "../../x", strings.Repeat("g", 64)} {
		if _, err := Insert(cache, id, idOf(""), time.Now(), strings.NewReader("")); err == nil {
			t.Errorf("%q is an ID", id)
		}
		if _, ok := Lookup(cache, id); ok {
			t.Errorf("%q is an ID", id)
		}
	}
	if left, err := filepath.Glob(filepath.Join(cache, "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
}
