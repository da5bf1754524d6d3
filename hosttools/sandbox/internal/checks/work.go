package checks

import (
	"context"
	"errors"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// work: a committed go.work of modules that are there, that agree about Go, and that each build without it.
func work(ctx context.Context, t *tree, r *Report) error {
	if t.work == nil {
		return nil
	}
	if err := t.committed(ctx, r); err != nil {
		return err
	}
	used := map[string]bool{}
	for _, use := range t.work.Use {
		line := lineOf(t.work.text, use.DiskPath)
		dir := t.used(use.DiskPath)
		used[dir] = true
		if name := t.relative(dir); name == ".." || strings.HasPrefix(name, "../") {
			r.add("go.work", line, "%s is outside of the tree", shown(use.DiskPath))
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
			r.add("go.work", line, "%s holds no go.mod", shown(use.DiskPath))
		}
	}
	for _, m := range t.modules {
		if !used[m.dir] {
			r.note(m.file, 0, "go.work does not use it")
			continue
		}
		t.agrees(m, r)
		if err := t.buildsAlone(ctx, m, r); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) committed(ctx context.Context, r *Report) error {
	git := func(arguments ...string) error {
		// The tree may be another user's, and its settings must run nothing.
		run := exec.CommandContext(ctx, "git", append([]string{"-C", t.Dir, "-c", "safe.directory=*", "-c", "core.fsmonitor=false"}, arguments...)...)
		run.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0")
		return run.Run()
	}
	if _, err := exec.LookPath("git"); err != nil {
		r.note("go.work", 0, "whether it is committed was not looked up: there is no git")
		return nil
	}
	if git("rev-parse", "--git-dir") != nil {
		r.note("go.work", 0, "whether it is committed was not looked up: the tree is no git repository")
		return nil
	}
	err := git("ls-files", "--error-unmatch", "--", "go.work")
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		r.add("go.work", 0, "it is not committed, so others build something else")
		return nil
	}
	return err
}

// agrees: a module does not ask for more than the workspace, nor for another toolchain.
func (t *tree) agrees(m *module, r *Report) {
	if version.Compare("go"+m.Go, "go"+t.work.Go) > 0 {
		r.add("go.work", lineOf(t.work.text, "go", t.work.Go), "go %s is older than go %s of %s", t.work.Go, m.Go, shown(m.file))
	}
	if t.work.Toolchain != "" && m.Toolchain != "" && t.work.Toolchain != m.Toolchain {
		r.add(m.file, lineOf(m.text, "toolchain"), "toolchain %s, and go.work has %s", m.Toolchain, t.work.Toolchain)
	}
}

// buildsAlone: what is released is built from published versions.
func (t *tree) buildsAlone(ctx context.Context, m *module, r *Report) error {
	if list, err := t.goCommand(ctx, m.dir, nil, "list", "./..."); err == nil && strings.Count(list, "\n") == 0 {
		return nil // go build takes no packages for an error.
	}
	_, err := t.goCommand(ctx, m.dir, nil, "build", "-o", os.DevNull, "./...")
	var said *goError
	if errors.As(err, &said) && !noAnswer(said.said) {
		r.add(m.file, 0, "it does not build with GOWORK=off: %s", lastLines(said.said, 5))
		return nil
	}
	return err
}
