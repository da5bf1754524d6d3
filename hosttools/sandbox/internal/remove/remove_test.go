package remove

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte("x"), 0o644))
}

func gone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there", path)
	}
}

func there(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("%s is gone", path)
	}
}

func TestAnOrdinaryTreeGoesAndNothingElse(t *testing.T) {
	top := t.TempDir()
	for i := range 300 {
		write(t, filepath.Join(top, "ws", fmt.Sprintf("d%d", i%7), fmt.Sprintf("%d", i), "file"))
	}
	write(t, filepath.Join(top, "neighbour", "file"))
	must(t, Tree(context.Background(), filepath.Join(top, "ws")))
	gone(t, filepath.Join(top, "ws"))
	there(t, filepath.Join(top, "neighbour", "file"))
	// Again, and without a parent: nothing to do.
	must(t, Tree(context.Background(), filepath.Join(top, "ws")))
	must(t, Tree(context.Background(), filepath.Join(top, "ws", "a", "b")))
}

func TestLinksAreRemovedAndNotFollowed(t *testing.T) {
	top := t.TempDir()
	kept := filepath.Join(top, "kept")
	write(t, filepath.Join(kept, "file"))
	ws := filepath.Join(top, "ws")
	must(t, os.MkdirAll(filepath.Join(ws, "sub"), 0o755))
	must(t, os.Symlink(kept, filepath.Join(ws, "directory")))
	must(t, os.Symlink("..", filepath.Join(ws, "sub", "up")))
	must(t, os.Symlink(ws, filepath.Join(ws, "sub", "loop")))
	must(t, os.Link(filepath.Join(kept, "file"), filepath.Join(ws, "hard")))
	must(t, Tree(context.Background(), ws))
	gone(t, ws)
	content, err := os.ReadFile(filepath.Join(kept, "file"))
	if err != nil || string(content) != "x" {
		t.Errorf("what a link led to was touched: %q, %v", content, err)
	}
}

func TestATopThatIsALinkIsTakenForTheLinkItself(t *testing.T) {
	top := t.TempDir()
	write(t, filepath.Join(top, "kept", "file"))
	must(t, os.Symlink("kept", filepath.Join(top, "ws")))
	must(t, Tree(context.Background(), filepath.Join(top, "ws")))
	gone(t, filepath.Join(top, "ws"))
	there(t, filepath.Join(top, "kept", "file"))
}

func TestAParentThatIsALinkIsRefused(t *testing.T) {
	top := t.TempDir()
	write(t, filepath.Join(top, "kept", "ws", "file"))
	must(t, os.Symlink("kept", filepath.Join(top, "link")))
	err := Tree(context.Background(), filepath.Join(top, "link", "ws"))
	if err == nil || !strings.Contains(err.Error(), "is a link or") {
		t.Errorf("%v", err)
	}
	there(t, filepath.Join(top, "kept", "ws", "file"))
}

func TestATreeDeeperThanAnyPath(t *testing.T) {
	const depth = 3000
	ws := filepath.Join(t.TempDir(), "ws")
	must(t, os.Mkdir(ws, 0o755))
	fd, err := syscall.Open(ws, syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	must(t, err)
	name := strings.Repeat("n", 200)
	for range depth {
		must(t, syscall.Mkdirat(fd, name, 0o755))
		next, err := syscall.Openat(fd, name, syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
		must(t, err)
		syscall.Close(fd)
		fd = next
	}
	syscall.Close(fd)
	must(t, Tree(context.Background(), ws))
	gone(t, ws)
}

func TestPipesSocketsAndDeadLinksDoNotHoldItUp(t *testing.T) {
	ws := filepath.Join(t.TempDir(), "ws")
	must(t, os.Mkdir(ws, 0o755))
	must(t, syscall.Mkfifo(filepath.Join(ws, "pipe"), 0o600))
	must(t, os.Symlink("/nowhere", filepath.Join(ws, "dead")))
	socket, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(t, err)
	defer syscall.Close(socket)
	must(t, syscall.Bind(socket, &syscall.SockaddrUnix{Name: filepath.Join(ws, "s")}))
	write(t, filepath.Join(ws, "name\nwith\x01all \xff"))
	must(t, Tree(context.Background(), ws))
	gone(t, ws)
}

func TestUnreadableDirectories(t *testing.T) {
	ws := filepath.Join(t.TempDir(), "ws")
	write(t, filepath.Join(ws, "closed", "inner", "file"))
	must(t, os.Chmod(filepath.Join(ws, "closed", "inner"), 0o555))
	must(t, os.Chmod(filepath.Join(ws, "closed"), 0))
	must(t, os.Chmod(ws, 0))
	must(t, Tree(context.Background(), ws))
	gone(t, ws)
}

func TestItEndsWhenItsTimeIsOverAndGoesOnLater(t *testing.T) {
	ws := filepath.Join(t.TempDir(), "ws")
	write(t, filepath.Join(ws, "a", "b", "file"))
	ctx, cancel := context.WithDeadline(context.Background(), time.Now())
	defer cancel()
	if err := Tree(ctx, ws); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	must(t, Tree(context.Background(), ws))
	gone(t, ws)
}

func TestContentsKeepsTheDirectory(t *testing.T) {
	top := t.TempDir()
	write(t, filepath.Join(top, "a", "file"))
	must(t, Contents(context.Background(), top))
	entries, err := os.ReadDir(top)
	if err != nil || len(entries) != 0 {
		t.Errorf("%v %v", entries, err)
	}
}

func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: needs root: mounts and attributes")
	}
}

func TestAMountPointStaysAndTheRestGoes(t *testing.T) {
	asRoot(t)
	top := t.TempDir()
	ws := filepath.Join(top, "ws")
	outside := filepath.Join(top, "outside")
	write(t, filepath.Join(outside, "file"))
	// A bind mount of the same file system: only the mount tells it apart.
	for _, name := range []string{"empty", "sub/bound"} {
		must(t, os.MkdirAll(filepath.Join(ws, name), 0o755))
		must(t, syscall.Mount(outside, filepath.Join(ws, name), "", syscall.MS_BIND, ""))
		defer syscall.Unmount(filepath.Join(ws, name), syscall.MNT_DETACH)
	}
	write(t, filepath.Join(ws, "sub", "other", "file"))
	write(t, filepath.Join(ws, "z", "file"))
	err := Tree(context.Background(), ws)
	if err == nil || !strings.Contains(err.Error(), "mounted on it; umount it") || !strings.Contains(err.Error(), `"bound"`) {
		t.Errorf("%v", err)
	}
	there(t, filepath.Join(outside, "file"))
	gone(t, filepath.Join(ws, "sub", "other"))
	gone(t, filepath.Join(ws, "z"))
}

func TestImmutablePartsGoAndSomebodyElsesFileKeepsItsAttribute(t *testing.T) {
	asRoot(t)
	top := t.TempDir()
	ws, other := filepath.Join(top, "ws"), filepath.Join(top, "other")
	write(t, other)
	for _, name := range []string{"i/file", "a/file"} {
		write(t, filepath.Join(ws, name))
	}
	must(t, os.Link(other, filepath.Join(ws, "linked")))
	for _, args := range [][]string{
		{"+i", filepath.Join(ws, "i/file")}, {"+i", filepath.Join(ws, "i")}, {"+a", filepath.Join(ws, "a/file")}, {"+a", filepath.Join(ws, "a")}, {"+i", other}, {"+i", ws},
	} {
		if out, err := exec.Command("chattr", args...).CombinedOutput(); err != nil {
			t.Skipf("SKIPPED: this file system has no such attributes: %s", out)
		}
	}
	defer exec.Command("chattr", "-R", "-ia", top).Run()
	must(t, Tree(context.Background(), ws))
	gone(t, ws)
	if out, _ := exec.Command("lsattr", other).Output(); !strings.HasPrefix(string(out), "----i") {
		t.Errorf("the other name's attribute is gone: %s", out)
	}
}

func TestAFullFileSystemCanBeEmptied(t *testing.T) {
	asRoot(t)
	top := t.TempDir()
	must(t, syscall.Mount("none", top, "tmpfs", 0, "size=1m,nr_inodes=200"))
	defer syscall.Unmount(top, syscall.MNT_DETACH)
	for i := 0; ; i++ {
		if err := os.MkdirAll(filepath.Join(top, "ws", fmt.Sprint(i), "x"), 0o755); err != nil {
			break
		}
	}
	must(t, Tree(context.Background(), filepath.Join(top, "ws")))
	gone(t, filepath.Join(top, "ws"))
}
