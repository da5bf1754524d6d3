package forge

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"gofleet/sandbox/internal/agent"
	"gofleet/sandbox/internal/config"
)

// gitLab makes runners of a user's, each for one job: a runner's own token would do for many, so it goes with the job.
// https://docs.gitlab.com/api/users/#create-a-runner-linked-to-a-user
type gitLab struct {
	*client
	settings *config.Agent
	// owner is what the runner belongs to, as the API takes it.
	owner map[string]any
	// runners lists the owner's.
	runners string
}

// newGitLab takes a token that may create and delete the scope's runners. Scopes are "group/<number>", "project/<number>"
// and "instance".
func newGitLab(a *config.Agent, secret string) (*gitLab, error) {
	g := &gitLab{settings: a}
	g.client = newClient(a.API, func(r *http.Request) { r.Header.Set("PRIVATE-TOKEN", secret) })
	kind, number, _ := strings.Cut(a.Scope, "/")
	id, err := strconv.ParseInt(number, 10, 64)
	switch {
	case kind == "group" && err == nil:
		g.owner, g.runners = map[string]any{"runner_type": "group_type", "group_id": id}, "/groups/"+number+"/runners?type=group_type"
	case kind == "project" && err == nil:
		g.owner, g.runners = map[string]any{"runner_type": "project_type", "project_id": id, "locked": true}, "/projects/"+number+"/runners?type=project_type"
	case a.Scope == "instance":
		g.owner, g.runners = map[string]any{"runner_type": "instance_type"}, "/runners/all?type=instance_type"
	default:
		return nil, fmt.Errorf(`agent.scope is %q: must be "group/12", "project/34" or "instance"`, a.Scope)
	}
	return g, nil
}

func (g *gitLab) create(ctx context.Context, s *config.Slot, name string) (string, agent.Handed, error) {
	body := map[string]any{"description": name, "tag_list": g.settings.Labels, "run_untagged": false}
	for key, value := range g.owner {
		body[key] = value
	}
	var answer struct {
		ID    int64  `json:"id"`
		Token string `json:"token"`
	}
	if err := g.once(ctx, http.MethodPost, "/user/runners", body, &answer); err != nil {
		return "", agent.Handed{}, err
	}
	if answer.ID == 0 || answer.Token == "" {
		return "", agent.Handed{}, fmt.Errorf("POST %s/user/runners: no runner in the answer", g.api)
	}
	return strconv.FormatInt(answer.ID, 10), agent.Handed{
		Command: []string{
			filepath.Join(g.settings.Tree, "gitlab-runner-linux-"+runtime.GOARCH), "run-single",
			"--config", filepath.Join(agent.Directory(s), "config.toml"), "--runner", name, "--max-builds", "1",
		},
		// The runner passes its own environment on to jobs: the token is in a file instead.
		Files: map[string]string{"config.toml": g.runnerConfig(s, name, answer.Token)},
	}, nil
}

// runnerConfig has values of letters, digits and a few signs only, which TOML and Go quote alike.
func (g *gitLab) runnerConfig(s *config.Slot, name, token string) string {
	work := filepath.Join(s.Workspace, config.Checkout)
	return fmt.Sprintf("[[runners]]\nname = %q\nurl = %q\ntoken = %q\nexecutor = \"shell\"\nshell = \"bash\"\nbuilds_dir = %q\ncache_dir = %q\n",
		name, g.settings.URL, token, filepath.Join(work, "builds"), filepath.Join(work, "cache"))
}

// mostPages of a list are looked through for a runner that a crash left, the newest first.
const mostPages = 10

func (g *gitLab) find(ctx context.Context, name string) (string, error) {
	for page := 1; page <= mostPages; page++ {
		var answer []struct {
			ID          int64  `json:"id"`
			Description string `json:"description"`
		}
		path := g.runners + "&per_page=100&page=" + strconv.Itoa(page)
		if err := g.do(ctx, http.MethodGet, path, nil, &answer); err != nil {
			return "", err
		}
		for _, each := range answer {
			if each.Description == name {
				return strconv.FormatInt(each.ID, 10), nil
			}
		}
		if len(answer) < 100 {
			break
		}
	}
	return "", nil
}

func (g *gitLab) remove(ctx context.Context, id string, _ bool) error {
	err := g.do(ctx, http.MethodDelete, "/runners/"+url.PathEscape(id), nil, nil)
	if isCode(err, http.StatusNotFound) {
		return nil
	}
	return err
}
