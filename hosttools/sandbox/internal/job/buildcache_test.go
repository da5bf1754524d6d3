package job

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gofleet/sandbox/internal/cache"
)

func TestAJobsBuildCacheIsMadeReadyAndMeasured(t *testing.T) {
	c, s := lab(t)
	c.Metrics = filepath.Join(c.State, "metrics.prom")
	must(t, Prepare(c, s))
	garbage := filepath.Join(s.BuildCache, "00", "garbage")
	write(t, garbage, "")
	owner, err := lookUp(s.User)
	must(t, err)
	must(t, os.Chown(filepath.Dir(garbage), owner.uid, owner.gid))
	must(t, Finish(c, s))
	must(t, Prepare(c, s))
	keepers, err := cache.Of(c, s.Number)
	must(t, err)
	report := keepers[0].Known()
	if report.Error != "" || report.Stores == nil || !*report.Stores || report.Mark == 0 || report.Job == nil {
		t.Errorf("%+v", report)
	}
	if _, err := os.Stat(garbage); err == nil {
		t.Error("garbage is still there")
	}
	text, err := os.ReadFile(filepath.Join(c.State, "cache.prom"))
	must(t, err)
	if !strings.Contains(string(text), `gofleet_build_cache_stores{component="ci",cache="1"} 1`) {
		t.Errorf("%s", text)
	}
}
