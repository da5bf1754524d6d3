package forge

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"gofleet/sandbox/internal/agent"
	"gofleet/sandbox/internal/config"
)

// jenkins makes nodes of one executor, each for one job, to which an inbound agent connects by the node's own secret.
// Jenkins has nodes for one job only in plugins: Attend closes a node as soon as it has its job.
// https://www.jenkins.io/doc/book/using/remote-access-api/
type jenkins struct {
	*client
	settings *config.Agent
	// crumb goes with each change, if this Jenkins wants one.
	crumb struct {
		Field string `json:"crumbRequestField"`
		Value string `json:"crumb"`
	}
	asked bool
}

// newJenkins takes "<user>:<API token>". The user may create, connect, disconnect and delete agents.
func newJenkins(a *config.Agent, secret string) (*jenkins, error) {
	user, token, found := strings.Cut(secret, ":")
	if !found {
		return nil, fmt.Errorf("%s: no user's name before a colon and the API token", a.Credential)
	}
	j := &jenkins{settings: a}
	j.client = newClient(a.API, func(r *http.Request) {
		r.SetBasicAuth(user, token)
		if j.crumb.Field != "" {
			r.Header.Set(j.crumb.Field, j.crumb.Value)
		}
	})
	// A crumb is good for the session that asked for it. Without an option there is no error.
	j.http.Jar, _ = cookiejar.New(nil)
	// After a change Jenkins sends browsers to a page about its nodes; one that wants a password sends them elsewhere.
	j.sendsOn = func(to *url.URL) bool {
		api, err := url.Parse(a.API)
		return err == nil && strings.HasPrefix(path.Clean(to.Path)+"/", strings.TrimRight(api.Path, "/")+"/computer/")
	}
	return j, nil
}

func (j *jenkins) node(name string) string { return "/computer/" + url.PathEscape(name) }

// protect gets the crumb. Where Jenkins wants none, it has no issuer of crumbs; API tokens do without as a rule.
func (j *jenkins) protect(ctx context.Context) error {
	if j.asked {
		return nil
	}
	err := j.do(ctx, http.MethodGet, "/crumbIssuer/api/json", nil, &j.crumb)
	if err != nil && !isCode(err, http.StatusNotFound) {
		return err
	}
	j.asked = true
	return nil
}

// change may be done twice.
func (j *jenkins) change(ctx context.Context, path string) error {
	if err := j.protect(ctx); err != nil {
		return err
	}
	return j.do(ctx, http.MethodPost, path, nil, nil)
}

func (j *jenkins) create(ctx context.Context, s *config.Slot, name string) (string, agent.Handed, error) {
	work := filepath.Join(s.Workspace, config.Checkout)
	if err := j.protect(ctx); err != nil {
		return "", agent.Handed{}, err
	}
	form, err := j.form(name, work)
	if err != nil {
		return "", agent.Handed{}, err
	}
	if err := j.once(ctx, http.MethodPost, "/computer/doCreateItem", form, nil); err != nil {
		return "", agent.Handed{}, err
	}
	secret, err := j.secret(ctx, name)
	if err != nil {
		return "", agent.Handed{}, &halfDone{err}
	}
	return name, agent.Handed{
		Command: []string{
			"/usr/bin/java", "-jar", filepath.Join(j.settings.Tree, "agent.jar"), "-url", j.settings.URL, "-name", name,
			"-secret", "@" + filepath.Join(agent.Directory(s), "secret"), "-webSocket", "-noReconnect", "-workDir", work,
		},
		Files: map[string]string{"secret": secret},
	}, nil
}

// form is what Jenkins's own page for a new node sends.
func (j *jenkins) form(name, work string) (url.Values, error) {
	const kind = "hudson.slaves.DumbSlave"
	class := func(name string) map[string]string { return map[string]string{"stapler-class": name} }
	fields, err := json.Marshal(map[string]any{
		"name": name, "nodeDescription": "one job, made by gofleet-sandbox", "type": kind,
		"numExecutors": "1", "remoteFS": work,
		"labelString": strings.Join(j.settings.Labels, " "),
		// Jobs that ask for none of the labels are not taken.
		"mode":              "EXCLUSIVE",
		"launcher":          class("hudson.slaves.JNLPLauncher"),
		"retentionStrategy": class("hudson.slaves.RetentionStrategy$Always"),
		"nodeProperties":    map[string]string{"stapler-class-bag": "true"},
	})
	return url.Values{"name": {name}, "type": {kind}, "json": {string(fields)}}, err
}

var nodeSecret = regexp.MustCompile(`^[0-9a-f]{64}$`)

// secret is the first argument of the agent's launch file.
func (j *jenkins) secret(ctx context.Context, name string) (string, error) {
	launch := j.node(name) + "/jenkins-agent.jnlp"
	var text []byte
	if err := j.do(ctx, http.MethodGet, launch, nil, &text); err != nil {
		return "", err
	}
	var file struct {
		Arguments []string `xml:"application-desc>argument"`
	}
	if xml.Unmarshal(text, &file) != nil || len(file.Arguments) < 2 || !nodeSecret.MatchString(file.Arguments[0]) || file.Arguments[1] != name {
		return "", fmt.Errorf("GET %s%s: no secret of the node in the answer", j.api, launch)
	}
	return file.Arguments[0], nil
}

func (j *jenkins) find(ctx context.Context, name string) (string, error) {
	_, err := j.state(ctx, name)
	switch {
	case isCode(err, http.StatusNotFound):
		return "", nil
	case err != nil:
		return "", err
	}
	return name, nil
}

// nodeState is what Jenkins says of a node.
type nodeState struct {
	// Idle: no executor has a build.
	Idle bool `json:"idle"`
	// Closed: it gets no further one.
	Closed bool `json:"temporarilyOffline"`
}

func (j *jenkins) state(ctx context.Context, name string) (state nodeState, err error) {
	err = j.do(ctx, http.MethodGet, j.node(name)+"/api/json?tree=idle,temporarilyOffline", nil, &state)
	return state, err
}

// close has a node get no further build; one that it has goes on.
func (j *jenkins) close(ctx context.Context, name string) error {
	why := url.Values{"offlineMessage": {"gofleet: one job for each agent"}}
	return j.change(ctx, j.node(name)+"/changeOfflineCause?"+why.Encode())
}

// remove: Jenkins would delete a node under its build. So one whose agent runs is closed before it is looked at.
func (j *jenkins) remove(ctx context.Context, name string, runs bool) error {
	err := j.removeIdle(ctx, name, runs)
	if isCode(err, http.StatusNotFound) {
		return nil
	}
	return err
}

func (j *jenkins) removeIdle(ctx context.Context, name string, runs bool) error {
	if runs {
		if err := j.close(ctx, name); err != nil {
			return err
		}
		state, err := j.state(ctx, name)
		if err != nil {
			return err
		}
		if !state.Idle {
			return fmt.Errorf("%w: %s%s", errBusy, j.api, j.node(name))
		}
	}
	return j.change(ctx, j.node(name)+"/doDelete")
}
