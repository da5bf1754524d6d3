package forge

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"gofleet/sandbox/internal/config"
)

// fakeGitHub is as much of GitHub's API as runners need.
type fakeGitHub struct {
	*fake
	key     *rsa.PublicKey
	runners map[string]int64
	busy    map[int64]bool
	next    int64
}

const installationToken = "ghs_planted-short-lived"

func newFakeGitHub(t *testing.T) *fakeGitHub {
	g := &fakeGitHub{runners: map[string]int64{}, busy: map[int64]bool{}, next: 100}
	g.fake = newFake(t, func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		path := r.Method + " " + r.URL.Path
		switch {
		case path == "POST /app/installations/7/access_tokens":
			g.exchange(w, r, token)
		case strings.HasPrefix(path, "POST /app/installations/"):
			say(w, 404, `{"message":"Integration not found"}`)
		case token != planted && token != installationToken:
			say(w, 401, `{"message":"Bad credentials"}`)
		case path == "POST /orgs/corp/actions/runners/generate-jitconfig":
			g.generate(w, r)
		case path == "GET /orgs/corp/actions/runners":
			name := r.URL.Query().Get("name")
			if id, found := g.runners[name]; found {
				say(w, 200, fmt.Sprintf(`{"total_count":1,"runners":[{"id":%d,"name":%q}]}`, id, name))
				return
			}
			say(w, 200, `{"total_count":0,"runners":[]}`)
		case strings.HasPrefix(path, "DELETE /orgs/corp/actions/runners/"):
			id, _ := strconv.ParseInt(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], 10, 64)
			g.remove(w, id)
		default:
			say(w, 404, `{"message":"Not Found"}`)
		}
	})
	return g
}

func (g *fakeGitHub) generate(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Name   string   `json:"name"`
		Group  int64    `json:"runner_group_id"`
		Labels []string `json:"labels"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || body.Name == "" || body.Group == 0 || len(body.Labels) == 0 {
		say(w, 422, `{"message":"Invalid input"}`)
		return
	}
	g.next++
	g.runners[body.Name] = g.next
	say(w, 201, fmt.Sprintf(`{"runner":{"id":%d,"name":%q},"encoded_jit_config":"jit-of-%d"}`, g.next, body.Name, g.next))
}

func (g *fakeGitHub) remove(w http.ResponseWriter, id int64) {
	if g.busy[id] {
		say(w, 422, `{"message":"Bad request - Runner \"x\" is still running a job\""}`)
		return
	}
	for name, each := range g.runners {
		if each == id {
			delete(g.runners, name)
			w.WriteHeader(204)
			return
		}
	}
	say(w, 404, `{"message":"Not Found"}`)
}

// exchange takes the App's token apart as GitHub does.
func (g *fakeGitHub) exchange(w http.ResponseWriter, r *http.Request, token string) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		say(w, 401, `{"message":"A JSON web token could not be decoded"}`)
		return
	}
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(g.key, crypto.SHA256, digest[:], signature) != nil {
		say(w, 401, `{"message":"A JSON web token could not be decoded"}`)
		return
	}
	var claims struct {
		Issuer string `json:"iss"`
		From   int64  `json:"iat"`
		Until  int64  `json:"exp"`
	}
	text, _ := base64.RawURLEncoding.DecodeString(parts[1])
	err := json.Unmarshal(text, &claims)
	now := time.Now().Unix()
	if err != nil || claims.Issuer != "Iv1.app" || claims.From > now || claims.Until <= now || claims.Until-claims.From > 600 {
		say(w, 401, `{"message":"'Expiration time' claim ('exp') must be a numeric value representing the future time"}`)
		return
	}
	var body struct{ Permissions map[string]string }
	if json.NewDecoder(r.Body).Decode(&body) != nil || len(body.Permissions) != 1 || body.Permissions["organization_self_hosted_runners"] != "write" {
		say(w, 422, `{"message":"wanted one permission"}`)
		return
	}
	say(w, 201, fmt.Sprintf(`{"token":%q}`, installationToken))
}

func gitHubLab(t *testing.T) (*fakeGitHub, *config.Config, *config.Slot) {
	g := newFakeGitHub(t)
	c, s := lab(t, config.Agent{Kind: config.GitHub, API: g.URL, URL: g.URL, Scope: "corp", Labels: []string{"linux"}, Group: 1}, planted)
	return g, c, s
}

func TestARunnerIsMadeForOneJobAndForgotten(t *testing.T) {
	g, c, s := gitHubLab(t)
	handed, err := register(within(t), c, s)
	must(t, err)
	if handed.Environment["ACTIONS_RUNNER_INPUT_JITCONFIG"] != "jit-of-101" || handed.Command[0] != s.Workspace+"/agent/run.sh" || len(handed.Command) != 1 {
		t.Errorf("handed %+v", handed)
	}
	if len(g.runners) != 1 {
		t.Fatalf("runners %v", g.runners)
	}
	for name := range g.runners {
		if len(name) > 64 || !strings.Contains(name, "-ci-1-") {
			t.Errorf("name %q", name)
		}
	}
	must(t, Deregister(c, 1))
	if len(g.runners) != 0 || registered(t, c) != "" {
		t.Errorf("runners %v, record %q", g.runners, registered(t, c))
	}
	before := len(g.requests)
	must(t, Deregister(c, 1))
	if len(g.requests) != before {
		t.Error("asked to forget what it does not know")
	}
}

func TestARunnerThatGitHubHasForgottenItselfIsNoError(t *testing.T) {
	g, c, s := gitHubLab(t)
	_, err := register(within(t), c, s)
	must(t, err)
	clear(g.runners)
	must(t, Deregister(c, 1))
	if registered(t, c) != "" {
		t.Error("remembered still")
	}
}

func TestARunnersNameIsOnTheDiskBeforeGitHubIsAsked(t *testing.T) {
	g, c, s := gitHubLab(t)
	before := syncDirectory
	t.Cleanup(func() { syncDirectory = before })
	synced := ""
	syncDirectory = func(path string) error {
		text, err := os.ReadFile(c.Registration(1))
		if synced == "" && err == nil {
			synced = string(text)
		}
		return errors.Join(err, before(path))
	}
	g.instead[generate] = []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Name string }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Name == "" || !strings.Contains(synced, asked.Name) {
			t.Errorf("%q is not among %q, %v", asked.Name, synced, err)
		}
		say(w, 403, "{}")
	}}
	_, err := register(within(t), c, s)
	said(t, err, "403")
}

func TestWhatACrashLeftKnownGoesFirst(t *testing.T) {
	g, c, s := gitHubLab(t)
	_, err := register(within(t), c, s)
	must(t, err)
	// As after a crash between question and answer: the name is on the disk, and the id is not.
	record := registered(t, c)
	replace(t, c.Registration(1), record, strings.Replace(record, `"id":"101"`, `"id":""`, 1))
	_, err = register(within(t), c, s)
	must(t, err)
	if len(g.runners) != 1 || g.busy[101] {
		t.Errorf("runners %v", g.runners)
	}
	for _, id := range g.runners {
		if id != 102 {
			t.Errorf("the runner that was left is still there: %v", g.runners)
		}
	}
}

func TestABusyRunnerStaysAndIsRemovedLater(t *testing.T) {
	g, c, s := gitHubLab(t)
	_, err := register(within(t), c, s)
	must(t, err)
	g.busy[101] = true
	said(t, Deregister(c, 1), "the agent has a job", "still running a job")
	// It holds up no other job of the slot.
	_, err = register(within(t), c, s)
	must(t, err)
	if len(g.runners) != 2 {
		t.Errorf("runners %v", g.runners)
	}
	g.busy[101] = false
	must(t, Deregister(c, 1))
	if len(g.runners) != 0 {
		t.Errorf("runners %v", g.runners)
	}
}

func TestAnAppsKeyIsExchangedForATokenThatMayDoLittle(t *testing.T) {
	g := newFakeGitHub(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	g.key = &key.PublicKey
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	for kind, der := range map[string][]byte{"RSA PRIVATE KEY": x509.MarshalPKCS1PrivateKey(key), "PRIVATE KEY": pkcs8} {
		text := string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
		c, s := lab(t, config.Agent{
			Kind: config.GitHub, API: g.URL, URL: g.URL, Scope: "corp", Labels: []string{"linux"}, Group: 1, App: "Iv1.app", Installation: 7,
		}, text)
		handed, err := register(within(t), c, s)
		must(t, err)
		if all := fmt.Sprint(handed); strings.Contains(all, installationToken) || strings.Contains(all, "PRIVATE") {
			t.Error("a slot gets what the forge trusts")
		}
		must(t, Deregister(c, 1))
		c.Agent.Installation = 8
		_, err = register(within(t), c, s)
		said(t, err, "POST "+g.URL+"/app/installations/8/access_tokens", "404")
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(other)}))
	c, s := lab(t, config.Agent{Kind: config.GitHub, API: g.URL, Scope: "corp", Labels: []string{"x"}, Group: 1, App: "Iv1.app", Installation: 7}, text)
	_, err = register(within(t), c, s)
	said(t, err, "401", "clock is wrong")
	replace(t, c.Agent.Credential, text, planted)
	_, err = register(within(t), c, s)
	said(t, err, "is no PEM")
}

func TestAnAppsTokenForARepositoryIsForThatOneAlone(t *testing.T) {
	wanted := `{"permissions":{"administration":"write"},"repositories":["app"]}`
	if text, err := json.Marshal(permissions("corp/app")); err != nil || string(text) != wanted {
		t.Errorf("%s %v", text, err)
	}
	g, err := newGitHub(&config.Agent{API: "https://x", Scope: "corp/app"}, planted)
	must(t, err)
	if g.runners != "/repos/corp/app/actions/runners" {
		t.Error(g.runners)
	}
}
