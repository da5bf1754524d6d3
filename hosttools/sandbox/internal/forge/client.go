package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// mostBytes of an answer are read.
const mostBytes = 1 << 20

// client talks to a forge's API, JSON as a rule. Its errors name the request and what the forge said, never what authorises it.
type client struct {
	api string
	// authorise adds what the forge trusts to a request.
	authorise func(*http.Request)
	// sendsOn reports that a redirection is how the forge says yes; nil: none is. It is not followed either way.
	sendsOn func(to *url.URL) bool
	http    *http.Client
}

// firstWait before a second attempt; it doubles with each. A variable for tests.
var firstWait = time.Second

func newClient(api string, authorise func(*http.Request)) *client {
	return &client{api: api, authorise: authorise, http: &http.Client{
		Timeout: 15 * time.Second,
		// A credential goes to the address that was configured and nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// statusError is an answer that says no.
type statusError struct {
	request string
	code    int
	// said is the forge's own message, cut and on one line.
	said string
	// after is when the forge wants to be asked again; 0: it does not say.
	after time.Duration
	// limited: too many requests, or too many for now.
	limited bool
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("%s: %d %s", e.request, e.code, http.StatusText(e.code))
	if e.said != "" {
		text += ": " + e.said
	}
	switch {
	case e.limited && e.after > 0:
		text += fmt.Sprintf("; its rate limit lasts another %v", e.after.Round(time.Second))
	case e.limited:
		text += "; too many requests"
	case e.code == http.StatusUnauthorized:
		text += "; the credential is wrong, has expired or was revoked, or this host's clock is wrong"
	case e.code == http.StatusForbidden:
		text += "; the credential may not do this"
	case e.code == http.StatusNotFound:
		text += "; there is no such scope, or the credential may not see it"
	case e.code >= 300 && e.code < 400:
		text += "; it is elsewhere now: correct url or scope"
	}
	return text
}

// transient: the same request may do later.
func (e *statusError) transient() bool { return e.limited || e.code >= 500 }

// halfDone: the agent was made known, and what it needs could not be had.
type halfDone struct{ error }

func (e *halfDone) Unwrap() error { return e.error }

func isCode(err error, code int) bool {
	var status *statusError
	return errors.As(err, &status) && status.code == code
}

// mayHaveWorked reports that a request may have been carried out although no good answer came.
func mayHaveWorked(err error) bool {
	var half *halfDone
	if errors.As(err, &half) {
		return true
	}
	var status *statusError
	if errors.As(err, &status) {
		return status.code >= 500
	}
	return err != nil
}

// do asks until there is an answer, or an error that stays, or the context ends. For requests that do no harm twice.
func (c *client) do(ctx context.Context, method, path string, body, answer any) error {
	for wait := firstWait; ; wait *= 2 {
		err := c.once(ctx, method, path, body, answer)
		var status *statusError
		if err == nil || errors.As(err, &status) && !status.transient() {
			return err
		}
		if !sleep(ctx, later(err, wait)) {
			return err
		}
	}
}

// later is the wait before another attempt, as long as the forge asks for.
func later(err error, wait time.Duration) time.Duration {
	var status *statusError
	if errors.As(err, &status) {
		return max(wait, status.after)
	}
	return wait
}

// sleep reports whether there was time for it.
func sleep(ctx context.Context, wait time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Now().Add(wait).After(end) {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

func (c *client) once(ctx context.Context, method, path string, body, answer any) error {
	request := method + " " + c.api + path
	content, kind, err := encode(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.api+path, bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("%s: not an address", request)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "gofleet-sandbox")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	c.authorise(req)
	response, err := c.http.Do(req)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return fmt.Errorf("%s: %w", request, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostBytes))
	if err != nil {
		return fmt.Errorf("%s: %w", request, err)
	}
	if to, err := response.Location(); err == nil && c.sendsOn != nil && response.StatusCode < 400 && c.sendsOn(to) {
		return nil
	}
	if response.StatusCode < 200 || response.StatusCode >= 300 {
		return refusal(request, response, text)
	}
	switch answer := answer.(type) {
	case nil:
		return nil
	case *[]byte:
		*answer = text
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		// The answer may hold a secret: not shown.
		return fmt.Errorf("%s: the answer is not the JSON that was expected; is that the forge's API?", request)
	}
	return nil
}

// encode writes what is sent, by its type: a form, or JSON of anything else.
func encode(body any) (content []byte, kind string, err error) {
	switch body := body.(type) {
	case nil:
		return nil, "", nil
	case url.Values:
		return []byte(body.Encode()), "application/x-www-form-urlencoded", nil
	default:
		content, err = json.Marshal(body)
		return content, "application/json", err
	}
}

func refusal(request string, response *http.Response, text []byte) *statusError {
	e := &statusError{request: request, code: response.StatusCode, said: message(text)}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.after = time.Duration(seconds) * time.Second
	}
	spent := response.Header.Get("X-RateLimit-Remaining") == "0"
	if at, err := strconv.ParseInt(response.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil && spent && e.after == 0 {
		e.after = max(time.Until(time.Unix(at, 0)), time.Second)
	}
	e.limited = e.code == http.StatusTooManyRequests || e.code == http.StatusForbidden && (spent || e.after > 0)
	return e
}

// message is what a forge says in its JSON, in one of the ways in which they do.
func message(text []byte) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil {
		return ""
	}
	for _, name := range []string{"message", "error", "error_description"} {
		raw := fields[name]
		if len(raw) == 0 {
			continue
		}
		var said string
		if json.Unmarshal(raw, &said) != nil {
			said = string(raw)
		}
		said = strings.Join(strings.Fields(said), " ")
		return said[:min(len(said), 300)]
	}
	return ""
}
