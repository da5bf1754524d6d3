package forge

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"gofleet/sandbox/internal/config"
)

// installation acts as a GitHub App where that is installed: it gets a token that may manage the scope's runners and
// nothing else, when the first request needs one, and keeps it in memory alone.
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
type installation struct {
	settings *config.Agent
	key      *rsa.PrivateKey
	next     http.RoundTripper
	mutex    sync.Mutex
	token    string
}

func (i *installation) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := i.get(r)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return i.next.RoundTrip(r)
}

func (i *installation) get(r *http.Request) (string, error) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.token != "" {
		return i.token, nil
	}
	signed, err := appToken(i.key, i.settings.App, time.Now())
	if err != nil {
		return "", err
	}
	asApp := newClient(i.settings.API, gitHubToken(signed))
	asApp.http.Transport = i.next
	var answer struct {
		Token string `json:"token"`
	}
	path := fmt.Sprintf("/app/installations/%d/access_tokens", i.settings.Installation)
	if err := asApp.once(r.Context(), http.MethodPost, path, permissions(i.settings.Scope), &answer); err != nil {
		return "", err
	}
	if answer.Token == "" {
		return "", fmt.Errorf("POST %s%s: no token in the answer", i.settings.API, path)
	}
	i.token = answer.Token
	return i.token, nil
}

// permissions are the least that will do.
func permissions(scope string) map[string]any {
	if _, repository, found := strings.Cut(scope, "/"); found {
		return map[string]any{"repositories": []string{repository}, "permissions": map[string]string{"administration": "write"}}
	}
	return map[string]any{"permissions": map[string]string{"organization_self_hosted_runners": "write"}}
}

// appToken is a JWT, RS256, for the next minutes; GitHub allows ten. It begins in the past, for clocks that differ.
func appToken(key *rsa.PrivateKey, app string, now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{"iss": app, "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(8 * time.Minute).Unix()})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(claims)
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	return text + "." + encode(signature), nil
}

// parseKey reads a PEM of either kind; an error shows nothing of it.
func parseKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the App's key is no PEM; GitHub gives out a .pem file when a key is made")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if rsaKey, ok := key.(*rsa.PrivateKey); ok {
			return rsaKey, nil
		}
	}
	return nil, errors.New("the App's key is no RSA private key")
}
