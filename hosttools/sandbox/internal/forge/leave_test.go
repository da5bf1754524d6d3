package forge

import (
	"os/exec"
	"strconv"
	"testing"
	"time"

	"gofleet/sandbox/internal/slot"
)

// agentProcess stands for a slot's agent, as systemd names it to the commands that stop a unit.
func agentProcess(t *testing.T) *exec.Cmd {
	cmd := exec.Command("sleep", "60")
	must(t, cmd.Start())
	t.Setenv("MAINPID", strconv.Itoa(cmd.Process.Pid))
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

func TestAnIdleAgentIsLetGoBeforeItIsStopped(t *testing.T) {
	g, c, s := gitHubLab(t)
	c.Agent.StopSeconds = 60
	_, err := register(within(t), c, s)
	must(t, err)
	agentProcess(t)
	must(t, Leave(c, s))
	if len(g.runners) != 0 || registered(t, c) != "" {
		t.Errorf("runners %v", g.runners)
	}
}

func TestABusyOneMayFinishItsJob(t *testing.T) {
	g, c, s := gitHubLab(t)
	c.Agent.StopSeconds = 60
	_, err := register(within(t), c, s)
	must(t, err)
	g.busy[101] = true
	process := agentProcess(t)
	go func() {
		time.Sleep(300 * time.Millisecond)
		_ = process.Process.Kill()
		_ = process.Wait()
	}()
	begin := time.Now()
	must(t, Leave(c, s))
	if took := time.Since(begin); took < 250*time.Millisecond || took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	c.Agent.StopSeconds = 1
	agentProcess(t)
	said(t, Leave(c, s), "the job of slot 1 is ended", "after 1 seconds")
}

func TestNothingIsAskedForAnAgentThatHasEnded(t *testing.T) {
	g, c, s := gitHubLab(t)
	_, err := register(within(t), c, s)
	must(t, err)
	before := len(g.requests)
	t.Setenv("MAINPID", "")
	must(t, Leave(c, s))
	if len(g.requests) != before {
		t.Errorf("asked %q", g.requests[before:])
	}
}

func TestADrainTakesIdleAgentsFromTheForgeAndLeavesBusyOnes(t *testing.T) {
	g, c, s := gitHubLab(t)
	_, err := register(within(t), c, s)
	must(t, err)
	AskToEnd(c)
	if len(g.runners) != 1 {
		t.Errorf("a slot that is not in use was asked about: %v", g.runners)
	}
	must(t, slot.MarkBusy(c, s))
	g.busy[101] = true
	AskToEnd(c)
	if len(g.runners) != 1 {
		t.Errorf("runners %v", g.runners)
	}
	g.busy[101] = false
	AskToEnd(c)
	if len(g.runners) != 0 {
		t.Errorf("runners %v", g.runners)
	}
}
