package transfer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gofleet/store/internal/config"
	"gofleet/store/internal/files"
	"gofleet/store/internal/module"
	"gofleet/store/internal/state"
	"gofleet/store/internal/tree"
	"gofleet/store/internal/watch"
)

// staged is a version that is being brought in; its files are in a directory of their own, named as Athens has them.
type staged struct {
	module.Version
	dir                     string
	hasInfo, hasMod, hasZip bool
	// ziphash is the sum that the module cache keeps beside a zip.
	ziphash string
}

// stage copies a source's files to the store's file system, by version, and checks them against a bundle's manifest.
type stage struct {
	c        *config.Config
	dir      string
	manifest *Manifest
	versions map[module.Version]*staged
	order    []*staged
	copied   int64
}

func newStage(c *config.Config) (*stage, error) {
	if err := files.Directory(c.Private(), 0o750); err != nil {
		return nil, err
	}
	if err := files.Directory(c.Staging(), 0o700); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(c.Staging(), "")
	return &stage{c: c, dir: dir, versions: map[module.Version]*staged{}}, err
}

func (s *stage) remove() error { return os.RemoveAll(s.dir) }

func (s *stage) add(name string, content io.Reader) error {
	if name == ManifestName {
		text, err := io.ReadAll(content)
		if err == nil {
			s.manifest, err = ParseManifest(text)
		}
		return err
	}
	v, kind, err := module.ParseFile(name)
	if err != nil {
		// Versions of other shapes are queries (`@v/main.info`) that a module cache also keeps.
		return nil
	}
	at, err := s.of(v)
	if err != nil {
		return err
	}
	switch kind {
	case "ziphash":
		text, err := io.ReadAll(content)
		at.ziphash = strings.TrimSpace(string(text))
		return err
	case "info":
		at.hasInfo = true
		return s.write(name, filepath.Join(at.dir, v.Version+".info"), content)
	case "mod":
		at.hasMod = true
		return s.write(name, filepath.Join(at.dir, tree.Mod), content)
	case "zip":
		at.hasZip = true
		return s.write(name, filepath.Join(at.dir, tree.Zip), content)
	}
	return nil
}

func (s *stage) of(v module.Version) (*staged, error) {
	if found := s.versions[v]; found != nil {
		return found, nil
	}
	at := &staged{Version: v, dir: filepath.Join(s.dir, fmt.Sprintf("%06d", len(s.order)))}
	s.versions[v] = at
	s.order = append(s.order, at)
	if err := os.Mkdir(at.dir, 0o750); err != nil {
		return nil, err
	}
	return at, files.OwnAs(s.c.Store, at.dir)
}

func (s *stage) write(name, path string, content io.Reader) error {
	if err := s.room(); err != nil {
		return err
	}
	hash := sha256.New()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	n, err := io.Copy(io.MultiWriter(file, hash), content)
	s.copied += n
	if err := errors.Join(err, file.Chmod(0o640), file.Close(), files.OwnAs(s.c.Store, path)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if s.manifest == nil {
		return nil
	}
	if got, want := hex.EncodeToString(hash.Sum(nil)), s.manifest.Files[name]; got != want {
		return fmt.Errorf("%s: sha256 is %s, the bundle's manifest says %q", name, got, want)
	}
	return nil
}

// complete refuses a bundle that lacks something its manifest has.
func (s *stage) complete() error {
	if s.manifest == nil {
		return nil
	}
	for name := range s.manifest.Files {
		v, kind, err := module.ParseFile(name)
		at := s.versions[v]
		there := at != nil && (kind == "info" && at.hasInfo || kind == "mod" && at.hasMod || kind == "zip" && at.hasZip)
		if err != nil || !there {
			return fmt.Errorf("the bundle was cut off: %s is missing", name)
		}
	}
	return nil
}

// room leaves what an import must not take: the part of the file system above the upper mark.
func (s *stage) room() error {
	usage, err := watch.Measure(s.c, &state.State{})
	if err != nil {
		return err
	}
	usage.MaxBytes = 0
	if percent, what := usage.Percent(); percent >= float64(s.c.Watch.ReadOnlyPercent) {
		return fmt.Errorf("no room: %.1f %% %s used, the mark is %d %%", percent, what, s.c.Watch.ReadOnlyPercent)
	}
	return nil
}

// finish checks a version's files against each other and against sums, makes up an .info where the cache has none, and
// returns the sums to remember. Its zip is read to the end unless the manifest has vouched for its bytes.
func (s *stage) finish(at *staged, sums map[string]string) (h1, modH1 string, read bool, err error) {
	mod, err := os.ReadFile(filepath.Join(at.dir, tree.Mod))
	if err != nil {
		return "", "", false, fmt.Errorf("%s: no go.mod", at)
	}
	modH1 = module.ModH1(mod)
	if err := differs(at.String()+"/go.mod", modH1, sums); err != nil {
		return "", "", false, err
	}
	if err := s.info(at); err != nil {
		return "", "", false, err
	}
	if !at.hasZip {
		return "", modH1, true, nil
	}
	if s.manifest != nil {
		h1 = s.manifest.Sums[at.String()]
	}
	if h1 == "" {
		if h1, err = at.readZip(mod); err != nil {
			return "", "", false, err
		}
		read = true
	}
	if at.ziphash != "" && at.ziphash != h1 {
		return "", "", false, fmt.Errorf("%s: zip: sum is %s, .ziphash says %s", at, h1, at.ziphash)
	}
	return h1, modH1, read, differs(at.String(), h1, sums)
}

func (s *stage) info(at *staged) error {
	path := filepath.Join(at.dir, at.Version.Version+".info")
	if !at.hasInfo {
		text := fmt.Sprintf("{\"Version\":%q}", at.Version.Version)
		return errors.Join(os.WriteFile(path, []byte(text), 0o640), files.OwnAs(s.c.Store, path))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := module.CheckInfo(at.Version, bytes.TrimSpace(text)); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}

func (at *staged) readZip(mod []byte) (string, error) {
	file, err := os.Open(filepath.Join(at.dir, tree.Zip))
	if err != nil {
		return "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	facts, err := module.ReadZip(at.Version, file, info.Size())
	if err == nil {
		err = module.CheckMod(at.Version, mod, facts.Mod)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	return facts.H1, nil
}

func differs(name, h1 string, sums map[string]string) error {
	if want := sums[name]; want != "" && want != h1 {
		return fmt.Errorf("%s: sum is %s, go.sum says %s", name, h1, want)
	}
	return nil
}
