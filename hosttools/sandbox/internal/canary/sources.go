package canary

// sources is the Go workspace that is built. Only the standard library is imported: the canary has no network.
var sources = map[string]string{
	"go.mod": "module canary\n\ngo 1.21\n",
	"hello/main.go": `package main

import "canary/lib"

func main() {
	if lib.Sum(1000) != 499500 {
		panic("the sum is wrong")
	}
}
`,
	"native/main.go": `package main

/*
#include <stdlib.h>

static int twice(int n) { return abs(n) * 2; }
*/
import "C"

import "canary/lib"

func main() {
	if int(C.twice(C.int(-lib.Sum(3)))) != 6 {
		panic("twice is wrong")
	}
}
`,
	"lib/lib.go": `// Package lib adds up numbers in goroutines.
package lib

import "sync"

// Sum is that of all numbers below n.
func Sum(n int) int {
	var lock sync.Mutex
	var group sync.WaitGroup
	sum := 0
	for i := 0; i < n; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			lock.Lock()
			defer lock.Unlock()
			sum += i
		}(i)
	}
	group.Wait()
	return sum
}
`,
	"lib/lib_test.go": `package lib

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSum(t *testing.T) {
	if Sum(10) != 45 {
		t.Fatal("the sum is wrong")
	}
}

func TestTemporaryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("x"), 0o755); err != nil {
		t.Fatal(err)
	}
}
`,
}

// script runs the steps named by its arguments, in their order up to the first that fails. What it says of itself begins
// with "canary: ".
const script = `set -u
no_cgo() { CGO_ENABLED=0 "$GO" "$@"; }
cgo() { CGO_ENABLED=1 "$GO" "$@"; }
build() { no_cgo build -o "$BIN/hello" ./hello && "$BIN/hello"; }
native() { cgo build -o "$BIN/native" ./native && "$BIN/native"; }
race() { cgo build -race -o "$BIN/race" ./hello && "$BIN/race" && cgo test -vet=off -race ./lib; }
run() { no_cgo run ./hello; }
tests() { no_cgo test -vet=off ./lib; }
clone() {
  rm -rf ../clone
  GIT_SSH_COMMAND="ssh -F none -i '$SSH_KEY' -o UserKnownHostsFile='$SSH_KNOWN' -o StrictHostKeyChecking=yes -o BatchMode=yes -o ConnectTimeout=10" \
    git -c protocol.version=2 clone --quiet "$REPOSITORY" ../clone && [ -s ../clone/go.mod ]
}
for step in "$@"; do
  echo "canary: step $step"
  case $step in
    build) build ;;
    cgo) native ;;
    race) race ;;
    run) run ;;
    test) tests ;;
    git-ssh) clone ;;
  esac || { echo "canary: exit code $?"; exit 1; }
done
echo 'canary: done'
`

// allSteps in the order in which they are run: what takes longest comes last.
var allSteps = []string{"git-ssh", "build", "run", "test", "cgo", "race"}
