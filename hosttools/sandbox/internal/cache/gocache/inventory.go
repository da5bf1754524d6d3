package gocache

import (
	"io/fs"
	"time"
)

// Stamp tells whether a file was written since it was last looked at: its owner can set the time of modification, but
// not that of change.
type Stamp struct {
	Size     int64
	Modified int64
	Changed  int64
	Inode    uint64
}

// File is a file of a cache.
type File struct {
	// Path is below the cache.
	Path string
	Stamp
	// Occupied is how many bytes it takes on its file system.
	Occupied int64
	// Mode has the permissions.
	Mode fs.FileMode
	// Broken says why the go command could not use it, or should not; nil: nothing is known against it.
	Broken error
}

// Action is an entry that says which output a computation has.
type Action struct {
	File
	ID, Output string
	// OutputSize is what the output's size must be.
	OutputSize int64
	// Added is when the go command stored it.
	Added time.Time
}

// Output is a file named by what is in it.
type Output struct {
	File
	ID string
	// Content is the path of the file with the content: Path, or for an executable the file in that directory.
	Content string
}

// Executable reports whether it is a program that the go command runs from the cache.
func (o *Output) Executable() bool { return o.Content != o.Path }

// Inventory is all that a cache holds.
type Inventory struct {
	Actions map[string]*Action
	Outputs map[string]*Output
	// Strays are in buckets, and the go command will neither use nor remove them.
	Strays []*File
	// Foreign is beside the buckets and not the go command's.
	Foreign []*File
	// Fuzz are files of fuzz corpora.
	Fuzz []*File
}

// Occupied is how many bytes the cache takes on its file system, without directories.
func (i *Inventory) Occupied() int64 {
	var sum int64
	for _, each := range i.Actions {
		sum += each.Occupied
	}
	for _, each := range i.Outputs {
		sum += each.Occupied
	}
	for _, files := range [][]*File{i.Strays, i.Foreign, i.Fuzz} {
		for _, each := range files {
			sum += each.Occupied
		}
	}
	return sum
}

// Files is how many files it has, without directories.
func (i *Inventory) Files() int64 {
	return int64(len(i.Actions) + len(i.Outputs) + len(i.Strays) + len(i.Foreign) + len(i.Fuzz))
}
