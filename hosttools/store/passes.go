package main

import (
	"errors"
	"fmt"
	"time"

	"gofleet/store/internal/config"
	"gofleet/store/internal/gc"
	"gofleet/store/internal/repair"
	"gofleet/store/internal/tree"
	"gofleet/store/internal/watch"
)

// collectEvery is how long a store that stays too full is left alone between two tries.
const collectEvery = time.Minute

// below the alert mark: how far a collection goes, in percent, so that the next one is not due at once.
const below = 5

// check reads everything and fails where something is broken.
func (k *keeper) check([]string) error {
	unlock, err := k.open(true)
	if err != nil {
		return err
	}
	defer unlock()
	report, err := repair.Pass(k.c, k.known, repair.Options{All: true, Now: time.Now()})
	if err != nil {
		return err
	}
	tell(report, "broken")
	fmt.Printf("%d versions, %d broken, %d being written\n", report.Versions, len(report.Broken), report.Busy)
	if len(report.Broken)+len(report.Failed) > 0 {
		return errors.New("not everything in the store may be served; gofleet-store repair removes what must not")
	}
	return nil
}

func (k *keeper) repair([]string) error {
	unlock, err := k.open(true)
	if err != nil {
		return err
	}
	defer unlock()
	return errors.Join(k.repairPass(true, time.Time{}), k.save())
}

func (k *keeper) repairPass(all bool, until time.Time) error {
	now := time.Now()
	report, err := repair.Pass(k.c, k.known, repair.Options{Remove: true, All: all, Now: now, Until: until})
	if err != nil {
		return err
	}
	tell(report, "removed")
	if all {
		fmt.Printf("%d versions, %d removed, %d being written\n", report.Versions, len(report.Broken), report.Busy)
	}
	if report.Unread == 0 {
		k.s.LastRepair = now.Unix()
	}
	k.s.Broken += int64(len(report.Broken))
	if len(report.Broken) > 0 {
		err = repair.NextGeneration(k.c)
	}
	return errors.Join(err, k.count(report.Bytes, report.Versions))
}

func tell(report *repair.Report, verb string) {
	for _, each := range report.Broken {
		fmt.Printf("%s %s: %s\n", verb, each.Name, each.Reason)
	}
	for _, each := range report.Failed {
		fmt.Printf("left %s: %s\n", each.Name, each.Reason)
	}
}

func (k *keeper) collectIfNeeded(now time.Time) error {
	usage, err := watch.Measure(k.c, k.s)
	if err != nil {
		return err
	}
	percent, _ := usage.Percent()
	full := percent >= float64(k.c.Watch.AlertPercent)
	if !full {
		k.s.GCStuck, k.s.Said = false, ""
	}
	since := now.Sub(time.Unix(k.s.LastGC, 0))
	byAge := k.c.GC.UnusedForSeconds > 0 && since >= config.Seconds(k.c.Repair.EverySeconds)
	if full && since >= collectEvery || byAge {
		err = k.collect(usage, now)
	}
	return k.once(err)
}

// once turns a complaint that was made before into nothing: the metrics go on making it.
func (k *keeper) once(err error) error {
	if !errors.Is(err, gc.ErrStuck) {
		return err
	}
	if k.s.Said != err.Error() {
		fmt.Println("too full:", err)
		k.s.Said = err.Error()
	}
	return nil
}

func (k *keeper) gc([]string) error {
	unlock, err := k.open(true)
	if err != nil {
		return err
	}
	defer unlock()
	bytes, versions, err := tree.Count(k.c.Store)
	if err == nil {
		err = k.count(bytes, versions)
	}
	if err != nil {
		return err
	}
	usage, err := watch.Measure(k.c, k.s)
	if err == nil {
		err = k.collect(usage, time.Now())
	}
	return errors.Join(err, k.flip(), k.save())
}

func (k *keeper) collect(usage watch.Usage, now time.Time) error {
	var need gc.Need
	if percent, _ := usage.Percent(); percent >= float64(k.c.Watch.AlertPercent) {
		need.Bytes, need.Inodes = usage.Excess(float64(max(1, k.c.Watch.AlertPercent-below)))
	}
	report, err := gc.Collect(k.c, k.known, need, now)
	k.s.LastGC = now.Unix()
	k.s.GCStuck = errors.Is(err, gc.ErrStuck)
	if err == nil || len(report.Removed) > 0 {
		k.s.Collected += int64(len(report.Removed))
		k.s.Freed += report.Bytes
		if len(report.Removed) > 0 {
			fmt.Printf("collected %d versions, %d B freed\n", len(report.Removed), report.Bytes)
		}
		err = errors.Join(err, k.count(report.Left, report.LeftVersions))
	}
	return err
}
