package forge

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"gofleet/sandbox/internal/agent"
	"gofleet/sandbox/internal/config"
)

// buildkite makes a cluster token for one agent. With it the agent connects; then it has a session of its own, which
// Buildkite ends with the agent's job. The token expires by itself soon, and is revoked after the job at the latest.
// https://buildkite.com/docs/apis/rest-api/clusters/agent-tokens
type buildkite struct {
	*client
	settings *config.Agent
	tokens   string
}

// tokenLasts, since Buildkite takes no less than ten minutes.
const tokenLasts = 12 * time.Minute

// newBuildkite takes an API access token with the scopes read_clusters and write_clusters. A scope is
// "<organization>/<cluster's id>".
func newBuildkite(a *config.Agent, secret string) (*buildkite, error) {
	organization, cluster, found := strings.Cut(a.Scope, "/")
	if !found {
		return nil, fmt.Errorf(`agent.scope is %q: must be an organization, "/" and a cluster's id`, a.Scope)
	}
	return &buildkite{
		client:   newClient(a.API, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }),
		settings: a,
		tokens:   "/organizations/" + url.PathEscape(organization) + "/clusters/" + url.PathEscape(cluster) + "/tokens",
	}, nil
}

func (b *buildkite) create(ctx context.Context, s *config.Slot, name string) (string, agent.Handed, error) {
	body := map[string]any{"description": name, "expires_at": time.Now().Add(tokenLasts).UTC().Format(time.RFC3339)}
	var answer struct {
		ID    string `json:"id"`
		Token string `json:"token"`
	}
	if err := b.once(ctx, http.MethodPost, b.tokens, body, &answer); err != nil {
		return "", agent.Handed{}, err
	}
	if answer.ID == "" || answer.Token == "" {
		return "", agent.Handed{}, fmt.Errorf("POST %s%s: no token in the answer", b.api, b.tokens)
	}
	return answer.ID, agent.Handed{
		Command: []string{
			filepath.Join(b.settings.Tree, "buildkite-agent"), "start", "--disconnect-after-job", "--name", name,
			"--tags", strings.Join(b.settings.Labels, ","), "--endpoint", b.settings.URL + "/v3",
			"--build-path", filepath.Join(s.Workspace, config.Checkout), "--plugins-path", filepath.Join(agent.Directory(s), "plugins"),
		},
		// The agent takes it out of its own environment before a job begins.
		Environment: map[string]string{"BUILDKITE_AGENT_TOKEN": answer.Token},
	}, nil
}

func (b *buildkite) find(ctx context.Context, name string) (string, error) {
	for page := 1; page <= mostPages; page++ {
		var answer []struct {
			ID          string `json:"id"`
			Description string `json:"description"`
		}
		if err := b.do(ctx, http.MethodGet, fmt.Sprintf("%s?per_page=100&page=%d", b.tokens, page), nil, &answer); err != nil {
			return "", err
		}
		for _, each := range answer {
			if each.Description == name {
				return each.ID, nil
			}
		}
		if len(answer) < 100 {
			break
		}
	}
	return "", nil
}

func (b *buildkite) remove(ctx context.Context, id string, _ bool) error {
	err := b.do(ctx, http.MethodDelete, b.tokens+"/"+url.PathEscape(id), nil, nil)
	if isCode(err, http.StatusNotFound) {
		return nil
	}
	return err
}
