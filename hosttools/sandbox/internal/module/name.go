// Package module knows the names of Go modules, as https://go.dev/ref/mod#go-mod-file-ident has them.
package module

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Version names one version of a module.
type Version struct {
	Path    string
	Version string
}

func (v Version) String() string { return v.Path + "@" + v.Version }

var (
	// host is a path's first part: a domain name in lower case.
	host    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+$`)
	element = regexp.MustCompile(`^[A-Za-z0-9_~-]([A-Za-z0-9._~-]*[A-Za-z0-9_~-])?$`)
	// shortName is what some file systems take for the short form of another name.
	shortName = regexp.MustCompile(`~[0-9]+$`)
	reserved  = regexp.MustCompile(`^(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)
	major     = regexp.MustCompile(`^v[0-9]+$`)
	semantic  = regexp.MustCompile(`^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+incompatible)?$`)
	gopkg     = regexp.MustCompile(`^gopkg\.in/(.+/)?[^/]+\.v(0|[1-9][0-9]*)(-unstable)?$`)
)

// Longest path and version that are taken; far above any real one.
const longest = 250

// Parse reads `path@version` and checks it.
func Parse(text string) (Version, error) {
	modulePath, version, _ := strings.Cut(text, "@")
	v := Version{modulePath, version}
	return v, v.Check()
}

// Check refuses what cannot be a version of a module: nothing that passes leads out of a directory, is an option of a
// command, or a name that git or a proxy would read in another way.
func (v Version) Check() error {
	if len(v.Path) > longest || len(v.Version) > longest {
		return fmt.Errorf("%.80q: longer than %d characters", v.Path, longest)
	}
	parts := strings.Split(v.Path, "/")
	if !host.MatchString(parts[0]) {
		return fmt.Errorf("%q is no module path: it must begin with a domain name in lower case", v.Path)
	}
	for _, each := range parts {
		if !element.MatchString(each) || shortName.MatchString(each) || reserved.MatchString(each) {
			return fmt.Errorf("%q is no module path: %q may not be a part of one", v.Path, each)
		}
	}
	if !semantic.MatchString(v.Version) {
		return fmt.Errorf("%q of %s is no version such as v1.2.3", v.Version, v.Path)
	}
	return v.checkMajor(parts[len(parts)-1])
}

// checkMajor compares the version with the major version that the path ends in.
func (v Version) checkMajor(last string) error {
	number, _, _ := strings.Cut(v.Version, ".")
	incompatible := strings.HasSuffix(v.Version, "+incompatible")
	if strings.HasPrefix(v.Path, "gopkg.in/") {
		match := gopkg.FindStringSubmatch(v.Path)
		if match == nil || incompatible || number != "v"+match[2] && !(match[2] == "1" && strings.HasPrefix(v.Version, "v0.0.0-")) {
			return fmt.Errorf("%q does not fit the path %s", v.Version, v.Path)
		}
		return nil
	}
	old := number == "v0" || number == "v1"
	switch {
	case !major.MatchString(last):
		if old == incompatible {
			return fmt.Errorf("%q does not fit the path %s, which has no major version", v.Version, v.Path)
		}
	case old || incompatible || last != number:
		return fmt.Errorf("%q does not fit the path %s", v.Version, v.Path)
	}
	return nil
}

// Escape writes capital letters as `!` and the small letter, as a module cache has them.
func Escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('!')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// unescape is the other way round; false for what Escape would not write.
func unescape(text string) (string, bool) {
	var b strings.Builder
	bang := false
	for _, r := range text {
		switch {
		case bang && 'a' <= r && r <= 'z':
			b.WriteRune(r - 'a' + 'A')
			bang = false
		case bang || 'A' <= r && r <= 'Z':
			return "", false
		case r == '!':
			bang = true
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), !bang
}

// FromFile reads the name of a file below cache/download: `github.com/!x/y/@v/v1.2.3.zip` is a version.
func FromFile(name string) (Version, error) {
	dir, file, found := strings.Cut(name, "/@v/")
	modulePath, ok1 := unescape(dir)
	version, ok2 := unescape(strings.TrimSuffix(file, path.Ext(file)))
	v := Version{modulePath, version}
	if !found || !ok1 || !ok2 {
		return v, fmt.Errorf("%.80q is no file of a module version", name)
	}
	return v, v.Check()
}

// File is the name of one of its files below cache/download.
func (v Version) File(kind string) string {
	return Escape(v.Path) + "/@v/" + Escape(v.Version) + "." + kind
}

// Directory is the name of the unpacked version in a module cache.
func (v Version) Directory() string { return Escape(v.Path) + "@" + Escape(v.Version) }
