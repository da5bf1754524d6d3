package verify

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"gofleet/sandbox/internal/cache/gocache"
	"gofleet/sandbox/internal/files"
)

// Known are outputs whose content was right, by ID.
type Known map[string]Proof

// Proof is when an output's content was read, in Unix seconds, and the stamp that it had then.
type Proof struct {
	gocache.Stamp
	At int64
}

// head is the first line of the file; another one means another format.
const head = "gofleet-cache: outputs whose content was verified, 2\n"

// tick is more than the kernel's clock of file times may lag behind: a write within it leaves no later time of change.
const tick = 100 * time.Millisecond

// ReadKnown reads what an earlier pass wrote. A file that is missing or has another format knows nothing.
func ReadKnown(path string) (Known, error) {
	known := Known{}
	content, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return known, nil
	}
	if err != nil || !bytes.HasPrefix(content, []byte(head)) {
		return known, err
	}
	lines := bufio.NewScanner(bytes.NewReader(content[len(head):]))
	for lines.Scan() {
		var id string
		var p Proof
		if _, err := fmt.Sscan(lines.Text(), &id, &p.Size, &p.Modified, &p.Changed, &p.Inode, &p.At); err != nil {
			return Known{}, nil
		}
		known[id] = p
	}
	return known, nil
}

// Write replaces the file.
func (k Known) Write(path string) error {
	var text bytes.Buffer
	text.WriteString(head)
	for _, id := range slices.Sorted(maps.Keys(k)) {
		p := k[id]
		fmt.Fprintln(&text, id, p.Size, p.Modified, p.Changed, p.Inode, p.At)
	}
	return files.Replace(path, text.Bytes(), 0o600)
}
