package transfer

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"syscall"
	"time"

	"gofleet/sandbox/internal/cache/gocache"
)

// item is an output with the actions that name it.
type item struct {
	output  *gocache.Output
	actions []*gocache.Action
	used    int64
}

// itemsOf are all entries that can be used, those used last first.
func itemsOf(there *gocache.Inventory) []*item {
	byOutput := map[string]*item{}
	var items []*item
	for _, action := range there.Actions {
		output := there.Outputs[action.Output]
		if action.Broken != nil || output == nil {
			continue
		}
		each := byOutput[output.ID]
		if each == nil {
			each = &item{output: output, used: output.Modified}
			byOutput[output.ID] = each
			items = append(items, each)
		}
		each.actions = append(each.actions, action)
		each.used = max(each.used, action.Modified)
	}
	slices.SortFunc(items, func(a, b *item) int {
		return cmp.Or(cmp.Compare(b.used, a.used), strings.Compare(a.output.ID, b.output.ID))
	})
	return items
}

// room is how many bytes may be copied, and whether it is the file system that sets the limit: a part of it stays free,
// so that go commands can go on.
func (c *copying) room(to *gocache.Cache, most int64) (room int64, full bool, err error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(to.Path, &fs); err != nil {
		return 0, false, err
	}
	block := int64(fs.Bsize)
	room = int64(fs.Bavail)*block - min(int64(fs.Blocks)*block/20, 1<<30)
	if most > 0 && most-c.here.Occupied() < room {
		return most - c.here.Occupied(), false, nil
	}
	return room, true, nil
}

// Missing is how many bytes a copy would write, if there is room.
func Missing(there, here *gocache.Inventory) int64 {
	var bytes int64
	for _, each := range itemsOf(there) {
		bytes += each.missing(here)
	}
	return bytes
}

func (i *item) missing(here *gocache.Inventory) int64 {
	var bytes int64
	if here.Outputs[i.output.ID] == nil {
		bytes += i.output.Occupied
	}
	for _, action := range i.actions {
		if here.Actions[action.ID] == nil {
			bytes += action.Occupied
		}
	}
	return bytes
}

// choose takes out what has no room.
func (c *copying) choose(items []*item, room int64) []*item {
	chosen := items[:0]
	for _, each := range items {
		needs := each.missing(c.here)
		if needs > room {
			c.report.LeftOut++
			continue
		}
		room -= needs
		chosen = append(chosen, each)
	}
	return chosen
}

// Clean removes from what is copied to what an earlier copy left half-written, and what is damaged: it would be taken
// for present.
func Clean(to *gocache.Cache, here *gocache.Inventory) error {
	var failed []error
	here.Strays = slices.DeleteFunc(here.Strays, func(stray *gocache.File) bool {
		if !strings.Contains(stray.Path, "/"+gocache.Partial) {
			return false
		}
		failed = append(failed, to.Remove(stray.Path))
		return true
	})
	for id, action := range here.Actions {
		if action.Broken != nil {
			failed = append(failed, to.Remove(action.Path))
			delete(here.Actions, id)
		}
	}
	for id, output := range here.Outputs {
		if output.Broken != nil {
			failed = append(failed, to.Remove(output.Path))
			delete(here.Outputs, id)
		}
	}
	return errors.Join(failed...)
}

// Refresh makes entries that are present look used when the originals were, so that age and budget go by the same.
func Refresh(to *gocache.Cache, there, here *gocache.Inventory) error {
	var failed []error
	refresh := func(original, copied *gocache.File) {
		if original.Modified-copied.Modified < int64(time.Second) {
			return
		}
		failed = append(failed, to.SetModified(copied.Path, time.Unix(0, original.Modified)))
		copied.Modified = original.Modified
	}
	for id, action := range there.Actions {
		if copied := here.Actions[id]; copied != nil {
			refresh(&action.File, &copied.File)
		}
	}
	for id, output := range there.Outputs {
		if copied := here.Outputs[id]; copied != nil {
			refresh(&output.File, &copied.File)
		}
	}
	return errors.Join(failed...)
}
