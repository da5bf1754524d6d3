package transfer

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gofleet/store/internal/config"
	"gofleet/store/internal/files"
	"gofleet/store/internal/ledger"
	"gofleet/store/internal/module"
	"gofleet/store/internal/tree"
)

// Export writes every complete version of the modules that match a pattern (all of them, if there is none) as a bundle.
// Equal stores make equal bytes. It returns how many files it wrote.
func Export(c *config.Config, known *ledger.Ledger, out string, patterns []string) (count int, err error) {
	chosen := func(modulePath string) bool {
		return len(patterns) == 0 ||
			slices.ContainsFunc(patterns, func(pattern string) bool { return module.Matches(pattern, modulePath) })
	}
	paths, manifest := map[string]string{}, Manifest{Format: 1, Files: map[string]string{}, Sums: map[string]string{}}
	err = errors.Join(storedFiles(c, known, chosen, paths, &manifest), modFiles(c, chosen, paths))
	if err != nil {
		return 0, err
	}
	for name, path := range paths {
		if manifest.Files[name], err = digest(path); err != nil {
			return 0, err
		}
	}
	file, err := os.CreateTemp(filepath.Dir(out), ".bundle-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name())
	err = errors.Join(writeTar(file, manifest, paths), file.Sync(), file.Close())
	if err != nil {
		return 0, err
	}
	return len(paths), os.Rename(file.Name(), out)
}

func storedFiles(c *config.Config, known *ledger.Ledger, chosen func(string) bool, paths map[string]string, m *Manifest) error {
	return tree.Walk(c.Store, func(v *tree.Version) error {
		if !v.Complete() || !chosen(v.Path) {
			return nil
		}
		for kind, name := range map[string]string{"info": v.Info(), "mod": tree.Mod, "zip": tree.Zip} {
			paths[v.File(kind)] = filepath.Join(v.Dir, name)
		}
		if entry, recorded := known.Versions[v.String()]; recorded && entry.H1 != "" {
			m.Sums[v.String()] = entry.H1
		}
		return nil
	})
}

func modFiles(c *config.Config, chosen func(string) bool, paths map[string]string) error {
	return filepath.WalkDir(c.ModFiles(), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(c.ModFiles(), path)
		if err != nil {
			return err
		}
		v, kind, err := module.ParseFile(name)
		if err == nil && kind == "mod" && paths[name] == "" && chosen(v.Path) {
			paths[name] = path
		}
		return nil
	})
}

func digest(path string) (string, error) {
	file, err := files.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, file)
	return hex.EncodeToString(hash.Sum(nil)), err
}

func writeTar(to io.Writer, manifest Manifest, paths map[string]string) error {
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	archive := tar.NewWriter(to)
	if err := writeEntry(archive, ManifestName, int64(len(text)), bytes.NewReader(text)); err != nil {
		return err
	}
	names := make([]string, 0, len(paths))
	for name := range paths {
		names = append(names, name)
	}
	slices.SortFunc(names, strings.Compare)
	for _, name := range names {
		if err := writeFile(archive, name, paths[name]); err != nil {
			return err
		}
	}
	return archive.Close()
}

func writeFile(archive *tar.Writer, name, path string) error {
	file, err := files.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return writeEntry(archive, name, info.Size(), file)
}

func writeEntry(archive *tar.Writer, name string, size int64, content io.Reader) error {
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err := io.Copy(archive, content)
	return err
}
