// Package forge makes a slot's agent known to a forge for one job, and unknown again. It runs as root, and is the only
// part that reads what the forge trusts.
package forge

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"gofleet/sandbox/internal/agent"
	"gofleet/sandbox/internal/config"
)

// errBusy is that an agent has a job, and that the forge keeps it until that ends.
var errBusy = errors.New("the agent has a job")

// A forge knows agents by a name and an id of its own.
type forge interface {
	// create makes an agent known. Not repeated: where it fails, it may have worked all the same.
	create(ctx context.Context, s *config.Slot, name string) (id string, handed agent.Handed, err error)
	// find is the id of the agent with this name; empty where there is none.
	find(ctx context.Context, name string) (string, error)
	// remove makes an agent unknown, also one that is not there. errBusy: it stays until its job has ended, which only one
	// that still runs can have.
	remove(ctx context.Context, id string, runs bool) error
}

// open is replaced in tests.
var open = func(a *config.Agent) (forge, error) {
	secret, err := readCredential(a.Credential)
	if err != nil {
		return nil, err
	}
	switch a.Kind {
	case config.GitHub:
		return newGitHub(a, secret)
	case config.Buildkite:
		return newBuildkite(a, secret)
	case config.GitLab:
		return newGitLab(a, secret)
	case config.Jenkins:
		return newJenkins(a, secret)
	default:
		return nil, fmt.Errorf("agent.kind: %q is no forge", a.Kind)
	}
}

func readCredential(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("the forge's credential: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", fmt.Errorf("%s: the forge's credential is empty", path)
	}
	return secret, nil
}
