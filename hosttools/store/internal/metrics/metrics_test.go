package metrics

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gofleet/store/internal/config"
	"gofleet/store/internal/state"
	. "gofleet/store/internal/storetest"
	"gofleet/store/internal/watch"
)

func certificate(t *testing.T, end time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: end.Add(-time.Hour), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	Must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func has(t *testing.T, text []byte, line string) {
	t.Helper()
	if !strings.Contains("\n"+string(text), "\n"+line+"\n") {
		t.Errorf("no line %q", line)
	}
}

func TestTheFirstCertificateOfTheChainToExpireCounts(t *testing.T) {
	c := Config(t)
	c.Front.Certificate = filepath.Join(t.TempDir(), "chain.pem")
	early, late := time.Unix(2_000_000_000, 0), time.Unix(2_100_000_000, 0)
	Must(t, os.WriteFile(c.Front.Certificate, append(certificate(t, late), certificate(t, early)...), 0o644))
	text := Text(c, &state.State{}, watch.Usage{}, time.Now())
	has(t, text, "gofleet_mirror_certificate_not_after_timestamp_seconds 2000000000")
	has(t, text, "gofleet_mirror_certificate_not_before_timestamp_seconds 1999996400")
	Must(t, os.WriteFile(c.Front.Certificate, []byte("no certificate"), 0o644))
	if strings.Contains(string(Text(c, &state.State{}, watch.Usage{}, time.Now())), "gofleet_mirror_certificate") {
		t.Error("the end of a certificate that is none")
	}
}

func TestTiersAreAsked(t *testing.T) {
	answer := func(status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(server.Close)
		return server.URL
	}
	c := Config(t)
	c.Metrics.Tiers = []config.Tier{{Name: "well", URL: answer(200)}, {Name: "ill", URL: answer(503)}, {Name: "gone", URL: "http://127.0.0.1:1"}}
	text := Text(c, &state.State{}, watch.Usage{}, time.Now())
	has(t, text, `gofleet_mirror_tier_up{tier="well"} 1`)
	has(t, text, `gofleet_mirror_tier_up{tier="ill"} 0`)
	has(t, text, `gofleet_mirror_tier_up{tier="gone"} 0`)
}

func TestValuesAreWhatIsKnown(t *testing.T) {
	c := Config(t)
	c.Metrics.File = filepath.Join(c.State, "metrics", "store.prom")
	Must(t, os.WriteFile(c.Watch.ReadOnlyFlag, nil, 0o640))
	s := &state.State{Versions: 7, Broken: 2, Freed: 5_000_000_000_000, GCStuck: true, LastRepair: 1_700_000_000}
	Must(t, Write(c, s, watch.Usage{StoreBytes: 90, MaxBytes: 100}, time.Unix(1_800_000_000, 0)))
	text, err := os.ReadFile(c.Metrics.File)
	Must(t, err)
	for _, line := range []string{
		"gofleet_store_versions 7", "gofleet_store_broken_versions_total 2", "gofleet_store_collected_bytes_total 5000000000000",
		"gofleet_store_gc_stuck 1", "gofleet_store_read_only 1", "gofleet_store_usage_ratio 0.9",
		"gofleet_store_last_repair_timestamp_seconds 1700000000", "gofleet_store_last_run_timestamp_seconds 1800000000",
	} {
		has(t, text, line)
	}
}
