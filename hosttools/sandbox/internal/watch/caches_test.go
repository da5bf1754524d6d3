package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestASlotsBuildCacheIsShrunkOldestFirst(t *testing.T) {
	l := newLab(t)
	must(t, os.MkdirAll(filepath.Join(l.memory, "00"), 0o755))
	now := time.Now()
	output := func(n int) string { return filepath.Join(l.memory, "00", fmt.Sprintf("%064x-d", n)) }
	for n := 1; n <= 8; n++ {
		must(t, os.WriteFile(output(n), make([]byte, 1<<16), 0o644))
		action := filepath.Join(l.memory, "00", fmt.Sprintf("%064x-a", n))
		must(t, os.WriteFile(action, []byte(fmt.Sprintf("v1 %064x %064x %20d %20d\n", n, n, 1<<16, now.UnixNano())), 0o644))
		then := now.Add(time.Duration(n-10) * time.Minute)
		must(t, os.Chtimes(output(n), then, then))
		must(t, os.Chtimes(action, then, then))
	}
	list, err := caches(l.Config)
	must(t, err)
	if len(list) != 2 || list[0].Slot() != 1 || list[0].Path() != l.memory {
		t.Fatalf("%+v", list)
	}
	bytes, files, err := list[0].Occupied()
	must(t, err)
	if files != 16 {
		t.Errorf("%d files", files)
	}
	must(t, list[0].Shrink(bytes/2, files))
	for n := 1; n <= 8; n++ {
		if _, err := os.Stat(output(n)); (err == nil) != (n > 4) {
			t.Errorf("output %d: %v", n, err)
		}
	}
	// Their number is bounded by itself: room is not what is short.
	must(t, list[0].Shrink(bytes, 4))
	for n := 5; n <= 8; n++ {
		if _, err := os.Stat(output(n)); (err == nil) != (n > 6) {
			t.Errorf("output %d of few: %v", n, err)
		}
	}
	must(t, list[0].ExpireTests())
	if _, err := os.Stat(filepath.Join(l.memory, "testexpire.txt")); err != nil {
		t.Error(err)
	}
}
