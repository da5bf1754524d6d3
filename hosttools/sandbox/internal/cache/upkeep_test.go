package cache

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gofleet/sandbox/internal/cache/gocache"
	"gofleet/sandbox/internal/cache/verify"
	"gofleet/sandbox/internal/files"
)

// rot changes a file as a bad disk does: no size, inode or time of it is another than before.
func rot(t *testing.T, k *Keeper, path string) {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	flip(t, path)
	must(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
	// The time of change cannot be set, so what is known of the file gets the one that it has now.
	file, err := os.Open(path)
	must(t, err)
	defer file.Close()
	stamp, err := gocache.StampOf(file)
	must(t, err)
	at := filepath.Join(k.State, "verified")
	known, err := verify.ReadKnown(at)
	must(t, err)
	id := strings.TrimSuffix(filepath.Base(path), "-d")
	known[id] = verify.Proof{Stamp: stamp, At: known[id].At}
	must(t, known.Write(at))
}

func TestUpkeepFindsWhatRotsInSilence(t *testing.T) {
	l := newLab(t)
	time.Sleep(200 * time.Millisecond)
	k := l.keeper()
	began := time.Now()
	k.Now = func() time.Time { return began }
	_, err := k.Upkeep(time.Hour, time.Minute)
	must(t, err)
	path := l.plain()
	rot(t, k, path)
	report, err := k.Upkeep(time.Hour, time.Minute)
	must(t, err)
	if report.Scan.Read != 0 || !exists(path) {
		t.Fatalf("it is remembered no more: %+v", report.Scan)
	}
	k.Now = func() time.Time { return began.Add(time.Hour) }
	report, err = k.Upkeep(time.Hour, time.Minute)
	must(t, err)
	if len(report.Scan.Broken) == 0 || exists(path) || report.Totals.Broken != int64(len(report.Scan.Broken)) {
		t.Errorf("%+v", report.Scan)
	}
	l.builds()
}

func TestWhatIsReadInTurnsIsReadWholeAndLetsJobsIn(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	k.Wait = time.Minute
	ended := make(chan *Report, 1)
	go func() {
		report, err := k.scanInTurns(0, time.Minute, time.Millisecond)
		if err != nil {
			t.Error(err)
			report = &Report{Scan: &Scan{}}
		}
		ended <- report
	}()
	turns := 0
	for {
		select {
		case report := <-ended:
			if outputs := len(l.outputs()); report.Scan.Read < outputs || report.Scan.Unread != 0 {
				t.Errorf("%+v, of %d", report.Scan, outputs)
			}
			if turns == 0 {
				t.Error("nobody else had a turn")
			}
			return
		default:
		}
		if release, err := files.Lock(l.cache, between/2); err == nil {
			turns++
			release()
		}
	}
}

func TestUpkeepMeasuresAndPrunesWhatIsShared(t *testing.T) {
	l := newLab(t)
	k := l.keeper()
	k.Shared = true
	first, err := k.Upkeep(time.Hour, time.Minute)
	must(t, err)
	if first.Job != nil {
		t.Errorf("measured from nowhere: %+v", first.Job)
	}
	age(t, l.cache, 10*time.Hour)
	l.builds()
	k.MaxBytes = first.Occupied / 2
	second, err := k.Upkeep(time.Hour, time.Minute)
	must(t, err)
	if second.Job == nil || second.Job.HitRatio == nil || second.Job.Reused == 0 {
		t.Errorf("%+v", second.Job)
	}
	if second.Occupied > k.MaxBytes || second.Prune.Removed == 0 {
		t.Errorf("%+v, of %d", second.Prune, k.MaxBytes)
	}
	if second.Mark <= first.Mark {
		t.Error("the next hour is not measured from here")
	}
}
