package forge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gofleet/sandbox/internal/config"
)

const clusterTokens = "/organizations/corp/clusters/c0ffee/tokens"

// fakeBuildkite is as much of Buildkite's API as tokens of the cluster c0ffee need.
type fakeBuildkite struct {
	*fake
	tokens map[string]string
}

func newFakeBuildkite(t *testing.T) *fakeBuildkite {
	b := &fakeBuildkite{tokens: map[string]string{}}
	b.fake = newFake(t, func(w http.ResponseWriter, r *http.Request) {
		id := strings.TrimPrefix(r.URL.Path, clusterTokens+"/")
		switch {
		case r.Header.Get("Authorization") != "Bearer "+planted:
			say(w, 401, `{"message":"Authentication required. Please supply a valid API Access Token"}`)
		case r.Method+" "+r.URL.Path == "POST "+clusterTokens:
			b.make(w, r)
		case r.Method+" "+r.URL.Path == "GET "+clusterTokens:
			list := []map[string]string{}
			for id, name := range b.tokens {
				list = append(list, map[string]string{"id": id, "description": name})
			}
			text, _ := json.Marshal(list)
			say(w, 200, string(text))
		case r.Method == "DELETE" && b.tokens[id] != "":
			delete(b.tokens, id)
			w.WriteHeader(204)
		default:
			say(w, 404, `{"message":"No cluster found"}`)
		}
	})
	return b
}

func (b *fakeBuildkite) make(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Description string    `json:"description"`
		Expires     time.Time `json:"expires_at"`
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	if lasts := time.Until(body.Expires); err != nil || lasts < 10*time.Minute || lasts > 15*time.Minute {
		say(w, 422, `{"message":"Expires at must be at least 10 minutes in the future"}`)
		return
	}
	id := fmt.Sprintf("b600-%d", len(b.requests))
	b.tokens[id] = body.Description
	say(w, 201, fmt.Sprintf(`{"id":%q,"token":"bkct_short-lived"}`, id))
}

func buildkiteLab(t *testing.T, scope, credential string) (*fakeBuildkite, *config.Config, *config.Slot) {
	b := newFakeBuildkite(t)
	a := config.Agent{Kind: config.Buildkite, API: b.URL, URL: "https://agent.example", Scope: scope, Labels: []string{"queue=go", "os=linux"}, Tree: "/tree"}
	c, s := lab(t, a, credential)
	return b, c, s
}

func TestAnAgentOfBuildkiteConnectsByATokenThatIsRevoked(t *testing.T) {
	b, c, s := buildkiteLab(t, "corp/c0ffee", planted)
	handed, err := register(within(t), c, s)
	must(t, err)
	line := strings.Join(handed.Command, " ")
	for _, part := range []string{"/tree/buildkite-agent start --disconnect-after-job ", " --tags queue=go,os=linux ", " --endpoint https://agent.example/v3 "} {
		if !strings.Contains(line, part) {
			t.Errorf("%q has no %q", line, part)
		}
	}
	if strings.Contains(line, "bkct_") || handed.Environment["BUILDKITE_AGENT_TOKEN"] != "bkct_short-lived" || strings.Contains(registered(t, c), "bkct_") {
		t.Errorf("command %q, environment %v, record %s", line, handed.Environment, registered(t, c))
	}
	must(t, Deregister(c, 1))
	if len(b.tokens) != 0 || registered(t, c) != "" {
		t.Errorf("tokens %v", b.tokens)
	}
}

func TestATokenOfBuildkitesThatACrashLeftIsFoundByItsName(t *testing.T) {
	b, c, s := buildkiteLab(t, "corp/c0ffee", planted)
	b.instead["POST "+clusterTokens] = []http.HandlerFunc{func(_ http.ResponseWriter, r *http.Request) {
		b.make(newSink(), r)
		panic(http.ErrAbortHandler)
	}}
	_, err := register(within(t), c, s)
	must(t, err)
	if len(b.tokens) != 2 {
		t.Fatalf("tokens %v", b.tokens)
	}
	must(t, Deregister(c, 1))
	if len(b.tokens) != 0 {
		t.Errorf("tokens %v", b.tokens)
	}
}

func TestWhatBuildkiteRefusesIsSaid(t *testing.T) {
	for _, each := range []struct{ scope, credential, says string }{
		{"corp/c0ffee", "planted-but-wrong", "401 Unauthorized: Authentication required"},
		{"corp/another", planted, "404 Not Found: No cluster found"},
		{"corp", planted, "agent.scope"},
	} {
		_, c, s := buildkiteLab(t, each.scope, each.credential)
		_, err := register(within(t), c, s)
		said(t, err, each.says)
	}
}
