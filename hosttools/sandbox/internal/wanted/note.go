// Package wanted hands the names of modules that jobs have downloaded to the module user, who fetches them itself. Names
// only: a job may influence which modules the shared cache has, never what is in them.
package wanted

import (
	"errors"
	"fmt"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gofleet/sandbox/internal/beneath"
	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/module"
)

// Bounds of what one job may cause.
const (
	mostNames   = 500
	mostEntries = 200_000
	mostDepth   = 40
	// mostFiles is how many jobs' names may wait for the module user.
	mostFiles = 200
)

// Note writes down which module versions a job has downloaded. `upper` is the layer with the job's own writes; it is read
// as something hostile: only names, following nothing.
func Note(c *config.Config, s *config.Slot, upper string) error {
	if upper == "" || c.Modules.User == "" {
		return nil
	}
	names, err := downloaded(filepath.Join(upper, "cache", "download"))
	if err != nil || len(names) == 0 {
		return err
	}
	dir, err := directory(c)
	if err != nil {
		return err
	}
	defer syscall.Close(dir.fd)
	waiting, err := list(dir.fd)
	if err != nil || len(waiting) >= mostFiles {
		return err
	}
	var text strings.Builder
	for _, each := range names {
		fmt.Fprintln(&text, each)
	}
	return dir.write(fmt.Sprintf("%d-%d", s.Number, time.Now().UnixNano()), text.String())
}

type owned struct{ fd, uid, gid int }

// directory opens the module user's directory of names, and makes it where it is missing.
func directory(c *config.Config) (owned, error) {
	found, err := user.Lookup(c.Modules.User)
	if err != nil {
		return owned{}, fmt.Errorf("modules.user: %w; systemd-sysusers makes the sandbox's users", err)
	}
	uid, err1 := strconv.Atoi(found.Uid)
	gid, err2 := strconv.Atoi(found.Gid)
	if err := errors.Join(err1, err2); err != nil {
		return owned{}, err
	}
	path := c.Wanted()
	parent, err := beneath.Open(filepath.Dir(path))
	if err != nil {
		return owned{}, err
	}
	defer syscall.Close(parent)
	made := syscall.Mkdirat(parent, filepath.Base(path), 0o700)
	if made != nil && !errors.Is(made, syscall.EEXIST) {
		return owned{}, fmt.Errorf("%s: %w", path, made)
	}
	fd, err := beneath.At(parent, filepath.Base(path), syscall.O_RDONLY|syscall.O_DIRECTORY, beneath.Anywhere)
	if err == nil && made == nil {
		err = syscall.Fchown(fd, uid, gid)
	}
	if err != nil {
		return owned{}, fmt.Errorf("%s: %w", path, err)
	}
	return owned{fd, uid, gid}, nil
}

// write makes a whole file under its name at once: the module user may be reading the directory.
func (d owned) write(name, text string) error {
	fd, err := beneath.Create(d.fd, part+name, 0o600)
	if err != nil {
		return err
	}
	_, err = syscall.Write(fd, []byte(text))
	err = errors.Join(err, syscall.Fchown(fd, d.uid, d.gid), syscall.Close(fd))
	if err != nil {
		return errors.Join(err, syscall.Unlinkat(d.fd, part+name))
	}
	return syscall.Renameat(d.fd, part+name, d.fd, name)
}

// part begins the name of a file that is being written.
const part = ".part-"

// downloaded lists the versions whose zip is below a cache/download directory.
func downloaded(path string) ([]module.Version, error) {
	top, err := beneath.Open(path)
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := &search{}
	s.directory(top, "", 0)
	return s.found, nil
}

type search struct {
	found   []module.Version
	entries int
}

// directory looks through an open directory and closes it. What cannot be read is the job's own affair.
func (s *search) directory(fd int, name string, depth int) {
	defer syscall.Close(fd)
	names, err := list(fd)
	if err != nil {
		return
	}
	for _, each := range names {
		if s.entries++; s.entries > mostEntries || len(s.found) >= mostNames {
			return
		}
		if strings.HasSuffix(name, "/@v") {
			if v, err := module.FromFile(name[1:] + "/" + each); err == nil && strings.HasSuffix(each, ".zip") {
				s.found = append(s.found, v)
			}
			continue
		}
		if depth == mostDepth {
			continue
		}
		if next, err := beneath.At(fd, each, syscall.O_RDONLY|syscall.O_DIRECTORY, beneath.NoCrossing); err == nil {
			s.directory(next, name+"/"+each, depth+1)
		}
	}
}

// list reads a directory's names, not more than are looked at.
func list(fd int) ([]string, error) {
	var names []string
	buffer := make([]byte, 32<<10)
	for len(names) < mostEntries {
		n, err := syscall.Getdents(fd, buffer)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return names, err
		}
		_, _, names = syscall.ParseDirent(buffer[:n], -1, names)
	}
	return names, nil
}
