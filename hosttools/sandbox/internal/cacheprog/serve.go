package cacheprog

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"gofleet/sandbox/internal/cache/gocache"
)

// Options of Serve.
type Options struct {
	// Cache is the job's own build cache, asked first and always written.
	Cache string
	// Command is the program that is asked next.
	Command []string
	// Write: the program also gets what is built here.
	Write bool
	// Stderr is where the program and the warnings go.
	Stderr io.Writer
}

// server answers one go command.
type server struct {
	Options
	out lines
	// program is nil where it could not be started.
	program *program
	warned  sync.Once
}

// Serve answers a go command until it closes. A program that fails is said once, and builds go on without it: what it
// has is a shortcut, never a condition.
func Serve(options Options, in io.Reader, out io.Writer) error {
	s := &server{Options: options, out: lines{to: out}}
	var err error
	if s.program, err = start(options.Command, options.Stderr); err != nil {
		s.warn(err)
	} else {
		defer s.program.end()
	}
	if err := s.out.write(response{KnownCommands: []string{get, put, end}}); err != nil {
		return err
	}
	var running sync.WaitGroup
	defer running.Wait()
	for from := json.NewDecoder(in); ; {
		r, body, err := readRequest(from)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("from the go command: %w", err)
		}
		if r.Command == end {
			running.Wait()
			return s.out.write(response{ID: r.ID})
		}
		running.Add(1)
		go func() {
			defer running.Done()
			said := s.answer(r, body)
			said.ID = r.ID
			if err := s.out.write(said); err != nil {
				s.warn(err)
			}
		}()
	}
}

func (s *server) answer(r request, body []byte) response {
	switch r.Command {
	case get:
		return s.get(r)
	case put:
		return s.put(r, body)
	}
	return response{Err: fmt.Sprintf("no such command: %q", r.Command)}
}

func (s *server) get(r request) response {
	action := hex.EncodeToString(r.ActionID)
	if found, ok := gocache.Lookup(s.Cache, action); ok {
		return hit(found)
	}
	found, err := s.fetch(r, action)
	if err != nil {
		s.warn(err)
	}
	if found == nil {
		return response{Miss: true}
	}
	return hit(*found)
}

// fetch takes an entry from the program into the job's own cache, if its content is the one that its ID names.
func (s *server) fetch(r request, action string) (*gocache.Entry, error) {
	if s.program == nil {
		return nil, nil
	}
	said, err := s.program.ask(request{Command: get, ActionID: r.ActionID}, nil, answersWithin)
	if err != nil || said.Miss || said.DiskPath == "" {
		return nil, err
	}
	file, err := os.Open(said.DiskPath)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	added := time.Now()
	if said.Time != nil {
		// By it results of tests expire.
		added = *said.Time
	}
	found, err := gocache.Insert(s.Cache, action, hex.EncodeToString(said.OutputID), added, file)
	if err != nil {
		return nil, err
	}
	return &found, nil
}

func (s *server) put(r request, body []byte) response {
	stored, err := gocache.Insert(s.Cache, hex.EncodeToString(r.ActionID), hex.EncodeToString(r.OutputID), time.Now(), bytes.NewReader(body))
	if err != nil {
		return response{Err: err.Error()}
	}
	if s.Write && s.program != nil && slices.Contains(s.program.can, put) {
		copied := request{Command: put, ActionID: r.ActionID, OutputID: r.OutputID, BodySize: r.BodySize}
		if _, err := s.program.ask(copied, body, answersWithin); err != nil {
			s.warn(err)
		}
	}
	return response{DiskPath: stored.Path}
}

func hit(found gocache.Entry) response {
	output, err := hex.DecodeString(found.Output)
	if err != nil {
		return response{Miss: true}
	}
	return response{OutputID: output, Size: found.Size, Time: &found.Added, DiskPath: found.Path}
}

func (s *server) warn(err error) {
	s.warned.Do(func() {
		fmt.Fprintf(s.Stderr, "gofleet-sandbox: warning: %s: %v; builds go on without what it has\n", s.Command[0], err)
	})
}
