package forge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"gofleet/sandbox/internal/config"
)

// fakeGitLab is as much of GitLab's API as runners need, for the group 12.
type fakeGitLab struct {
	*fake
	runners map[int64]string
	next    int64
}

func newFakeGitLab(t *testing.T) *fakeGitLab {
	g := &fakeGitLab{runners: map[int64]string{}, next: 500}
	g.fake = newFake(t, func(w http.ResponseWriter, r *http.Request) {
		path := r.Method + " " + r.URL.Path
		var id int64
		switch {
		case r.Header.Get("PRIVATE-TOKEN") != planted:
			say(w, 401, `{"message":"401 Unauthorized"}`)
		case path == "POST /user/runners":
			g.make(w, r)
		case path == "GET /groups/12/runners":
			g.list(w, r.URL.Query().Get("page"))
		case scanned(path, "DELETE /runners/%d", &id) && g.runners[id] != "":
			delete(g.runners, id)
			w.WriteHeader(204)
		default:
			say(w, 404, `{"message":"404 Not found"}`)
		}
	})
	return g
}

func scanned(text, format string, into ...any) bool {
	n, err := fmt.Sscanf(text, format, into...)
	return err == nil && n == len(into)
}

func (g *fakeGitLab) make(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Type        string   `json:"runner_type"`
		Group       int64    `json:"group_id"`
		Description string   `json:"description"`
		Tags        []string `json:"tag_list"`
		Untagged    bool     `json:"run_untagged"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || body.Type != "group_type" || len(body.Tags) == 0 || body.Untagged {
		say(w, 400, `{"error":"runner_type is invalid"}`)
		return
	}
	if body.Group != 12 {
		say(w, 403, `{"message":"403 Forbidden"}`)
		return
	}
	g.next++
	g.runners[g.next] = body.Description
	say(w, 201, fmt.Sprintf(`{"id":%d,"token":"glrt-short-lived-%d","token_expires_at":null}`, g.next, g.next))
}

// list has a first page full of other runners.
func (g *fakeGitLab) list(w http.ResponseWriter, page string) {
	type runner struct {
		ID          int64  `json:"id"`
		Description string `json:"description"`
	}
	list := []runner{}
	if page == "1" {
		for i := range 100 {
			list = append(list, runner{int64(i + 1), "another"})
		}
	} else {
		for id, name := range g.runners {
			list = append(list, runner{id, name})
		}
	}
	text, _ := json.Marshal(list)
	say(w, 200, string(text))
}

func TestARunnerOfGitLabHasATokenThatGoesWithItsJob(t *testing.T) {
	g := newFakeGitLab(t)
	c, s := lab(t, config.Agent{
		Kind: config.GitLab, API: g.URL, URL: "https://gitlab.corp.example", Scope: "group/12", Labels: []string{"go"}, Tree: "/tree",
	}, planted)
	handed, err := register(within(t), c, s)
	must(t, err)
	text := handed.Files["config.toml"]
	for _, part := range []string{`token = "glrt-short-lived-501"`, `url = "https://gitlab.corp.example"`, `name = "` + g.runners[501] + `"`, `builds_dir = "` + s.Workspace + "/work/builds"} {
		if !strings.Contains(text, part) {
			t.Errorf("%s has no %s", text, part)
		}
	}
	line := strings.Join(handed.Command, " ")
	if strings.Contains(line, "glrt-") || len(handed.Environment) != 0 || !strings.HasPrefix(line, "/tree/gitlab-runner-linux-") || !strings.HasSuffix(line, "--max-builds 1") {
		t.Errorf("command %q, environment %v", line, handed.Environment)
	}
	if strings.Contains(registered(t, c), "glrt-") {
		t.Error("the runner's token is on the disk")
	}
	must(t, Deregister(c, 1))
	if len(g.runners) != 0 || registered(t, c) != "" {
		t.Errorf("runners %v", g.runners)
	}
}

func TestARunnerOfGitLabThatACrashLeftIsFoundByItsName(t *testing.T) {
	g := newFakeGitLab(t)
	c, s := lab(t, config.Agent{Kind: config.GitLab, API: g.URL, URL: g.URL, Scope: "group/12", Labels: []string{"go"}}, planted)
	g.instead["POST /user/runners"] = []http.HandlerFunc{func(_ http.ResponseWriter, r *http.Request) {
		g.make(newSink(), r)
		panic(http.ErrAbortHandler)
	}}
	_, err := register(within(t), c, s)
	must(t, err)
	if len(g.runners) != 2 {
		t.Fatalf("runners %v", g.runners)
	}
	must(t, Deregister(c, 1))
	if len(g.runners) != 0 {
		t.Errorf("runners %v", g.runners)
	}
}

func TestWhatGitLabRefusesIsSaid(t *testing.T) {
	g := newFakeGitLab(t)
	lab := func(scope, credential string) error {
		c, s := lab(t, config.Agent{Kind: config.GitLab, API: g.URL, URL: g.URL, Scope: scope, Labels: []string{"go"}}, credential)
		_, err := register(within(t), c, s)
		return err
	}
	said(t, lab("group/12", "planted-but-wrong"), "POST "+g.URL+"/user/runners: 401")
	said(t, lab("group/13", planted), "403 Forbidden", "may not do this")
	said(t, lab("project/34", planted), "400", "runner_type is invalid")
	said(t, lab("corp", planted), "agent.scope", "group/12")
	for range attempts {
		g.instead["POST /user/runners"] = append(g.instead["POST /user/runners"], answer(503, ``))
	}
	said(t, lab("group/12", planted), "503 Service Unavailable")
	g.instead["POST /user/runners"] = []http.HandlerFunc{answer(429, `{}`, "Retry-After", "3600")}
	said(t, lab("group/12", planted), "rate limit lasts another 1h0m0s")
}
