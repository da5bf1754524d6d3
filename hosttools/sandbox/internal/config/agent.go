package config

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
)

// Kinds of agents that a forge must know before they get jobs.
const (
	GitHub    = "github"
	GitLab    = "gitlab"
	Buildkite = "buildkite"
	Jenkins   = "jenkins"
)

// Agent is how a forge gets to know the slots' agents, each for one job.
type Agent struct {
	Kind string `json:"kind"`
	// URL is where agents go, API where they are made known; https, without a slash at the end.
	URL string `json:"url"`
	API string `json:"api"`
	// Credential is the file with what the forge trusts. Only root reads it; no slot gets what is in it.
	Credential string `json:"credential"`
	// Tree is the agent's program, unpacked.
	Tree string `json:"tree"`
	// Writable: the agent writes beside its program, and sees the tree through a layer of its own.
	Writable bool `json:"writable"`
	// Scope is whose jobs they take, in the forge's own terms; see the forge's client. Empty for Jenkins.
	Scope string `json:"scope"`
	// Labels choose among jobs.
	Labels []string `json:"labels"`
	// Group is the runner group's number at GitHub.
	Group int64 `json:"group"`
	// App and Installation say as which GitHub App to act, whose key the credential is; empty: the credential is a token.
	App          string `json:"app"`
	Installation int64  `json:"installation"`
	// StopSeconds is how long a job may go on after its slot was told to stop.
	StopSeconds int64 `json:"stopSeconds"`
}

// Registration is what is known of a slot's agent at the forge; it outlives a crash and a reboot.
func (c *Config) Registration(slot int) string {
	return filepath.Join(c.State, "agents", strconv.Itoa(slot)+".json")
}

func (a *Agent) check() error {
	switch a.Kind {
	case GitHub, GitLab, Buildkite, Jenkins:
	default:
		return fmt.Errorf("agent.kind is %q: must be %q, %q, %q or %q", a.Kind, GitHub, GitLab, Buildkite, Jenkins)
	}
	for name, text := range map[string]string{"url": a.URL, "api": a.API} {
		parsed, err := url.Parse(text)
		if err != nil || parsed.Scheme != "https" || parsed.Host == "" || parsed.User != nil {
			return fmt.Errorf("agent.%s must be an https address without a user", name)
		}
	}
	for name, path := range map[string]string{"credential": a.Credential, "tree": a.Tree} {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("agent.%s is %q: must be an absolute path", name, path)
		}
	}
	if len(a.Labels) == 0 || a.Scope == "" && a.Kind != Jenkins {
		return errors.New("agent.scope and agent.labels must be set; agents of a Jenkins have no scope")
	}
	return nil
}
