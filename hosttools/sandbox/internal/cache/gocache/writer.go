package gocache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Partial is how names of files begin that are being written; what a crash left of them is a stray.
const Partial = ".new-"

// Writer stores entries that were made elsewhere. Each is whole or not there: written under another name, then renamed.
type Writer struct {
	c           *Cache
	user, group int
	// mode of buckets is that of the cache: who may write one may write the other.
	mode    fs.FileMode
	umask   int
	lock    sync.Mutex
	buckets map[string]*os.File
}

// Writer gives what it writes to this user and group, if it is root. The process has no umask until it is closed: modes
// are those of the originals.
func (c *Cache) Writer(user, group int) (*Writer, error) {
	info, err := c.root.Lstat(".")
	if err != nil {
		return nil, err
	}
	return &Writer{c: c, user: user, group: group, mode: info.Mode().Perm(), umask: syscall.Umask(0), buckets: map[string]*os.File{}}, nil
}

// Close releases the buckets.
func (w *Writer) Close() error {
	syscall.Umask(w.umask)
	var failed []error
	for _, bucket := range w.buckets {
		failed = append(failed, bucket.Close())
	}
	return errors.Join(failed...)
}

// Action stores an action, used when a.Modified says.
func (w *Writer) Action(a *Action) error {
	text := actionText(a.ID, a.Output, a.OutputSize, a.Added)
	return w.store(a.ID, actionSuffix, a.Mode, a.Modified, func(file *os.File) error {
		_, err := file.WriteString(text)
		return err
	})
}

// Output stores an output, used when o.Modified says; fill writes its content.
func (w *Writer) Output(o *Output, fill func(*os.File) error) error {
	if !o.Executable() {
		return w.store(o.ID, outputSuffix, o.Mode, o.Modified, fill)
	}
	bucket, err := w.bucket(o.ID[:2])
	if err != nil {
		return err
	}
	// The directory is named when the program is in it.
	name := o.ID + outputSuffix
	partial := filepath.Join(o.ID[:2], Partial+name)
	if err := w.c.root.Mkdir(partial, w.mode); err != nil {
		return err
	}
	content := filepath.Join(partial, filepath.Base(o.Content))
	if err := w.fill(content, o.Mode|0o100, fill); err != nil {
		return errors.Join(err, w.c.Remove(partial))
	}
	if err := w.own(partial); err != nil {
		return errors.Join(err, w.c.Remove(partial))
	}
	return w.name(bucket, name, o.Modified)
}

func (w *Writer) store(id, suffix string, mode fs.FileMode, used int64, fill func(*os.File) error) error {
	bucket, err := w.bucket(id[:2])
	if err != nil {
		return err
	}
	name := id + suffix
	partial := filepath.Join(id[:2], Partial+name)
	if err := w.fill(partial, mode, fill); err != nil {
		return errors.Join(err, w.c.Remove(partial))
	}
	return w.name(bucket, name, used)
}

func (w *Writer) fill(path string, mode fs.FileMode, fill func(*os.File) error) error {
	file, err := w.c.root.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = fill(file)
	if err == nil && os.Geteuid() == 0 {
		err = file.Chown(w.user, w.group)
	}
	return errors.Join(err, file.Chmod(mode.Perm()|0o600), file.Close())
}

// name gives a partial file its name, in place of what had it.
func (w *Writer) name(bucket *os.File, name string, used int64) error {
	at := syscall.NsecToTimeval(used)
	into := int(bucket.Fd())
	err := syscall.Futimesat(into, Partial+name, []syscall.Timeval{at, at})
	if err == nil {
		err = syscall.Renameat(into, Partial+name, into, name)
	}
	if errors.Is(err, syscall.EEXIST) || errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENOTDIR) {
		if err := w.c.Remove(filepath.Join(name[:2], name)); err != nil {
			return err
		}
		err = syscall.Renameat(into, Partial+name, into, name)
	}
	if err != nil {
		return errors.Join(&fs.PathError{Op: "name", Path: filepath.Join(w.c.Path, name[:2], name), Err: err}, w.c.Remove(filepath.Join(name[:2], Partial+name)))
	}
	return nil
}

func (w *Writer) bucket(name string) (*os.File, error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	if open := w.buckets[name]; open != nil {
		return open, nil
	}
	err := w.c.root.Mkdir(name, w.mode)
	if err == nil {
		err = w.own(name)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	file, err := w.c.root.OpenFile(name, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	w.buckets[name] = file
	return file, nil
}

func (w *Writer) own(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return w.c.change(path, func(file string) error { return os.Chown(file, w.user, w.group) })
}

// Update changes a small file beside the buckets, as the go command does: under a lock on itself.
func (c *Cache) Update(name string, change func(old string) string) error {
	file, err := c.root.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o666)
	if err != nil {
		return err
	}
	defer file.Close()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s/%s: cannot be locked: %w", c.Path, name, err)
		}
	}
	old, err := c.read(name, 1<<10)
	if err != nil {
		return err
	}
	changed := change(string(old))
	if changed == string(old) {
		return nil
	}
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err = file.WriteAt([]byte(changed), 0)
	return err
}

// Probe proves that entries can be stored: it writes a file of this size, reads it back and removes it.
func (c *Cache) Probe(bytes int) error {
	path := fmt.Sprintf("%sprobe-%d", Partial, os.Getpid())
	if err := c.Remove(path); err != nil {
		return err
	}
	file, err := c.root.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	written := make([]byte, bytes)
	for i := range written {
		written[i] = byte(i>>8 ^ i)
	}
	_, err = file.Write(written)
	if err == nil {
		read := make([]byte, bytes)
		if _, err = file.ReadAt(read, 0); err == nil && string(read) != string(written) {
			err = errors.New("what was written reads as something else")
		}
	}
	return errors.Join(err, file.Close(), c.Remove(path))
}
