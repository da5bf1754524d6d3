package forge

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gofleet/sandbox/internal/config"
)

// planted is a credential that must appear nowhere but where it belongs.
const planted = "planted-long-lived-credential"

// fake is a forge's API, of which single answers can be replaced.
type fake struct {
	*httptest.Server
	mutex    sync.Mutex
	requests []string
	// instead are answers that come before the forge's own, in order, by method and path.
	instead map[string][]http.HandlerFunc
}

func newFake(t *testing.T, serve http.HandlerFunc) *fake {
	f := &fake{instead: map[string][]http.HandlerFunc{}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mutex.Lock()
		defer f.mutex.Unlock()
		request := r.Method + " " + r.URL.Path
		f.requests = append(f.requests, request)
		if answers := f.instead[request]; len(answers) > 0 {
			f.instead[request] = answers[1:]
			answers[0](w, r)
			return
		}
		serve(w, r)
	}))
	t.Cleanup(f.Close)
	before := firstWait
	firstWait = time.Millisecond
	t.Cleanup(func() { firstWait = before })
	return f
}

func say(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text))
}

// answer is a handler that says the same whatever it is asked; headers by name, value, name, value.
func answer(code int, text string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		say(w, code, text)
	}
}

// lab is a sandbox with one slot whose agents are a forge's.
func lab(t *testing.T, a config.Agent, credential string) (*config.Config, *config.Slot) {
	t.Helper()
	top := t.TempDir()
	a.Credential = filepath.Join(top, "credential")
	must(t, os.WriteFile(a.Credential, []byte(credential+"\n"), 0o400))
	c := &config.Config{
		Component: "ci", State: top, Runtime: top, JobLock: filepath.Join(top, "jobs.lock"), Agent: &a,
		Slots: []config.Slot{{Number: 1, User: "nobody", Workspace: filepath.Join(top, "slots", "1")}},
	}
	must(t, os.MkdirAll(c.Slots[0].Workspace, 0o700))
	return c, &c.Slots[0]
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// within is a time in which everything here is done, and in which a forge that says nothing is given up.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// said checks what an error says, and that no credential is in it.
func said(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; wanted one that says %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "planted") || strings.Contains(err.Error(), "PRIVATE KEY") {
		t.Errorf("a credential is in %q", err)
	}
}

// registered is the record on the disk, without any credential; empty: there is none.
func registered(t *testing.T, c *config.Config) string {
	t.Helper()
	text, err := os.ReadFile(c.Registration(1))
	if os.IsNotExist(err) {
		return ""
	}
	must(t, err)
	if info, _ := os.Stat(c.Registration(1)); info.Mode().Perm() != 0o600 {
		t.Errorf("the record's mode is %v", info.Mode())
	}
	if strings.Contains(string(text), "planted") {
		t.Errorf("a credential is in the record: %s", text)
	}
	return string(text)
}

func replace(t *testing.T, path, before, after string) {
	t.Helper()
	if before == after {
		t.Fatalf("%s: nothing to replace", path)
	}
	must(t, os.Chmod(path, 0o600))
	must(t, os.WriteFile(path, []byte(after), 0o600))
}

// soon is a time by the clock, as X-RateLimit-Reset says it.
func soon(after time.Duration) string { return strconv.FormatInt(time.Now().Add(after).Unix(), 10) }
