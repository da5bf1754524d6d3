package repair

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"gofleet/store/internal/files"
	"gofleet/store/internal/ledger"
	"gofleet/store/internal/module"
	"gofleet/store/internal/tree"
)

// inspect reads a version from the first byte to the last and says what is wrong with it.
func inspect(v *tree.Version, known ledger.Entry, offline bool) (ledger.Entry, error) {
	entry := ledger.Entry{Stamps: stamps(v)}
	info, err := content(v, v.Info())
	if errors.Is(err, fs.ErrNotExist) {
		return entry, errors.New("no .info: it was cut off while it was written")
	}
	if err != nil {
		return entry, err
	}
	if err := module.CheckInfo(v.Version, info); err != nil {
		return entry, err
	}
	mod, err := content(v, tree.Mod)
	if err != nil {
		return entry, missing(tree.Mod, err)
	}
	entry.Mod = module.ModH1(mod)
	zip, err := readZip(v)
	if errors.Is(err, fs.ErrNotExist) && offline && known.H1 == "" && known.Mod == entry.Mod {
		// Imported without a zip, for a mirror that cannot fetch one: its go.mod is all that is ever asked for.
		return entry, nil
	}
	if err != nil {
		return entry, missing(tree.Zip, err)
	}
	entry.H1 = zip.H1
	if err := module.CheckMod(v.Version, mod, zip.Mod); err != nil {
		return entry, err
	}
	if known.H1 != "" && known.H1 != entry.H1 {
		return entry, fmt.Errorf("zip: sum is %s, was %s when it was first seen", entry.H1, known.H1)
	}
	if known.Mod != "" && known.Mod != entry.Mod {
		return entry, fmt.Errorf("go.mod: sum is %s, was %s when it was first seen", entry.Mod, known.Mod)
	}
	return entry, nil
}

func missing(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: missing", name)
	}
	return err
}

func content(v *tree.Version, name string) ([]byte, error) {
	file, err := files.Open(filepath.Join(v.Dir, name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

func readZip(v *tree.Version) (module.ZipFacts, error) {
	file, err := files.Open(filepath.Join(v.Dir, tree.Zip))
	if err != nil {
		return module.ZipFacts{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return module.ZipFacts{}, err
	}
	return module.ReadZip(v.Version, file, info.Size())
}

func stamps(v *tree.Version) map[string]ledger.Stamp {
	all := map[string]ledger.Stamp{}
	for name, info := range v.Files {
		all[name] = ledger.StampOf(info)
	}
	return all
}

// inputOutput tells a disk that cannot be read from a file that holds the wrong things.
func inputOutput(err error) bool {
	var path *os.PathError
	return errors.As(err, &path) && !errors.Is(err, fs.ErrNotExist)
}
