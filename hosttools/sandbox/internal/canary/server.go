package canary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// server is an SSH server that gives away one repository, in a network of its own that nothing else on the host sees.
type server struct {
	unit, folder string
	// environment tells the script where it is and how to get in.
	environment map[string]string
}

const address, port = "127.0.0.1", "2222"

// missing says why there can be no server; empty: there can.
func serverMissing() string {
	for _, name := range []string{"git", "ssh", "ssh-keygen", "sshd"} {
		if _, err := look(name); err != nil {
			return "there is no " + name
		}
	}
	return ""
}

// look finds programs that may be in directories for administrators.
func look(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + name)
}

// startServer makes throw-away keys and a repository of the workspace's sources, and starts the server.
func startServer(ctx context.Context, unit string, w *workspace) (*server, error) {
	folder, err := os.MkdirTemp("/run", "gofleet-canary-")
	if err != nil {
		return nil, err
	}
	s := &server{unit: unit, folder: folder}
	if err := s.prepare(ctx, w); err != nil {
		return s, err
	}
	sshd, err := look("sshd")
	if err != nil {
		return s, err
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		return s, err
	}
	// Debian's sshd says when it listens.
	return s, command(ctx, "", "systemd-run", "--quiet", "--collect", "--service-type=notify", "--unit="+unit, "-p", "PrivateNetwork=yes",
		"-p", "RuntimeMaxSec="+secondsLeft(ctx), sshd, "-D", "-e", "-f", filepath.Join(folder, "config"))
}

func (s *server) prepare(ctx context.Context, w *workspace) error {
	at := func(name string) string { return filepath.Join(s.folder, name) }
	for _, name := range []string{"host", "user"} {
		if err := command(ctx, "", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "gofleet canary", "-f", at(name)); err != nil {
			return err
		}
	}
	if err := s.repository(ctx, at("repository")); err != nil {
		return err
	}
	user, err := os.ReadFile(at("user.pub"))
	if err != nil {
		return err
	}
	hostKey, err := os.ReadFile(at("host.pub"))
	if err != nil {
		return err
	}
	private, err := os.ReadFile(at("user"))
	if err != nil {
		return err
	}
	files := map[string]string{
		"keys": fmt.Sprintf("restrict,command=\"git-upload-pack '%s'\" %s", at("repository"), user),
		"config": strings.Join([]string{
			"ListenAddress " + address + ":" + port, "HostKey " + at("host"), "AuthorizedKeysFile " + at("keys"),
			"PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin prohibit-password",
			"StrictModes yes", "UsePAM " + usePAM(), "PidFile none", "LogLevel ERROR", "",
		}, "\n"),
	}
	for name, text := range files {
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if err := w.write("key", string(private), 0o600); err != nil {
		return err
	}
	if err := w.write("known", fmt.Sprintf("[%s]:%s %s", address, port, hostKey), 0o600); err != nil {
		return err
	}
	s.environment = map[string]string{
		"SSH_KEY": filepath.Join(w.root, "key"), "SSH_KNOWN": filepath.Join(w.root, "known"),
		"REPOSITORY": fmt.Sprintf("ssh://root@%s:%s%s", address, port, at("repository")),
	}
	return nil
}

// usePAM: without PAM, sshd lets nobody in whose password is locked.
func usePAM() string {
	shadow, err := os.ReadFile("/etc/shadow")
	if err == nil && bytes.HasPrefix(shadow, []byte("root:!")) {
		return "yes"
	}
	return "no"
}

func (s *server) repository(ctx context.Context, path string) error {
	for name, text := range sources {
		file := filepath.Join(path, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	git := func(args ...string) error {
		return command(ctx, path, "git", append([]string{"-c", "user.name=canary", "-c", "user.email=canary@localhost"}, args...)...)
	}
	return errors.Join(git("init", "--quiet"), git("add", "."), git("commit", "--quiet", "-m", "canary"))
}

func (s *server) stop() {
	_ = exec.Command("systemctl", "stop", s.unit).Run()
	_ = os.RemoveAll(s.folder)
}

// command runs a program to its end; its error has what it said.
func command(ctx context.Context, folder, name string, args ...string) error {
	path, err := look(name)
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, path, args...)
	c.Dir = folder
	c.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null")
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}
