package transfer

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// eachFile calls visit for every file of a bundle or of a module cache's download directory, by its name there. A
// bundle's manifest comes first.
func eachFile(source string, visit func(name string, content io.Reader) error) error {
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return eachInDirectory(source, visit)
	}
	return eachInTar(source, visit)
}

func eachInDirectory(root string, visit func(string, io.Reader) error) error {
	// GOMODCACHE itself will do as well.
	if download := filepath.Join(root, "cache", "download"); isDirectory(download) {
		root = download
	}
	one := func(path string) error {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return visit(name, file)
	}
	if err := one(filepath.Join(root, ManifestName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "sumdb" || entry.Name() == "vcs") && filepath.Dir(path) == root:
			return fs.SkipDir
		case !entry.Type().IsRegular() || !wanted(path):
			return nil
		}
		return one(path)
	})
}

func eachInTar(path string, visit func(string, io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var from io.Reader = bufio.NewReaderSize(file, 1<<20)
	if start, _ := from.(*bufio.Reader).Peek(2); bytes.Equal(start, []byte{0x1f, 0x8b}) {
		if from, err = gzip.NewReader(from); err != nil {
			return err
		}
	}
	for archive := tar.NewReader(from); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(header.Name, "./")
		if header.Typeflag != tar.TypeReg || name != ManifestName && !wanted(name) {
			continue
		}
		if err := visit(name, archive); err != nil {
			return err
		}
	}
}

func wanted(name string) bool {
	switch filepath.Ext(name) {
	case ".info", ".mod", ".zip", ".ziphash":
		return strings.Contains(name, "/@v/")
	}
	return false
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
