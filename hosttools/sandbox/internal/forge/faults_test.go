package forge

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"gofleet/sandbox/internal/config"
)

const generate = "POST /orgs/corp/actions/runners/generate-jitconfig"

func TestWhatAForgeRefusesIsSaidAtOnce(t *testing.T) {
	for name, each := range map[string]struct {
		answer http.HandlerFunc
		says   []string
	}{
		"a wrong token":           {answer(401, `{"message":"Bad credentials"}`), []string{"401 Unauthorized: Bad credentials", "expired or was revoked"}},
		"a token that may not":    {answer(403, `{"message":"Resource not accessible"}`), []string{"403 Forbidden: Resource not accessible", "may not do this"}},
		"a scope that is none":    {answer(404, `{"message":"Not Found"}`), []string{"404", "no such scope, or the credential may not see it"}},
		"a group that is none":    {answer(422, `{"message":"Invalid input: runner_group_id"}`), []string{"422", "runner_group_id"}},
		"a scope that has moved":  {answer(301, `{"message":"Moved Permanently"}`, "Location", "http://192.0.2.1/"), []string{"301", "correct url or scope"}},
		"a message of many lines": {answer(400, `{"message":"a\n\tb"}`), []string{": a b"}},
		"an error of two parts":   {answer(400, `{"error":{"a":["b"]}}`), []string{`{"a":["b"]}`}},
	} {
		t.Run(name, func(t *testing.T) {
			g, c, s := gitHubLab(t)
			g.instead[generate] = []http.HandlerFunc{each.answer}
			_, err := register(within(t), c, s)
			said(t, err, append(each.says, "POST "+g.URL+"/orgs/corp/")...)
			if len(g.requests) != 1 {
				t.Errorf("asked %q", g.requests)
			}
			if registered(t, c) != "" {
				t.Error("what was refused is remembered")
			}
		})
	}
}

func TestWhatMayPassIsTriedAgain(t *testing.T) {
	for name, failures := range map[string][]http.HandlerFunc{
		"errors of the forge":       {answer(500, ``), answer(502, `<html>`), answer(503, `{}`)},
		"a rate limit":              {answer(403, `{"message":"secondary rate limit"}`, "Retry-After", "1")},
		"a limit that is used up":   {answer(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", soon(time.Second))},
		"too many requests":         {answer(429, `{}`)},
		"a name that is taken":      {answer(409, `{"message":"Already exists - A runner with the name exists"}`)},
		"a name taken, said by 422": {answer(422, `{"message":"Runner name already in use"}`)},
		"a connection that breaks":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(name, func(t *testing.T) {
			g, c, s := gitHubLab(t)
			g.instead[generate] = failures
			_, err := register(within(t), c, s)
			must(t, err)
			must(t, Deregister(c, 1))
			if len(g.runners) != 0 || registered(t, c) != "" {
				t.Errorf("runners %v, record %s", g.runners, registered(t, c))
			}
		})
	}
}

func TestAnAnswerThatWasLostLeavesNoRunner(t *testing.T) {
	g, c, s := gitHubLab(t)
	g.instead[generate] = []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
		g.generate(newSink(), r)
		panic(http.ErrAbortHandler)
	}}
	_, err := register(within(t), c, s)
	must(t, err)
	if len(g.runners) != 2 {
		t.Fatalf("runners %v", g.runners)
	}
	must(t, Deregister(c, 1))
	if len(g.runners) != 0 {
		t.Errorf("runners %v", g.runners)
	}
}

func TestALongRateLimitIsSaidAndNotWaitedFor(t *testing.T) {
	g, c, s := gitHubLab(t)
	g.instead[generate] = []http.HandlerFunc{answer(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", soon(time.Hour))}
	begin := time.Now()
	_, err := register(within(t), c, s)
	said(t, err, "rate limit lasts another")
	if time.Since(begin) > time.Second {
		t.Error("waited")
	}
}

func TestASlowForgeIsGivenUp(t *testing.T) {
	g, c, s := gitHubLab(t)
	done := make(chan struct{})
	g.instead[generate] = []http.HandlerFunc{func(http.ResponseWriter, *http.Request) { <-done }}
	t.Cleanup(func() { close(done) })
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err := register(ctx, c, s)
	said(t, err, "generate-jitconfig")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	// It may have been made after all.
	if registered(t, c) == "" {
		t.Error("forgotten")
	}
}

func TestAnAnswerThatIsNoneIsNotShown(t *testing.T) {
	for _, text := range []string{`"planted-in-an-answer"`, `{"encoded_jit_config":"planted"}`, `<html>planted</html>`} {
		g, c, s := gitHubLab(t)
		for range attempts {
			g.instead[generate] = append(g.instead[generate], answer(201, text))
		}
		_, err := register(within(t), c, s)
		said(t, err, "answer")
	}
}

func TestAForgeThatIsGoneHoldsUpNoStop(t *testing.T) {
	g, c, s := gitHubLab(t)
	_, err := register(within(t), c, s)
	must(t, err)
	record := registered(t, c)
	g.instead["DELETE /orgs/corp/actions/runners/101"] = []http.HandlerFunc{answer(401, `{"message":"Bad credentials"}`)}
	said(t, Deregister(c, 1), "the forge still knows an agent of slot 1", "401")
	if registered(t, c) != record {
		t.Error("what is still there is not remembered")
	}
}

func TestARunnerIsForgottenWhereItWasMade(t *testing.T) {
	g, c, s := gitHubLab(t)
	_, err := register(within(t), c, s)
	must(t, err)
	c.Agent.Scope = "elsewhere"
	must(t, Deregister(c, 1))
	if len(g.runners) != 0 {
		t.Errorf("runners %v", g.runners)
	}
}

func TestACredentialGoesToNoOtherForge(t *testing.T) {
	g, c, s := gitHubLab(t)
	_, err := register(within(t), c, s)
	must(t, err)
	before := len(g.requests)
	c.Agent.API = "https://192.0.2.1/api/v3"
	said(t, Deregister(c, 1), g.URL, "remove it there")
	if len(g.requests) != before || registered(t, c) != "" {
		t.Errorf("asked %q", g.requests[before:])
	}
}

func TestACredentialThatIsNoneIsSaid(t *testing.T) {
	_, c, s := gitHubLab(t)
	replace(t, c.Agent.Credential, planted, "\n")
	_, err := register(within(t), c, s)
	said(t, err, c.Agent.Credential, "is empty")
	must(t, os.Remove(c.Agent.Credential))
	_, err = register(within(t), c, s)
	said(t, err, "no such file")
}

func TestNamesAreShortEnoughAndNeverTheSame(t *testing.T) {
	c, s := &config.Config{Component: strings.Repeat("c", 80)}, &config.Slot{Number: 64}
	one, err := newName(c, s)
	must(t, err)
	two, err := newName(c, s)
	must(t, err)
	if len(one) != 64 || one == two {
		t.Errorf("%q %q", one, two)
	}
}

// sink is an answer that nobody gets.
type sink struct{ header http.Header }

func newSink() *sink                           { return &sink{http.Header{}} }
func (s *sink) Header() http.Header            { return s.header }
func (s *sink) WriteHeader(int)                {}
func (s *sink) Write(text []byte) (int, error) { return len(text), nil }
