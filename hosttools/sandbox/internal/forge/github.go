package forge

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"gofleet/sandbox/internal/agent"
	"gofleet/sandbox/internal/config"
)

// gitHub makes just-in-time runners: each takes one job, and GitHub itself forgets it after that.
// https://docs.github.com/en/rest/actions/self-hosted-runners
type gitHub struct {
	*client
	settings *config.Agent
	// runners is the scope's collection of runners.
	runners string
}

// newGitHub takes a token that may manage the scope's runners or, with an App, that App's private key.
func newGitHub(a *config.Agent, secret string) (*gitHub, error) {
	g := &gitHub{settings: a, runners: "/orgs/" + url.PathEscape(a.Scope) + "/actions/runners"}
	if owner, repository, found := strings.Cut(a.Scope, "/"); found {
		g.runners = "/repos/" + url.PathEscape(owner) + "/" + url.PathEscape(repository) + "/actions/runners"
	}
	if a.App == "" {
		g.client = newClient(a.API, gitHubToken(secret))
		return g, nil
	}
	key, err := parseKey(secret)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.Credential, err)
	}
	g.client = newClient(a.API, nil)
	g.client.http.Transport = &installation{settings: a, key: key, next: http.DefaultTransport}
	g.client.authorise = gitHubToken("")
	return g, nil
}

func gitHubToken(token string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
	}
}

func (g *gitHub) create(ctx context.Context, s *config.Slot, name string) (string, agent.Handed, error) {
	var answer struct {
		Runner struct {
			ID int64 `json:"id"`
		} `json:"runner"`
		Config string `json:"encoded_jit_config"`
	}
	body := map[string]any{"name": name, "runner_group_id": g.settings.Group, "labels": g.settings.Labels, "work_folder": "_work"}
	if err := g.once(ctx, http.MethodPost, g.runners+"/generate-jitconfig", body, &answer); err != nil {
		return "", agent.Handed{}, err
	}
	if answer.Runner.ID == 0 || answer.Config == "" {
		return "", agent.Handed{}, fmt.Errorf("POST %s%s/generate-jitconfig: no runner in the answer", g.api, g.runners)
	}
	return strconv.FormatInt(answer.Runner.ID, 10), agent.Handed{
		Command: []string{filepath.Join(agent.Directory(s), "run.sh")},
		Environment: map[string]string{
			// In place of --jitconfig, whose value everybody on the host could read. The runner takes it out of its own
			// environment before a job begins.
			"ACTIONS_RUNNER_INPUT_JITCONFIG": answer.Config,
			// run.sh ends its runner when it is told to end.
			"RUNNER_MANUALLY_TRAP_SIG": "1",
			// Without ICU on the host the runner would not start.
			"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
		},
	}, nil
}

func (g *gitHub) find(ctx context.Context, name string) (string, error) {
	var answer struct {
		Runners []struct {
			ID   int64  `json:"id"`
			Name string `json:"name"`
		} `json:"runners"`
	}
	if err := g.do(ctx, http.MethodGet, g.runners+"?per_page=100&name="+url.QueryEscape(name), nil, &answer); err != nil {
		return "", err
	}
	for _, each := range answer.Runners {
		if each.Name == name {
			return strconv.FormatInt(each.ID, 10), nil
		}
	}
	return "", nil
}

// remove: GitHub refuses with 422 while the runner has a job, which makes it safe to ask at any time.
func (g *gitHub) remove(ctx context.Context, id string, _ bool) error {
	err := g.do(ctx, http.MethodDelete, g.runners+"/"+url.PathEscape(id), nil, nil)
	switch {
	case isCode(err, http.StatusNotFound):
		return nil
	case isCode(err, http.StatusUnprocessableEntity):
		return fmt.Errorf("%w: %w", errBusy, err)
	}
	return err
}
