package cache

import (
	"encoding/json"
	"os"
	"path/filepath"

	"gofleet/sandbox/internal/cache/gocache"
	"gofleet/sandbox/internal/cache/prune"
	"gofleet/sandbox/internal/cache/reuse"
	"gofleet/sandbox/internal/cache/testresults"
	"gofleet/sandbox/internal/cache/transfer"
	"gofleet/sandbox/internal/cache/verify"
	"gofleet/sandbox/internal/files"
)

// Report is what is known of a cache, `report.json` of its state directory. Times are Unix seconds unless said
// otherwise; a part that never ran is left out. Later versions of this format may have more fields.
type Report struct {
	// Schema is 1.
	Schema int    `json:"schema"`
	Cache  string `json:"cache"`
	// Time of the last run, of whichever part; Error is how it failed, empty if it did not.
	Time  int64  `json:"time"`
	Error string `json:"error"`
	// Occupied is what the cache takes on its file system; Budget what it may, 0: any.
	Occupied int64 `json:"occupiedBytes"`
	Budget   int64 `json:"budgetBytes"`
	// Actions, outputs, and how many of those are executables of `go run` and `go tool`.
	Actions     int `json:"actions"`
	Outputs     int `json:"outputs"`
	Executables int `json:"executables"`
	// Fuzz corpora, and what is not the go command's.
	Fuzz    int64 `json:"fuzzBytes"`
	Foreign int64 `json:"foreignBytes"`
	// Stores: the last preflight could store something.
	Stores *bool `json:"stores,omitempty"`
	// Libraries is the fingerprint of the C packages that the last job found; empty: not known.
	Libraries string `json:"libraries,omitempty"`
	// Mark is when the last job began, in Unix nanoseconds.
	Mark    int64          `json:"mark,omitempty"`
	Job     *reuse.Figures `json:"job,omitempty"`
	Scan    *Scan          `json:"scan,omitempty"`
	Prune   *Prune         `json:"prune,omitempty"`
	Tests   *Tests         `json:"tests,omitempty"`
	Persist *Transfer      `json:"persist,omitempty"`
	Restore *Transfer      `json:"restore,omitempty"`
	Totals  Totals         `json:"totals"`
}

// Scan is the last scan.
type Scan struct {
	Time int64 `json:"time"`
	verify.Report
}

// Prune is the last pruning.
type Prune struct {
	Time int64 `json:"time"`
	prune.Report
}

// Tests is when test results were last removed.
type Tests struct {
	Time int64 `json:"time"`
	testresults.Report
}

// Transfer is the last copy to disk, or back.
type Transfer struct {
	Time int64 `json:"time"`
	transfer.Report
}

// Totals since the cache is kept.
type Totals struct {
	Broken int64 `json:"broken"`
	Pruned int64 `json:"pruned"`
	Freed  int64 `json:"freedBytes"`
}

func (r *Report) holds(inventory *gocache.Inventory) {
	r.Occupied = inventory.Occupied()
	r.Actions, r.Outputs, r.Executables = len(inventory.Actions), len(inventory.Outputs), 0
	for _, output := range inventory.Outputs {
		if output.Executable() {
			r.Executables++
		}
	}
	sum := func(of ...[]*gocache.File) (bytes int64) {
		for _, list := range of {
			for _, file := range list {
				bytes += file.Occupied
			}
		}
		return bytes
	}
	r.Fuzz, r.Foreign = sum(inventory.Fuzz), sum(inventory.Foreign, inventory.Strays)
}

// Known is what is known of a cache without looking at it.
func (k *Keeper) Known() *Report { return k.read() }

func (k *Keeper) read() *Report {
	report := &Report{}
	if k.State != "" {
		if text, err := os.ReadFile(k.report()); err != nil || json.Unmarshal(text, report) != nil {
			*report = Report{}
		}
	}
	report.Schema = 1
	return report
}

func (k *Keeper) write(report *Report) error {
	if k.State == "" {
		return nil
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return files.Replace(k.report(), append(text, '\n'), 0o644)
}

func (k *Keeper) report() string { return filepath.Join(k.State, "report.json") }
