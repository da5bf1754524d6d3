package watch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/forge"
	"gofleet/sandbox/internal/modules"
	"gofleet/sandbox/internal/pause"
	"gofleet/sandbox/internal/slot"
	"gofleet/sandbox/internal/usage"
)

// trimEvery is how long jobs are left alone after they were held up for the shared module cache.
const trimEvery = time.Hour

// endOldTrim ends the pause of a run that was killed: it lasts as long as its run, and there is one at a time.
func (w watcher) endOldTrim() error {
	changed, err := pause.Clear(w.c.PauseMark, pause.Modules)
	if changed {
		fmt.Println("the pause of an earlier run that did not come to its end is over")
	}
	return err
}

// trimModules makes room in a shared module cache that has reached its budget. All slots read it: for a while no new job
// begins, until none runs. Where jobs take longer than that, they go on, and it is tried again in an hour.
func (w watcher) trimModules(r *Report) (err error) {
	c, shared := w.c, w.c.Modules.Shared
	r.TrimTime = r.before.TrimTime
	if c.Modules.MaxBytes == 0 || shared == "" || !modules.Full(shared) || w.now().Sub(time.Unix(r.TrimTime, 0)).Abs() < trimEvery {
		return nil
	}
	r.TrimTime = w.now().Unix()
	u, err := usage.Of(shared)
	if err != nil {
		return err
	}
	begins := !pause.Paused(c.PauseMark)
	if _, err := pause.Set(c.PauseMark, pause.Modules, "the shared module cache has reached modules.max", w.now()); err != nil {
		return err
	}
	defer func() {
		_, failed := pause.Clear(c.PauseMark, pause.Modules)
		err = errors.Join(err, failed)
	}()
	if begins {
		forge.AskToEnd(c)
	}
	patience := config.Or(c.Watch.WaitSeconds, 600)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	release, busy, err := slot.AllIdle(ctx, c)
	if err != nil {
		return err
	}
	if release == nil {
		fmt.Printf("%s has reached modules.max, and nothing is removed: slots %s have had a job all the time, %v\n", shared, strings.Trim(fmt.Sprint(busy), "[]"), patience)
		return nil
	}
	defer release()
	ctx, cancel = context.WithTimeout(context.Background(), longestStep)
	defer cancel()
	says, err := modules.Trim(ctx, shared, c.Modules.MaxBytes)
	r.add(step{name: "module cache", path: shared}, FileSystem{Path: shared, Usage: u}, says, err)
	fmt.Printf("%s had reached modules.max: %s removed\n", shared, says)
	return err
}
