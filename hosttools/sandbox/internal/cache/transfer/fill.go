package transfer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"gofleet/sandbox/internal/cache/gocache"
)

// errBroken is that an output is not what its name says.
var errBroken = errors.New("its content is not that of its name")

// fill copies an output and compares what it copied with its name.
func (c *copying) fill(output *gocache.Output, buffer []byte) func(*os.File) error {
	return func(to *os.File) error {
		source, err := c.from.OpenFile(output.Content)
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%w: it is gone", errBroken)
		}
		if err != nil {
			return err
		}
		defer source.Close()
		hash := sha256.New()
		if c.clone(to, source) {
			// Hashed is the copy: the source may change.
			_, err = io.CopyBuffer(hash, struct{ io.Reader }{to}, buffer)
		} else {
			_, err = io.CopyBuffer(io.MultiWriter(hash, to), struct{ io.Reader }{source}, buffer)
		}
		if err == nil && hex.EncodeToString(hash.Sum(nil)) != output.ID {
			err = errBroken
		}
		return err
	}
}

// clone lets a file share the blocks of another, where the file system can. See ioctl_ficlone(2).
func (c *copying) clone(to, from *os.File) bool {
	const ficlone = 0x40049409
	if c.noClones.Load() {
		return false
	}
	_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, to.Fd(), ficlone, from.Fd())
	if failed != 0 {
		c.noClones.Store(true)
	}
	return failed == 0
}
