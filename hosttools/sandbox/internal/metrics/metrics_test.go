package metrics

import (
	"os"
	"path/filepath"
	"testing"

	"gofleet/sandbox/internal/config"
)

func TestSectionsMakeOneFile(t *testing.T) {
	c := &config.Config{Component: "ci", Metrics: filepath.Join(t.TempDir(), "metrics.prom")}
	section := func(name string, value float64) {
		s := Of(c)
		s.Gauge(name, "Help.")
		s.Value(name, value, "path", "a\\b\"c\nd", "slot", "1")
		s.Value(name, 0.5)
		if err := Write(c, name, s); err != nil {
			t.Fatal(err)
		}
	}
	section("b", 1)
	section("a", 2)
	section("b", 3)
	text, err := os.ReadFile(c.Metrics)
	expected := "# HELP a Help.\n# TYPE a gauge\na{component=\"ci\",path=\"a\\\\b\\\"c\\nd\",slot=\"1\"} 2\na{component=\"ci\"} 0.5\n" +
		"# HELP b Help.\n# TYPE b gauge\nb{component=\"ci\",path=\"a\\\\b\\\"c\\nd\",slot=\"1\"} 3\nb{component=\"ci\"} 0.5\n"
	if err != nil || string(text) != expected {
		t.Errorf("%s %v", text, err)
	}
}
