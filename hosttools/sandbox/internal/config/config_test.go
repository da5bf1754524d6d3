package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the component writes, as its own tests have it.
const golden = "../../../../test/golden/sandbox/plan/etc/gofleet/ci/sandbox.json"

func TestReadsWhatTheComponentWrites(t *testing.T) {
	c, err := Read(golden)
	if err != nil {
		t.Fatal(err)
	}
	if c.Component != "ci" || len(c.Slots) != 2 || c.Slots[1].User != "gofleet-ci-2" {
		t.Errorf("component %q, slots %+v", c.Component, c.Slots)
	}
	if c.Cache.Kind != "tmpfs" || c.Cache.MaxBytes != 2<<30 || c.Cache.Persist == "" {
		t.Errorf("cache %+v", c.Cache)
	}
	if len(c.Egress.Hosts) != 1 || c.Egress.Hosts[0].Name != "git.corp.example" || len(c.Egress.Hosts[0].Ports) != 2 {
		t.Errorf("egress %+v", c.Egress)
	}
	if len(c.Inputs) != 1 || c.Inputs[0].Name != "testdata" || len(c.Before) != 1 {
		t.Errorf("inputs %+v, before %q", c.Inputs, c.Before)
	}
}

func TestRefusesWhatItDoesNotKnow(t *testing.T) {
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"another field":   {`"component"`, `"komponent"`},
		"another kind":    {`"tmpfs"`, `"ramfs"`},
		"a relative path": {`"/var/lib/gofleet-ci"`, `"var/lib/gofleet-ci"`},
		"marks reversed":  {`"lowPercent": 80`, `"lowPercent": 90`},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(string(text), change[0], change[1], 1)
			if changed == string(text) {
				t.Fatalf("%s is not in the settings", change[0])
			}
			path := filepath.Join(t.TempDir(), "sandbox.json")
			if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(path); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, wanted one that names %s", err, path)
			}
		})
	}
}

func TestReadsWhatTheComponentWritesForAgentsOfAForge(t *testing.T) {
	for _, kind := range []string{GitHub, GitLab, Buildkite, Jenkins} {
		path := "../../../../test/golden/sandbox/agents/" + kind + "/etc/gofleet/ci/sandbox.json"
		c, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		a := c.Agent
		if a == nil || a.Kind != kind || (a.Scope == "") != (kind == Jenkins) || a.StopSeconds != 120 || !strings.HasSuffix(a.Credential, "/secrets/agent-credential") {
			t.Errorf("%s: %+v", path, a)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changes := map[string][2]string{
			"a kind that is none":        {`"kind": "` + kind + `"`, `"kind": "sourcehut"`},
			"an address without TLS":     {`"api": "https:`, `"api": "http:`},
			"an address with a user":     {`"url": "https://`, `"url": "https://user:planted@`},
			"a relative credential":      {`"credential": "/`, `"credential": "`},
			"an agent without a program": {`"tree": "/`, `"tree": "`},
		}
		if kind != Jenkins {
			changes["an agent without a scope"] = [2]string{`"scope": "` + a.Scope, `"scope": "", "kind": "` + kind}
		}
		for name, change := range changes {
			changed := filepath.Join(t.TempDir(), "sandbox.json")
			other := strings.Replace(string(text), change[0], change[1], 1)
			if err := os.WriteFile(changed, []byte(other), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(changed); other == string(text) || err == nil || strings.Contains(err.Error(), "planted") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
