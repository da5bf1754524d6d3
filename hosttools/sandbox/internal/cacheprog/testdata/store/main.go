// Command store is a GOCACHEPROG that keeps what it gets in a directory and notes in a file what it was asked: store
// DIRECTORY LOG [FAULT].
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type request struct {
	ID                 int64
	Command            string
	ActionID, OutputID []byte
	BodySize           int64
}

type response struct {
	ID            int64
	KnownCommands []string   `json:",omitempty"`
	Miss          bool       `json:",omitempty"`
	OutputID      []byte     `json:",omitempty"`
	Size          int64      `json:",omitempty"`
	Time          *time.Time `json:",omitempty"`
	DiskPath      string     `json:",omitempty"`
}

func main() {
	directory, fault := os.Args[1], strings.Join(os.Args[3:], " ")
	log, err := os.OpenFile(os.Args[2], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	must(err)
	out := bufio.NewWriter(os.Stdout)
	say := func(r response) {
		must(json.NewEncoder(out).Encode(r))
		must(out.Flush())
	}
	say(response{KnownCommands: []string{"get", "put", "close"}})
	for in := json.NewDecoder(os.Stdin); ; {
		var r request
		if err := in.Decode(&r); err == io.EOF {
			return
		} else {
			must(err)
		}
		var body []byte
		if r.BodySize > 0 {
			must(in.Decode(&body))
		}
		answer := response{ID: r.ID}
		entry := filepath.Join(directory, hex.EncodeToString(r.ActionID))
		switch r.Command {
		case "put":
			must(os.WriteFile(entry+".body", body, 0o600))
			must(os.WriteFile(entry, r.OutputID, 0o600))
			answer.DiskPath = entry + ".body"
		case "get":
			if fault == "ends" {
				os.Exit(1)
			}
			output, err := os.ReadFile(entry)
			if err != nil {
				answer.Miss = true
				break
			}
			if fault == "lies" {
				must(os.WriteFile(entry+".body", []byte("not what was built"), 0o600))
			}
			info, err := os.Stat(entry + ".body")
			must(err)
			made := info.ModTime()
			answer.OutputID, answer.Size, answer.Time, answer.DiskPath = output, info.Size(), &made, entry+".body"
		}
		fmt.Fprintln(log, r.Command, map[bool]string{true: "miss", false: ""}[answer.Miss])
		say(answer)
		if r.Command == "close" {
			return
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
