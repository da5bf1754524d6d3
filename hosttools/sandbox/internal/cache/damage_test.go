package cache

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// plain is an output that the build needs: the package of the module.
func (l *lab) plain() string {
	l.t.Helper()
	for _, path := range l.outputs() {
		content, err := os.ReadFile(path)
		if err == nil && bytes.HasPrefix(content, []byte("!<arch>")) && bytes.Contains(content, []byte("greet.Hello")) {
			return path
		}
	}
	l.t.Fatal("the package is not in the cache")
	return ""
}

var zeros = strings.Repeat("0", 64)

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

// oneDamage are damages to a single place: what was damaged must go.
var oneDamage = map[string]func(t *testing.T, l *lab) (damaged string){
	"one byte of an output": func(t *testing.T, l *lab) string {
		flip(t, l.plain())
		return l.plain()
	},
	"one byte of an executable": func(t *testing.T, l *lab) string {
		flip(t, glob(t, l.executable(), "*")[0])
		return l.executable()
	},
	"an executable that is gone": func(t *testing.T, l *lab) string {
		must(t, os.Remove(glob(t, l.executable(), "*")[0]))
		return l.executable()
	},
	"two executables": func(t *testing.T, l *lab) string {
		write(t, filepath.Join(l.executable(), "other"), "#!/bin/sh\n")
		return l.executable()
	},
	"a link for an executable": func(t *testing.T, l *lab) string {
		path := glob(t, l.executable(), "*")[0]
		must(t, os.Remove(path))
		must(t, os.Symlink("/bin/true", path))
		return l.executable()
	},
	"a truncated output": func(t *testing.T, l *lab) string {
		path := l.plain()
		must(t, os.Truncate(path, 10))
		return path
	},
	"an empty output": func(t *testing.T, l *lab) string {
		path := l.plain()
		must(t, os.Truncate(path, 0))
		return path
	},
	"a longer output": func(t *testing.T, l *lab) string {
		path := l.plain()
		info, err := os.Stat(path)
		must(t, err)
		must(t, os.Truncate(path, info.Size()+1))
		return path
	},
	"an unreadable output": func(t *testing.T, l *lab) string {
		path := l.plain()
		must(t, os.Chmod(path, 0))
		return path
	},
	"an output that is a link out": func(t *testing.T, l *lab) string {
		path, out := l.plain(), filepath.Join(t.TempDir(), "out")
		must(t, os.Rename(path, out))
		must(t, os.Symlink(out, path))
		return path
	},
	"an output that is a pipe": func(t *testing.T, l *lab) string {
		path := l.plain()
		must(t, os.Remove(path))
		must(t, syscall.Mkfifo(path, 0o644))
		return path
	},
	"an action that names no output": func(t *testing.T, l *lab) string {
		id := strings.Repeat("ab", 32)
		path := filepath.Join(l.cache, "ab", id+"-a")
		write(t, path, fmt.Sprintf("v1 %s %s %20d %20d\n", id, zeros, 5, time.Now().UnixNano()))
		return path
	},
	"an action of size -1": func(t *testing.T, l *lab) string {
		path := l.actions()[0]
		id := strings.TrimSuffix(filepath.Base(path), "-a")
		write(t, path, fmt.Sprintf("v1 %s %s %20d %20d\n", id, zeros, -1, time.Now().UnixNano()))
		return path
	},
	"an empty action": func(t *testing.T, l *lab) string {
		write(t, l.actions()[0], "")
		return l.actions()[0]
	},
	"another action's content": func(t *testing.T, l *lab) string {
		content, err := os.ReadFile(l.actions()[0])
		must(t, err)
		write(t, l.actions()[1], string(content))
		return l.actions()[1]
	},
	"an unreadable action": func(t *testing.T, l *lab) string {
		must(t, os.Chmod(l.actions()[0], 0))
		return l.actions()[0]
	},
	"an action that is a directory": func(t *testing.T, l *lab) string {
		path := l.actions()[0]
		must(t, os.Remove(path))
		must(t, os.MkdirAll(filepath.Join(path, "below"), 0o755))
		return path
	},
	"an action that is a link out": func(t *testing.T, l *lab) string {
		path, out := l.actions()[0], filepath.Join(t.TempDir(), "out")
		must(t, os.Rename(path, out))
		must(t, os.Symlink(out, path))
		return path
	},
	"a name of garbage": func(t *testing.T, l *lab) string {
		path := filepath.Join(l.cache, "00", "a\nb")
		write(t, path, "garbage")
		return path
	},
	"a name in upper case": func(t *testing.T, l *lab) string {
		path := filepath.Join(l.cache, "00", strings.Repeat("0A", 32)+"-d")
		write(t, path, "garbage")
		return path
	},
	"a directory of directories": func(t *testing.T, l *lab) string {
		must(t, os.MkdirAll(filepath.Join(l.cache, "01", "deep", "er"), 0o755))
		return filepath.Join(l.cache, "01", "deep")
	},
	"a bucket that is a link out": func(t *testing.T, l *lab) string {
		bucket, out := filepath.Join(l.cache, "7f"), filepath.Join(t.TempDir(), "out")
		must(t, os.Rename(bucket, out))
		must(t, os.Symlink(out, bucket))
		return bucket
	},
	"a bucket that is a file": func(t *testing.T, l *lab) string {
		bucket := filepath.Join(l.cache, "7f")
		must(t, os.RemoveAll(bucket))
		write(t, bucket, "")
		return bucket
	},
}

func TestEachDamageIsFoundAndGoes(t *testing.T) {
	for name, damage := range oneDamage {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			damaged := damage(t, l)
			k := l.keeper()
			report, err := k.Scan(ScanOptions{})
			must(t, err)
			if len(report.Scan.Broken) == 0 || exists(damaged) {
				t.Fatalf("%s is still there; found: %v", damaged, report.Scan.Broken)
			}
			again, err := k.Scan(ScanOptions{Keep: true})
			must(t, err)
			if len(again.Scan.Broken) != 0 {
				t.Errorf("found again: %v", again.Scan.Broken)
			}
			l.builds()
			if strings.Contains(name, "executable") {
				l.runs()
			}
		})
	}
}

// TestABuildIsRightAfterMuchDamage damages every file of a cache, each in one of several ways.
func TestABuildIsRightAfterMuchDamage(t *testing.T) {
	l := newLab(t)
	for i, path := range l.outputs() {
		info, err := os.Stat(path)
		must(t, err)
		switch {
		case info.IsDir() || info.Size() == 0:
		case i%4 == 0:
			must(t, os.Remove(path))
		case i%4 == 1:
			must(t, os.Truncate(path, info.Size()/2))
		case i%4 == 2:
			must(t, os.Truncate(path, 0))
		default:
			flip(t, path)
		}
	}
	for i, path := range l.actions() {
		if i%3 == 0 {
			write(t, path, strings.Repeat("garbage\n", i%40))
		}
	}
	k := l.keeper()
	report, err := k.Scan(ScanOptions{})
	must(t, err)
	if len(report.Scan.Broken) < len(l.outputs()) {
		t.Errorf("only %d were found", len(report.Scan.Broken))
	}
	l.builds()
}
