package module

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ZipFacts is what reading a module zip to its end tells.
type ZipFacts struct {
	// H1 is the sum as go.sum has it. See https://go.dev/ref/mod#go-sum-files.
	H1 string
	// Mod is the go.mod at the zip's root; nil if it has none.
	Mod []byte
}

// ReadZip reads every entry to its end, so that its CRC is checked, and sums them up.
func ReadZip(v Version, file io.ReaderAt, size int64) (ZipFacts, error) {
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return ZipFacts{}, err
	}
	if len(archive.File) == 0 {
		return ZipFacts{}, errors.New("zip: empty")
	}
	prefix := v.String() + "/"
	var facts ZipFacts
	lines := make([]line, 0, len(archive.File))
	for _, entry := range archive.File {
		if !strings.HasPrefix(entry.Name, prefix) || strings.Contains(entry.Name, "\n") {
			return ZipFacts{}, fmt.Errorf("zip: %q is no file of %s", entry.Name, v)
		}
		hash := sha256.New()
		var sink io.Writer = hash
		var mod bytes.Buffer
		if entry.Name == prefix+"go.mod" {
			sink = io.MultiWriter(hash, &mod)
		}
		if err := copyEntry(sink, entry); err != nil {
			return ZipFacts{}, fmt.Errorf("zip: %s: %w", entry.Name, err)
		}
		if mod.Len() > 0 {
			facts.Mod = mod.Bytes()
		}
		lines = append(lines, line{entry.Name, hex.EncodeToString(hash.Sum(nil))})
	}
	facts.H1 = sum(lines)
	return facts, nil
}

func copyEntry(to io.Writer, entry *zip.File) error {
	from, err := entry.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	_, err = io.Copy(to, from)
	return err
}

// ModH1 is the sum of a go.mod file, as the `/go.mod` lines of go.sum have it.
func ModH1(mod []byte) string {
	digest := sha256.Sum256(mod)
	return sum([]line{{"go.mod", hex.EncodeToString(digest[:])}})
}

type line struct{ name, digest string }

func sum(lines []line) string {
	slices.SortFunc(lines, func(a, b line) int { return strings.Compare(a.name, b.name) })
	all := sha256.New()
	for _, each := range lines {
		fmt.Fprintf(all, "%s  %s\n", each.digest, each.name)
	}
	return "h1:" + base64.StdEncoding.EncodeToString(all.Sum(nil))
}

// CheckInfo refuses an .info that is not JSON or speaks of another version.
func CheckInfo(v Version, text []byte) error {
	var info struct{ Version string }
	if err := json.Unmarshal(text, &info); err != nil {
		return fmt.Errorf(".info: %w", err)
	}
	if info.Version != v.Version {
		return fmt.Errorf(".info: names version %q", info.Version)
	}
	return nil
}

// CheckMod refuses a go.mod that is not the zip's; where the zip has none, one that does not name the module, as the
// go command makes it up then. A go.mod may name another module than the path it is served at: forks do.
func CheckMod(v Version, mod []byte, zipped []byte) error {
	if zipped != nil {
		if !bytes.Equal(mod, zipped) {
			return errors.New("go.mod: differs from the one in the zip")
		}
		return nil
	}
	for _, each := range strings.Split(string(mod), "\n") {
		words := strings.Fields(each)
		if len(words) == 2 && words[0] == "module" && strings.Trim(words[1], "\"`") == v.Path {
			return nil
		}
	}
	return errors.New("go.mod: does not name the module, and the zip has none")
}
