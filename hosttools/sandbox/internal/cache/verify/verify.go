// Package verify finds what is damaged in a build cache and removes it, so that the go command makes it anew. The go
// command itself checks only the size of an output before it uses it. It finds damage, not malice: who may write a
// cache can store whatever they like under any action.
package verify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"gofleet/sandbox/internal/cache/gocache"
)

// Options of a pass.
type Options struct {
	// Keep only reports what is broken.
	Keep bool
	// All reads every output, whatever is known of it.
	All bool
	// Reread reads an output again that was read longer ago: what rots on a disk changes no time. Zero: never.
	Reread time.Duration
	// Settle spares what looks unfinished and changed this recently: a go command may be writing it. Zero, if none uses
	// the cache.
	Settle time.Duration
	Now    time.Time
	// Until when outputs are read; zero: however long it takes.
	Until time.Time
}

// Finding is a file that the go command must not use.
type Finding struct {
	// Path is below the cache.
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Report is what a pass found.
type Report struct {
	// Read outputs were read from end to end; Bytes of them.
	Read  int   `json:"read"`
	Bytes int64 `json:"readBytes"`
	// Remembered outputs did not change since they were read.
	Remembered int `json:"remembered"`
	// Unread outputs should have been read, but the time was over.
	Unread int `json:"unread"`
	// Busy files look broken, but may be in the making.
	Busy   int       `json:"busy"`
	Broken []Finding `json:"broken"`
	// Freed is how many bytes the removed files occupied.
	Freed int64 `json:"freedBytes"`
}

// Pass looks at all of a cache. What it removes is taken out of the inventory, too; known is brought up to date.
func Pass(c *gocache.Cache, inventory *gocache.Inventory, known Known, options Options) (*Report, error) {
	p := &pass{c: c, inventory: inventory, known: known, options: options, users: map[string][]*gocache.Action{}}
	p.report.Broken = []Finding{}
	for _, action := range inventory.Actions {
		p.users[action.Output] = append(p.users[action.Output], action)
	}
	p.hash()
	p.discard()
	maps.DeleteFunc(known, func(id string, _ Proof) bool { return inventory.Outputs[id] == nil })
	slices.SortFunc(p.report.Broken, func(a, b Finding) int { return strings.Compare(a.Path, b.Path) })
	return &p.report, errors.Join(p.failed...)
}

type pass struct {
	c         *gocache.Cache
	inventory *gocache.Inventory
	known     Known
	options   Options
	// users are the actions of each output.
	users  map[string][]*gocache.Action
	report Report
	failed []error
}

// hash reads outputs that are not known, those used last first.
func (p *pass) hash() {
	var unknown []*gocache.Output
	for id, output := range p.inventory.Outputs {
		switch {
		case output.Broken != nil:
		case p.isKnown(id, output):
			p.report.Remembered++
		default:
			unknown = append(unknown, output)
		}
	}
	slices.SortFunc(unknown, func(a, b *gocache.Output) int {
		return cmp.Or(cmp.Compare(b.Modified, a.Modified), strings.Compare(a.ID, b.ID))
	})
	var lock sync.Mutex
	var wait sync.WaitGroup
	todo := make(chan *gocache.Output)
	for range runtime.GOMAXPROCS(0) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			buffer := make([]byte, 256<<10)
			for output := range todo {
				began := time.Now()
				err := judge(p.c, output, buffer)
				lock.Lock()
				p.judged(output, err, began)
				lock.Unlock()
			}
		}()
	}
	for i, output := range unknown {
		if until := p.options.Until; !until.IsZero() && time.Now().After(until) {
			p.report.Unread = len(unknown) - i
			break
		}
		todo <- output
	}
	close(todo)
	wait.Wait()
}

// isKnown: it was read since it changed, and not too long ago. A time in the future is one of a wrong clock.
func (p *pass) isKnown(id string, output *gocache.Output) bool {
	proof, ok := p.known[id]
	if !ok || p.options.All || proof.Stamp != output.Stamp {
		return false
	}
	age := p.options.Now.Sub(time.Unix(proof.At, 0))
	return p.options.Reread == 0 || age >= -tick && age < p.options.Reread
}

// errChanged is that a file was written while it was read.
var errChanged = errors.New("changed while it was read")

// judge compares an output's content with its name.
func judge(c *gocache.Cache, output *gocache.Output, buffer []byte) error {
	file, err := c.OpenFile(output.Content)
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha256.New()
	size, err := io.CopyBuffer(struct{ io.Writer }{hash}, struct{ io.Reader }{file}, buffer)
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != output.ID {
		return fmt.Errorf("its content has SHA-256 %s…, not that of its name", got[:16])
	}
	if now, err := gocache.StampOf(file); err != nil || now.Changed != output.Changed || size != output.Size {
		return errChanged
	}
	return nil
}

func (p *pass) judged(output *gocache.Output, err error, began time.Time) {
	delete(p.known, output.ID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		delete(p.inventory.Outputs, output.ID)
		return
	case errors.Is(err, errChanged):
		p.report.Busy++
	case err != nil:
		output.Broken = err
	case output.Changed < began.Add(-tick).UnixNano():
		p.known[output.ID] = Proof{output.Stamp, p.options.Now.Unix()}
	}
	p.report.Read++
	p.report.Bytes += output.Size
}

// discard takes out what is broken, actions before their outputs. What may be in the making is left whole.
func (p *pass) discard() {
	var outputs []*gocache.Output
	for _, output := range p.inventory.Outputs {
		if output.Broken == nil {
			continue
		}
		busy := !p.isFinished(output) && p.isBusy(&output.File)
		if !busy {
			outputs = append(outputs, output)
		}
		for _, action := range p.users[output.ID] {
			action.Broken = nil
			if !busy {
				p.discardAction(action, fmt.Errorf("its output is broken: %w", output.Broken))
			}
		}
	}
	for _, action := range p.inventory.Actions {
		if action.Broken != nil && !p.isBusy(&action.File) && !p.cameSince(action) {
			p.discardAction(action, action.Broken)
		}
	}
	for _, output := range outputs {
		if p.remove(&output.File, output.Broken) {
			delete(p.inventory.Outputs, output.ID)
		}
	}
	p.inventory.Strays = slices.DeleteFunc(p.inventory.Strays, func(stray *gocache.File) bool {
		return !p.isBusy(stray) && p.remove(stray, stray.Broken)
	})
}

func (p *pass) discardAction(action *gocache.Action, why error) {
	if p.remove(&action.File, why) {
		delete(p.inventory.Actions, action.ID)
	}
}

// isFinished: the go command stores an action when its output is whole.
func (p *pass) isFinished(output *gocache.Output) bool {
	return slices.ContainsFunc(p.users[output.ID], func(action *gocache.Action) bool { return action.OutputSize == output.Size })
}

// cameSince: the output was stored after its bucket was read.
func (p *pass) cameSince(action *gocache.Action) bool {
	return errors.Is(action.Broken, gocache.ErrMissing) && p.c.HasOutput(action.Output)
}

// isBusy counts what is spared. A file from the future is not: it came from there when the clock was wrong.
func (p *pass) isBusy(file *gocache.File) bool {
	age := p.options.Now.UnixNano() - max(file.Modified, file.Changed)
	if age < 0 || time.Duration(age) >= p.options.Settle {
		return false
	}
	p.report.Busy++
	return true
}

func (p *pass) remove(file *gocache.File, why error) bool {
	p.report.Broken = append(p.report.Broken, Finding{file.Path, why.Error()})
	if p.options.Keep {
		return false
	}
	if err := p.c.Remove(file.Path); err != nil {
		p.failed = append(p.failed, fmt.Errorf("%s cannot be removed: %w", p.c.Path, err))
		return false
	}
	p.report.Freed += file.Occupied
	return true
}
