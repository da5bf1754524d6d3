// Package transfer brings versions into the store and out of it, without Athens.
package transfer

import (
	"encoding/json"
	"fmt"
)

// ManifestName is the first file of a bundle.
const ManifestName = "gofleet-bundle.json"

// Manifest says what is in a bundle: a tar of files named as in a module cache's cache/download, after this one.
type Manifest struct {
	Format int `json:"format"`
	// Files maps names to the sha256 of their content, hex.
	Files map[string]string `json:"files"`
	// Sums maps module@version to the h1 of its zip, and module@version/go.mod to that of its go.mod, as in go.sum.
	Sums map[string]string `json:"sums"`
}

// ParseManifest reads a manifest of the format that this program knows.
func ParseManifest(text []byte) (*Manifest, error) {
	m := &Manifest{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestName, err)
	}
	if m.Format != 1 {
		return nil, fmt.Errorf("%s: format %d, wanted 1", ManifestName, m.Format)
	}
	return m, nil
}
