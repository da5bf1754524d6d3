package forge

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gofleet/sandbox/internal/config"
)

const jenkinsSecret = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

// fakeNode is one node of a Jenkins.
type fakeNode struct {
	fields       map[string]any
	busy, closed bool
}

// fakeJenkins is as much of a Jenkins's API as its nodes need. It wants a crumb with each change, good for one session.
type fakeJenkins struct {
	*fake
	nodes map[string]*fakeNode
}

func newFakeJenkins(t *testing.T) *fakeJenkins {
	j := &fakeJenkins{nodes: map[string]*fakeNode{}}
	j.fake = newFake(t, func(w http.ResponseWriter, r *http.Request) {
		user, token, _ := r.BasicAuth()
		session, _ := r.Cookie("JSESSIONID")
		switch {
		case user != "builder" || token != planted:
			say(w, 401, `<html>Invalid password/token for user: builder</html>`)
		case r.URL.Path == "/ci/crumbIssuer/api/json":
			http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: "s1", Path: "/"})
			say(w, 200, `{"crumb":"c1","crumbRequestField":"Jenkins-Crumb"}`)
		case r.Method == "POST" && (session == nil || session.Value != "s1" || r.Header.Get("Jenkins-Crumb") != "c1"):
			say(w, 403, `<html>No valid crumb was included in the request</html>`)
		default:
			j.serve(w, r)
		}
	})
	return j
}

func (j *fakeJenkins) serve(w http.ResponseWriter, r *http.Request) {
	name, action, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/ci/computer/"), "/")
	n := j.nodes[name]
	switch request := r.Method + " " + action; {
	case r.Method+" "+name == "POST doCreateItem":
		j.make(w, r)
	case n == nil:
		say(w, 404, `<html>Not Found</html>`)
	case request == "GET jenkins-agent.jnlp":
		say(w, 200, fmt.Sprintf(`<jnlp><application-desc><argument>%s</argument><argument>%s</argument><argument>-url</argument></application-desc></jnlp>`, jenkinsSecret, name))
	case request == "GET api/json":
		say(w, 200, fmt.Sprintf(`{"idle":%v,"temporarilyOffline":%v}`, !n.busy, n.closed))
	case request == "POST changeOfflineCause" && r.URL.Query().Get("offlineMessage") != "":
		n.closed = true
		redirect(w, "/ci/computer/"+name+"/")
	case request == "POST doDelete":
		delete(j.nodes, name)
		redirect(w, "/ci/computer/")
	default:
		say(w, 404, `<html>Not Found</html>`)
	}
}

func (j *fakeJenkins) make(w http.ResponseWriter, r *http.Request) {
	var fields map[string]any
	name := r.PostFormValue("name")
	if json.Unmarshal([]byte(r.PostFormValue("json")), &fields) != nil || fields["name"] != name || r.PostFormValue("type") != "hudson.slaves.DumbSlave" {
		say(w, 400, `<html>`)
		return
	}
	j.nodes[name] = &fakeNode{fields: fields}
	redirect(w, "/ci/computer/")
}

// redirect is how Jenkins says that a change was made.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusFound)
}

func (j *fakeJenkins) only(t *testing.T) *fakeNode {
	t.Helper()
	for _, each := range j.nodes {
		if len(j.nodes) == 1 {
			return each
		}
	}
	t.Fatalf("nodes %v", j.nodes)
	return nil
}

func jenkinsLab(t *testing.T, credential string) (*fakeJenkins, *config.Config, *config.Slot) {
	j := newFakeJenkins(t)
	a := config.Agent{Kind: config.Jenkins, API: j.URL + "/ci", URL: "https://jenkins.example/ci", Labels: []string{"go", "linux"}, Tree: "/tree", StopSeconds: 60}
	c, s := lab(t, a, credential)
	return j, c, s
}

const jenkinsUser = "builder:" + planted

func TestAnAgentOfJenkinsIsANodeForOneJob(t *testing.T) {
	j, c, s := jenkinsLab(t, jenkinsUser)
	handed, err := register(within(t), c, s)
	must(t, err)
	line, secret := strings.Join(handed.Command, " "), filepath.Join(s.Workspace, config.AgentAt, "secret")
	for _, part := range []string{"/usr/bin/java -jar /tree/agent.jar ", " -url https://jenkins.example/ci ", " -secret @" + secret + " ", " -webSocket -noReconnect ", " -workDir " + s.Workspace + "/" + config.Checkout} {
		if !strings.Contains(line, part) {
			t.Errorf("%q has no %q", line, part)
		}
	}
	if strings.Contains(line, jenkinsSecret) || handed.Files["secret"] != jenkinsSecret || len(handed.Environment) != 0 || strings.Contains(registered(t, c), jenkinsSecret) {
		t.Errorf("command %q, files %v, environment %v, record %s", line, handed.Files, handed.Environment, registered(t, c))
	}
	fields := j.only(t).fields
	for name, wanted := range map[string]any{"numExecutors": "1", "mode": "EXCLUSIVE", "labelString": "go linux", "remoteFS": filepath.Join(s.Workspace, config.Checkout)} {
		if fields[name] != wanted {
			t.Errorf("%s is %v, not %v", name, fields[name], wanted)
		}
	}
	must(t, Deregister(c, 1))
	if len(j.nodes) != 0 || registered(t, c) != "" {
		t.Errorf("nodes %v", j.nodes)
	}
}

func TestANodeOfJenkinsesThatACrashLeftIsFoundByItsName(t *testing.T) {
	j, c, s := jenkinsLab(t, jenkinsUser)
	j.instead["POST /ci/computer/doCreateItem"] = []http.HandlerFunc{func(_ http.ResponseWriter, r *http.Request) {
		j.make(newSink(), r)
		panic(http.ErrAbortHandler)
	}}
	_, err := register(within(t), c, s)
	must(t, err)
	if len(j.nodes) != 2 {
		t.Fatalf("nodes %v", j.nodes)
	}
	must(t, Deregister(c, 1))
	if len(j.nodes) != 0 {
		t.Errorf("nodes %v", j.nodes)
	}
}

func TestANodeWhoseSecretCannotBeHadIsRemoved(t *testing.T) {
	for name, no := range map[string]http.HandlerFunc{
		"no permission":  answer(403, `<html>builder is missing the Agent/Connect permission</html>`),
		"another answer": answer(200, `<html>planted</html>`),
	} {
		t.Run(name, func(t *testing.T) {
			j, c, s := jenkinsLab(t, jenkinsUser)
			serve := j.Config.Handler
			j.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, ".jnlp") {
					no(w, r)
					return
				}
				serve.ServeHTTP(w, r)
			})
			_, err := register(within(t), c, s)
			said(t, err, "jenkins-agent.jnlp")
			if len(j.nodes) == 0 || registered(t, c) == "" {
				t.Fatalf("nodes %v, record %q", j.nodes, registered(t, c))
			}
			must(t, Deregister(c, 1))
			if len(j.nodes) != 0 {
				t.Errorf("nodes %v", j.nodes)
			}
		})
	}
}

func TestWhatJenkinsRefusesIsSaid(t *testing.T) {
	for _, each := range []struct{ credential, says string }{
		{"builder:planted-but-wrong", "401 Unauthorized; the credential is wrong"},
		{planted, "no user's name before a colon"},
	} {
		j, c, s := jenkinsLab(t, each.credential)
		_, err := register(within(t), c, s)
		said(t, err, each.says)
		if len(j.nodes) != 0 || registered(t, c) != "" {
			t.Errorf("nodes %v", j.nodes)
		}
	}
}

func TestAPageForPasswordsIsNoYes(t *testing.T) {
	for _, to := range []string{"https://sso.example/login", "/ci/login?from=%2Fci%2Fcomputer%2F", "/computer/"} {
		j, c, s := jenkinsLab(t, jenkinsUser)
		j.instead["POST /ci/computer/doCreateItem"] = []http.HandlerFunc{answer(302, ``, "Location", to)}
		_, err := register(within(t), c, s)
		said(t, err, "302 Found", "correct url or scope")
	}
}

func TestAJenkinsWithoutCrumbsIsAskedWithout(t *testing.T) {
	j, c, s := jenkinsLab(t, jenkinsUser)
	serve := j.Config.Handler
	j.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Jenkins-Crumb") != "" {
			t.Error("a crumb that nobody gave")
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/crumbIssuer/api/json"):
			say(w, 404, ``)
		case r.Method == "POST":
			_ = r.ParseForm()
			j.serve(w, r)
		default:
			serve.ServeHTTP(w, r)
		}
	})
	_, err := register(within(t), c, s)
	must(t, err)
	must(t, Deregister(c, 1))
	if len(j.nodes) != 0 {
		t.Errorf("nodes %v", j.nodes)
	}
}

func TestANodeIsNotDeletedUnderItsJob(t *testing.T) {
	j, c, s := jenkinsLab(t, jenkinsUser)
	_, err := register(within(t), c, s)
	must(t, err)
	node := j.only(t)
	node.busy = true
	err = deregister(c, 1, true)
	said(t, err, "the agent has a job")
	if !errors.Is(err, errBusy) || !node.closed || registered(t, c) == "" {
		t.Errorf("error %v, node %+v", err, node)
	}
	// Nobody finishes the job of an agent that is gone.
	must(t, Deregister(c, 1))
	if len(j.nodes) != 0 {
		t.Errorf("nodes %v", j.nodes)
	}
}

func TestAnAgentOfJenkinsMayFinishItsJobAndThenEnds(t *testing.T) {
	j, c, s := jenkinsLab(t, jenkinsUser)
	_, err := register(within(t), c, s)
	must(t, err)
	node := j.only(t)
	node.busy = true
	process := agentProcess(t)
	go func() {
		time.Sleep(300 * time.Millisecond)
		j.mutex.Lock()
		defer j.mutex.Unlock()
		node.busy = false
	}()
	must(t, Leave(c, s))
	if len(j.nodes) != 0 || process.ProcessState != nil {
		t.Errorf("nodes %v", j.nodes)
	}
}
