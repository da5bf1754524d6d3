// Package watch keeps a sandbox's host from getting full: above one mark no new job begins, above another caches are
// emptied, the cheapest first, between jobs.
package watch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/forge"
	"gofleet/sandbox/internal/lock"
	"gofleet/sandbox/internal/pause"
	"gofleet/sandbox/internal/slot"
)

// ErrNothingFreed is that the host is above a mark and nothing could be done about it.
var ErrNothingFreed = errors.New("nothing was freed")

// Watch looks once, as root, and does what the marks ask for.
func Watch(c *config.Config) error {
	return watcher{c: c, caches: caches, now: time.Now}.run()
}

type watcher struct {
	c      *config.Config
	caches func(*config.Config) ([]BuildCache, error)
	now    func() time.Time
}

func (w watcher) run() error {
	c := w.c
	release, err := lock.File(filepath.Join(filepath.Dir(c.PauseMark), "watch.lock"))
	if err != nil {
		return err
	}
	defer release()
	if err := w.endOldTrim(); err != nil {
		return err
	}
	before := last(reportPath(c))
	r := &Report{Time: w.now().Unix(), before: &before}
	all, failed := measure(c)
	if err := w.pause(all); err != nil {
		return err
	}
	failed = errors.Join(failed, w.reclaimIfNeeded(all, r), w.trimModules(r))
	if len(r.Steps) > 0 {
		var err error
		all, err = measure(c)
		failed = errors.Join(failed, err)
		if err := w.pause(all); err != nil {
			return err
		}
	}
	r.FileSystems = all
	mark, err := pause.Read(c.PauseMark)
	if err != nil {
		return err
	}
	r.Paused = mark.String()
	return errors.Join(failed, r.write(c))
}

// pause sets and takes off the watch's part of the pause mark.
func (w watcher) pause(all []FileSystem) error {
	full := over(common(all), w.c.Watch.PausePercent)
	if len(full) > 0 {
		begins := !pause.Paused(w.c.PauseMark)
		changed, err := pause.Set(w.c.PauseMark, pause.Watch, describe(full), w.now())
		if changed {
			fmt.Printf("paused: no new job begins: %s; the mark is %d %%\n", describe(full), w.c.Watch.PausePercent)
		}
		switch {
		case err != nil:
		case begins:
			forge.AskToEnd(w.c)
		default:
			forge.AskAgain(w.c)
		}
		return err
	}
	if len(over(common(all), w.c.Watch.LowPercent)) > 0 {
		return nil
	}
	changed, err := pause.Clear(w.c.PauseMark, pause.Watch)
	if changed {
		fmt.Printf("the pause is over: every file system is below %d %%\n", w.c.Watch.LowPercent)
	}
	return err
}

// reclaimIfNeeded empties caches: above the upper mark it waits for running jobs; paused, or with a slot's own cache above
// the lower mark, it takes the chance of nobody being there.
func (w watcher) reclaimIfNeeded(all []FileSystem, r *Report) error {
	c := w.c
	mark, err := pause.Read(c.PauseMark)
	if err != nil {
		return err
	}
	_, paused := mark[pause.Watch]
	urgent := len(over(all, c.Watch.ReclaimPercent)) > 0
	full := over(all, c.Watch.PausePercent)
	if paused {
		// A pause lasts until the lower mark.
		full = slices.DeleteFunc(over(all, c.Watch.LowPercent), func(f FileSystem) bool {
			return f.Slot > 0 && f.Percent < float64(c.Watch.PausePercent)
		})
	}
	if len(full) == 0 {
		return nil
	}
	patience := time.Duration(0)
	if urgent {
		patience = config.Or(c.Watch.WaitSeconds, 600)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l := &locks{ctx: ctx, c: c}
	defer l.release()
	failed := w.reclaim(l, full, r)
	switch {
	case r.FreedBytes > 0 || r.FreedInodes > 0:
		fmt.Printf("freed %d bytes and %d inodes: %s\n", r.FreedBytes, r.FreedInodes, r.steps())
	case !urgent && len(l.busy) > 0:
		// Jobs run, and what they leave behind goes with them.
	case urgent || paused:
		r.Alarm = describe(full)
		if len(l.busy) > 0 {
			r.Alarm += fmt.Sprintf("; slots %s have had a job all the time, %v", strings.Trim(fmt.Sprint(l.busy), "[]"), patience)
		}
		failed = errors.Join(failed, fmt.Errorf("%w: %s; what fills it is none of the caches of %s", ErrNothingFreed, r.Alarm, c.Component))
	}
	return failed
}

func describe(list []FileSystem) string {
	var parts []string
	for _, each := range list {
		parts = append(parts, each.String())
	}
	return strings.Join(parts, "; ")
}

// locks are the slots that are known to be idle and stay so.
type locks struct {
	ctx  context.Context
	c    *config.Config
	held map[int]func()
	busy []int
}

// take makes sure that a slot, or with 0 every slot, has no job. Once waited for in vain, it is not waited for again.
func (l *locks) take(number int) (bool, error) {
	if l.held == nil {
		l.held = map[int]func(){}
	}
	good := true
	for i := range l.c.Slots {
		s := &l.c.Slots[i]
		if l.held[s.Number] != nil || number != 0 && number != s.Number {
			continue
		}
		release, err := slot.Idle(l.ctx, l.c, s)
		if err != nil {
			return false, err
		}
		if release == nil {
			good = false
			l.note(s.Number)
			continue
		}
		l.held[s.Number] = release
	}
	return good, nil
}

func (l *locks) note(number int) {
	for _, each := range l.busy {
		if each == number {
			return
		}
	}
	l.busy = append(l.busy, number)
}

func (l *locks) release() {
	for _, each := range l.held {
		each()
	}
}
