package mount

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// alone gives the test a mount namespace of its own, with a tmpfs.
func alone(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: needs root: mounts")
	}
	top := t.TempDir()
	// The thread is not unlocked: it ends with the test, and its namespace with it.
	runtime.LockOSThread()
	must(t, syscall.Unshare(syscall.CLONE_NEWNS|syscall.CLONE_FS))
	must(t, syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	must(t, syscall.Mount("none", top, "tmpfs", 0, "size=16m"))
	t.Cleanup(func() { syscall.Unmount(top, syscall.MNT_DETACH) })
	return top
}

func TestParse(t *testing.T) {
	list := parse("36 35 98:0 /mnt1 /with\\040space\\134and rw,noatime master:1 - ext3 /dev/root rw\n" +
		"37 35 0:3 / /plain ro,nosuid - tmpfs none rw\nnonsense\n")
	if len(list) != 2 || list[0] != (Mount{`/with space\and`, "ext3", false}) || list[1] != (Mount{"/plain", "tmpfs", true}) {
		t.Errorf("%+v", list)
	}
}

func TestAnOverlayTakesWhatIsWrittenAndGoes(t *testing.T) {
	top := alone(t)
	// Characters that separate an overlay's options.
	lower := filepath.Join(top, "lo:w,er")
	for _, dir := range []string{"lo:w,er", "upper", "work", "target"} {
		must(t, os.Mkdir(filepath.Join(top, dir), 0o755))
	}
	must(t, os.WriteFile(filepath.Join(lower, "shared"), []byte("before"), 0o644))
	target := filepath.Join(top, "target")
	must(t, Overlay(lower, filepath.Join(top, "upper"), filepath.Join(top, "work"), target))
	must(t, os.WriteFile(filepath.Join(target, "shared"), []byte("after"), 0o644))
	if now, err := os.ReadFile(filepath.Join(lower, "shared")); err != nil || string(now) != "before" {
		t.Errorf("the lower layer was written: %q %v", now, err)
	}
	// Somebody stands in it.
	open, err := os.Open(target)
	must(t, err)
	defer open.Close()
	must(t, ClearOverlays(target))
	if m, err := At(target); m != nil || err != nil {
		t.Errorf("%+v %v", m, err)
	}
	must(t, ClearOverlays(target))
}

func TestABoundInputIsReadOnly(t *testing.T) {
	top := alone(t)
	from, target := filepath.Join(top, "from"), filepath.Join(top, "ws", "inputs", "data")
	must(t, os.MkdirAll(target, 0o755))
	must(t, os.MkdirAll(from, 0o755))
	must(t, os.WriteFile(filepath.Join(from, "file"), []byte("x"), 0o644))
	must(t, ReadOnly(from, target))
	if err := os.WriteFile(filepath.Join(target, "file"), nil, 0o644); !errors.Is(err, syscall.EROFS) {
		t.Errorf("%v", err)
	}
	must(t, os.WriteFile(filepath.Join(from, "file"), nil, 0o644))
	must(t, ClearBelow(filepath.Join(top, "ws")))
	if m, _ := At(target); m != nil {
		t.Error("still mounted")
	}
}

func TestATargetBehindALinkIsRefused(t *testing.T) {
	top := alone(t)
	must(t, os.MkdirAll(filepath.Join(top, "real", "target"), 0o755))
	must(t, os.Symlink("real", filepath.Join(top, "link")))
	if err := ReadOnly(filepath.Join(top, "real"), filepath.Join(top, "link", "target")); err == nil {
		t.Error("mounted behind a link")
	}
}
