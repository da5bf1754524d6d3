package job

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gofleet/sandbox/internal/mount"
)

func TestABoundJobFillsItsOwnFileSystemAndNoOther(t *testing.T) {
	c, s := lab(t)
	c.Job.WorkspaceBytes = 8 << 20
	used := func() int64 {
		var fs syscall.Statfs_t
		must(t, syscall.Statfs(c.State, &fs))
		return int64(fs.Blocks-fs.Bfree) * int64(fs.Bsize)
	}
	before := used()
	for range 2 {
		must(t, Prepare(c, s))
		for _, place := range []string{".", "../home", "../tmp", "../gotmp", s.Modules} {
			said, err := asSlot(t, s, "head -c 20000000 /dev/zero >"+place+"/bomb; code=$?; rm "+place+"/bomb; exit $code")
			if err == nil || !strings.Contains(said, "No space left on device") {
				t.Errorf("%s: %v %s", place, err, said)
			}
		}
		if said, err := asSlot(t, s, "i=0; while : >f$i; do i=$((i + 1)); done 2>&1"); !strings.Contains(said, "No space left") {
			t.Errorf("files without end: %v %s", err, said)
		}
		if said, err := asSlot(t, s, "ls "+c.Layers(s)); err == nil {
			t.Errorf("layers are open: %s", said)
		}
		// A workspace and the locks of the slot are a few pages.
		if grown := used() - before; grown > 1<<20 {
			t.Errorf("%d bytes on the disk", grown)
		}
		must(t, Finish(c, s))
		list, err := mount.List()
		must(t, err)
		for _, each := range list {
			if strings.HasPrefix(each.Point, c.State+"/") || strings.HasPrefix(each.Point, filepath.Dir(s.Modules)) {
				t.Errorf("%s is left", each.Point)
			}
		}
	}
}

func TestWhatACrashLeftOfABoundJobGoesAlsoWithoutTheBound(t *testing.T) {
	c, s := lab(t)
	c.Job.WorkspaceBytes = 8 << 20
	must(t, Prepare(c, s))
	write(t, filepath.Join(s.Workspace, "work", "left"), "")
	c.Job.WorkspaceBytes = 0
	must(t, Prepare(c, s))
	if own, err := mount.At(s.Workspace); own != nil || err != nil {
		t.Errorf("%v %v", own, err)
	}
	if left, err := os.ReadDir(filepath.Join(s.Workspace, "work")); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
	must(t, Finish(c, s))
}

func TestAnAdministratorsOwnFileSystemIsNotMountedOver(t *testing.T) {
	c, s := lab(t)
	must(t, os.MkdirAll(s.Workspace, 0o755))
	must(t, mount.Memory(s.Workspace, 1<<20))
	c.Job.WorkspaceBytes = 8 << 20
	if err := Prepare(c, s); err == nil || !strings.Contains(err.Error(), "leave out limits.workspace") {
		t.Errorf("%v", err)
	}
}
