// Package cpackages knows which packages of the distribution a build with cgo may read: the go command's keys hold neither
// headers nor libraries.
package cpackages

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Status is where dpkg says what is installed; see dpkg-query(1).
const Status = "/var/lib/dpkg/status"

// reads: headers, static libraries and what links them, compilers and what they bring.
var reads = regexp.MustCompile(`^(.*-dev(-.*)?|(gcc|g\+\+|cpp|clang|llvm|lld|binutils|musl|libgcc|libc6)([-.0-9].*)?)$`)

// Fingerprint is another one where such a package came, went, or has another version. Empty: the host has no dpkg.
func Fingerprint(status string) (string, error) {
	file, err := os.Open(status)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer file.Close()
	var all []string
	fields := map[string]string{}
	end := func() {
		if reads.MatchString(fields["Package"]) && strings.HasSuffix(fields["Status"], " installed") {
			all = append(all, fmt.Sprintf("%s:%s %s\n", fields["Package"], fields["Architecture"], fields["Version"]))
		}
		clear(fields)
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, found := strings.Cut(lines.Text(), ": ")
		switch {
		case lines.Text() == "":
			end()
		case found && !strings.HasPrefix(name, " "):
			fields[name] = value
		}
	}
	end()
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("%s: %w", status, err)
	}
	slices.Sort(all)
	sum := sha256.Sum256([]byte(strings.Join(all, "")))
	return hex.EncodeToString(sum[:8]), nil
}
