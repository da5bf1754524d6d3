// Package cacheprog stands between the go command and somebody's GOCACHEPROG: jobs build from their own cache first, then
// from what the program has, and only where that is asked for does the program get what they build. See
// https://pkg.go.dev/cmd/go/internal/cacheprog for the protocol.
package cacheprog

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	put = "put"
	get = "get"
	end = "close"
)

// request is one from the go command. The body of a put follows as a JSON value of its own.
type request struct {
	ID       int64
	Command  string
	ActionID []byte `json:",omitempty"`
	OutputID []byte `json:",omitempty"`
	BodySize int64  `json:",omitempty"`
}

// response answers a request; the first one, with ID 0, says what the program can do.
type response struct {
	ID            int64
	Err           string     `json:",omitempty"`
	KnownCommands []string   `json:",omitempty"`
	Miss          bool       `json:",omitempty"`
	OutputID      []byte     `json:",omitempty"`
	Size          int64      `json:",omitempty"`
	Time          *time.Time `json:",omitempty"`
	DiskPath      string     `json:",omitempty"`
}

// readRequest reads a request, and the body of a put.
func readRequest(from *json.Decoder) (r request, body []byte, err error) {
	if err = from.Decode(&r); err != nil || r.Command != put || r.BodySize == 0 {
		return r, nil, err
	}
	if err = from.Decode(&body); err == nil && int64(len(body)) != r.BodySize {
		err = fmt.Errorf("request %d: a body of %d bytes, not %d", r.ID, len(body), r.BodySize)
	}
	return r, body, err
}

// lines writes one JSON value a line, whoever writes.
type lines struct {
	lock sync.Mutex
	to   io.Writer
}

func (l *lines) write(values ...any) error {
	l.lock.Lock()
	defer l.lock.Unlock()
	for _, value := range values {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		if _, err := l.to.Write(append(text, '\n')); err != nil {
			return err
		}
	}
	return nil
}
