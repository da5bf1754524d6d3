package cache

import (
	"errors"
	"time"

	"gofleet/sandbox/internal/cache/gocache"
)

// Bounds of the turns in which a cache is read beside jobs. A job that begins waits longer than a turn lasts, and gets the
// lock between two.
const (
	turn    = 2 * time.Second
	between = 200 * time.Millisecond
)

// Upkeep is what is done now and then, while jobs run: it prunes, measures a cache that several use, which no job of its
// own does, and reads what was not read for that long, in turns and for so long at most; the next run goes on.
func (k *Keeper) Upkeep(reread, within time.Duration) (*Report, error) {
	if _, err := k.use(k.tidy); err != nil {
		return nil, err
	}
	return k.scanInTurns(reread, within, turn)
}

func (k *Keeper) scanInTurns(reread, within, turn time.Duration) (*Report, error) {
	var all Scan
	for end := time.Now().Add(within); ; time.Sleep(between) {
		left := time.Until(end)
		report, err := k.Scan(ScanOptions{Reread: reread, For: max(min(turn, left), time.Nanosecond)})
		if report == nil {
			return nil, err
		}
		last := report.Scan
		all.Read, all.Bytes, all.Freed = all.Read+last.Read, all.Bytes+last.Bytes, all.Freed+last.Freed
		all.Broken = append(all.Broken, last.Broken...)
		last.Read, last.Bytes, last.Freed, last.Broken = all.Read, all.Bytes, all.Freed, all.Broken
		if last.Unread == 0 || left <= turn || err != nil {
			return report, errors.Join(err, k.write(report))
		}
	}
}

func (k *Keeper) tidy(c *gocache.Cache, inventory *gocache.Inventory, report *Report) error {
	var measured error
	if k.Shared {
		measured = errors.Join(k.count(c, inventory, report), k.mark(c, inventory, report))
	}
	return errors.Join(measured, k.prune(c, inventory, report))
}
