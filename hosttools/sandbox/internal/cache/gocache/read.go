package gocache

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// Read lists a cache and reads its actions; outputs are not read. What goes meanwhile is left out.
func (c *Cache) Read() (*Inventory, error) {
	names, err := c.names(".")
	if err != nil {
		return nil, err
	}
	r := &reader{c: c, made: Inventory{Actions: map[string]*Action{}, Outputs: map[string]*Output{}}}
	var wait sync.WaitGroup
	buckets := make(chan string)
	for range runtime.GOMAXPROCS(0) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for bucket := range buckets {
				r.bucket(bucket)
			}
		}()
	}
	for _, name := range names {
		switch {
		case isBucket(name):
			buckets <- name
		case name == "fuzz":
			r.below(name, &r.made.Fuzz)
		case !isOurs(name):
			r.below(name, &r.made.Foreign)
		}
	}
	close(buckets)
	wait.Wait()
	r.link()
	return &r.made, errors.Join(r.failed...)
}

type reader struct {
	c      *Cache
	lock   sync.Mutex
	made   Inventory
	failed []error
}

// bucket reads one bucket. One that is no directory, or cannot be read, is a stray: the go command makes another.
func (r *reader) bucket(bucket string) {
	file, err := r.c.stat(bucket)
	if err == nil && !file.Mode.IsDir() {
		err = errors.New("no directory")
	}
	var names []string
	if err == nil {
		names, err = r.c.names(bucket)
	}
	if err != nil {
		if file != nil {
			file.Broken = err
			r.add(func(made *Inventory) { made.Strays = append(made.Strays, file) })
		}
		return
	}
	for _, name := range names {
		r.entry(bucket, name)
	}
}

func (r *reader) entry(bucket, name string) {
	file, err := r.c.stat(filepath.Join(bucket, name))
	if err != nil {
		r.fail(err)
		return
	}
	id, suffix, ok := id(bucket, name)
	switch {
	case !ok:
		file.Broken = errors.New("not a name of the go command's")
		r.add(func(made *Inventory) { made.Strays = append(made.Strays, file) })
	case suffix == actionSuffix:
		action := r.action(id, file)
		r.add(func(made *Inventory) { made.Actions[id] = action })
	default:
		output := r.output(id, file)
		r.add(func(made *Inventory) { made.Outputs[id] = output })
	}
}

func (r *reader) action(id string, file *File) *Action {
	a := &Action{File: *file, ID: id}
	var parsed action
	var content []byte
	err := readable(file)
	if err == nil {
		content, err = r.c.read(file.Path, int64(actionSize)+1)
	}
	if err == nil {
		parsed, err = parseAction(id, content)
	}
	a.Output, a.OutputSize, a.Added, a.Broken = parsed.output, parsed.size, parsed.added, err
	return a
}

func (r *reader) output(id string, file *File) *Output {
	o := &Output{File: *file, ID: id, Content: file.Path}
	switch {
	case file.Mode.IsRegular():
		o.Broken = readable(file)
	case file.Mode.IsDir():
		o.Broken = r.executable(o)
	default:
		o.Broken = errors.New("no regular file")
	}
	return o
}

// readable is asked of the owner's right: root reads without.
func readable(file *File) error {
	if file.Mode.Perm()&0o400 == 0 {
		return fmt.Errorf("mode %v: not readable", file.Mode.Perm())
	}
	return nil
}

// executable takes the one file in the directory for the output's content.
func (r *reader) executable(o *Output) error {
	names, err := r.c.names(o.Path)
	if err != nil {
		return err
	}
	if len(names) != 1 {
		return fmt.Errorf("a directory with %d files, not 1", len(names))
	}
	o.Content = filepath.Join(o.Path, names[0])
	inner, err := r.c.stat(o.Content)
	if err != nil {
		return err
	}
	if !inner.Mode.IsRegular() {
		return errors.New("a directory without a regular file")
	}
	if err := readable(inner); err != nil {
		return err
	}
	// The directory's time of modification is when it was last used, as that of a plain output.
	modified := o.Modified
	o.Stamp, o.Mode, o.Occupied = inner.Stamp, inner.Mode, o.Occupied+inner.Occupied
	o.Modified = modified
	return nil
}

// ErrMissing is what is wrong with an action without an output.
var ErrMissing = errors.New("its output is missing")

// HasOutput looks for an output now.
func (c *Cache) HasOutput(id string) bool {
	_, err := c.root.Lstat(filepath.Join(id[:2], id+outputSuffix))
	return err == nil
}

// link finds actions whose output is missing or cut off.
func (r *reader) link() {
	for _, action := range r.made.Actions {
		if action.Broken == nil {
			action.Broken = r.made.outputOf(action)
		}
	}
}

func (i *Inventory) outputOf(action *Action) error {
	output := i.Outputs[action.Output]
	switch {
	case output == nil:
		return ErrMissing
	case output.Broken != nil:
		return fmt.Errorf("its output is broken: %w", output.Broken)
	case output.Size != action.OutputSize:
		return fmt.Errorf("its output is %d bytes long, not %d", output.Size, action.OutputSize)
	}
	return nil
}

// below lists all files of a directory beside the buckets.
func (r *reader) below(path string, into *[]*File) {
	file, err := r.c.stat(path)
	if err != nil {
		r.fail(err)
		return
	}
	if !file.Mode.IsDir() {
		*into = append(*into, file)
		return
	}
	names, err := r.c.names(path)
	if err != nil {
		file.Broken = err
		*into = append(*into, file)
		return
	}
	for _, name := range names {
		r.below(filepath.Join(path, name), into)
	}
}

func (r *reader) add(how func(*Inventory)) {
	r.lock.Lock()
	defer r.lock.Unlock()
	how(&r.made)
}

func (r *reader) fail(err error) {
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	r.failed = append(r.failed, err)
}

// stat looks at a file itself, not at what a symbolic link names.
func (c *Cache) stat(path string) (*File, error) {
	info, err := c.root.Lstat(path)
	if err != nil {
		return nil, err
	}
	return fileOf(path, info), nil
}

func fileOf(path string, info fs.FileInfo) *File {
	s := info.Sys().(*syscall.Stat_t)
	return &File{
		Path:     path,
		Stamp:    Stamp{Size: s.Size, Modified: s.Mtim.Nano(), Changed: s.Ctim.Nano(), Inode: s.Ino},
		Occupied: s.Blocks * 512,
		Mode:     info.Mode(),
	}
}

// StampOf is the stamp of an open file.
func StampOf(file fs.File) (Stamp, error) {
	info, err := file.Stat()
	if err != nil {
		return Stamp{}, err
	}
	return fileOf("", info).Stamp, nil
}
