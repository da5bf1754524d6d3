package forge

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gofleet/sandbox/internal/config"
)

// attended is an attendant of the lab's slot, and how often it ended the agent.
func attended(c *config.Config, s *config.Slot) (*attendant, *int) {
	ends := 0
	return &attendant{c: c, s: s, end: func(*config.Config, *config.Slot) { ends++ }}, &ends
}

func TestAnAgentThatHasAJobGetsNoOtherAndEndsAfterIt(t *testing.T) {
	for name, begin := range map[string]func(*fakeNode, *attendant, *config.Slot){
		"as Jenkins says": func(node *fakeNode, a *attendant, _ *config.Slot) { node.busy, a.next = true, time.Time{} },
		"as its workspace shows": func(node *fakeNode, _ *attendant, s *config.Slot) {
			node.busy = true
			_ = os.MkdirAll(filepath.Join(s.Workspace, config.Checkout, "workspace"), 0o700)
		},
	} {
		t.Run(name, func(t *testing.T) {
			j, c, s := jenkinsLab(t, jenkinsUser)
			a, ends := attended(c, s)
			a.look(within(t))
			if len(j.requests) != 0 {
				t.Errorf("asked %q without an agent", j.requests)
			}
			_, err := register(within(t), c, s)
			must(t, err)
			node := j.only(t)
			a.look(within(t))
			asked := len(j.requests)
			a.look(within(t))
			if node.closed || *ends != 0 || len(j.requests) != asked {
				t.Fatalf("node %+v, asked %q", node, j.requests)
			}
			begin(node, a, s)
			a.look(within(t))
			if !node.closed || *ends != 0 {
				t.Fatalf("node %+v, ended %d times", node, *ends)
			}
			node.busy, a.next = false, time.Time{}
			a.look(within(t))
			if *ends != 1 {
				t.Errorf("ended %d times", *ends)
			}
		})
	}
}

func TestAnAttendantThatStartsAnewKnowsWhoHasHadItsJob(t *testing.T) {
	j, c, s := jenkinsLab(t, jenkinsUser)
	_, err := register(within(t), c, s)
	must(t, err)
	j.only(t).closed = true
	a, ends := attended(c, s)
	a.look(within(t))
	if *ends != 1 {
		t.Errorf("ended %d times", *ends)
	}
	// The node is gone, its record not yet.
	clear(j.nodes)
	a.next = time.Time{}
	a.look(within(t))
	if *ends != 1 || a.said != "" {
		t.Errorf("ended %d times, said %q", *ends, a.said)
	}
}

func TestAnAttendantSaysWhatIsWrongAndGoesOn(t *testing.T) {
	j, c, s := jenkinsLab(t, jenkinsUser)
	_, err := register(within(t), c, s)
	must(t, err)
	a, _ := attended(c, s)
	replace(t, c.Agent.Credential, jenkinsUser, "builder:planted-but-wrong")
	a.look(within(t))
	if !strings.Contains(a.said, "401") || strings.Contains(a.said, "planted") {
		t.Errorf("said %q", a.said)
	}
	replace(t, c.Agent.Credential, "", jenkinsUser)
	j.only(t).busy, a.next = true, time.Time{}
	a.look(within(t))
	if a.said != "" || !j.only(t).closed {
		t.Errorf("said %q", a.said)
	}
}

func TestNoOtherForgeIsAttended(t *testing.T) {
	_, c, s := gitHubLab(t)
	_, err := register(within(t), c, s)
	must(t, err)
	a, _ := attended(c, s)
	a.look(within(t))
	if !strings.Contains(a.said, "needs no attendance") {
		t.Errorf("said %q", a.said)
	}
}
