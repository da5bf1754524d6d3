// Package module knows Go modules: their names, their zips and the sums of both.
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
	element   = regexp.MustCompile(`^[A-Za-z0-9_~-]([A-Za-z0-9._~-]*[A-Za-z0-9_~-])?$`)
	canonical = regexp.MustCompile(`^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+incompatible)?$`)
)

// IsVersion tells a full semantic version, as a proxy has it, from a branch or a part of a path.
func IsVersion(text string) bool { return canonical.MatchString(text) }

// Check refuses names that could not be a module's version; none of what passes leads out of a directory.
func (v Version) Check() error {
	for _, each := range strings.Split(v.Path, "/") {
		if !element.MatchString(each) {
			return fmt.Errorf("%q is no module path", v.Path)
		}
	}
	if !IsVersion(v.Version) {
		return fmt.Errorf("%q of %s is no version", v.Version, v.Path)
	}
	return nil
}

// Escape writes capital letters as `!` and the small letter, as paths on the wire and in the module cache have them.
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

// Unescape is the other way round; false for what Escape would not write.
func Unescape(text string) (string, bool) {
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

// ParseFile reads a name as in the module cache: `github.com/!x/y/@v/v1.2.3.zip` is a version and `zip`.
func ParseFile(name string) (v Version, kind string, err error) {
	dir, file, found := strings.Cut(name, "/@v/")
	extension := path.Ext(file)
	modulePath, ok1 := Unescape(dir)
	version, ok2 := Unescape(strings.TrimSuffix(file, extension))
	v = Version{modulePath, version}
	if !found || !ok1 || !ok2 || extension == "" {
		return v, "", fmt.Errorf("%q is no file of a module version", name)
	}
	return v, extension[1:], v.Check()
}

// File is the name in the module cache: `github.com/!x/y/@v/v1.2.3.zip`.
func (v Version) File(kind string) string {
	return Escape(v.Path) + "/@v/" + Escape(v.Version) + "." + kind
}

// Matches reports whether a pattern matches the path or a leading part of it, as patterns of GOPRIVATE do.
func Matches(pattern, modulePath string) bool {
	parts := strings.Split(modulePath, "/")
	length := strings.Count(pattern, "/") + 1
	if length > len(parts) {
		return false
	}
	matched, err := path.Match(pattern, strings.Join(parts[:length], "/"))
	return err == nil && matched
}
