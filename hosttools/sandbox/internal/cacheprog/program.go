package cacheprog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of what a program may take; a build goes on without it.
const (
	beginsWithin  = 10 * time.Second
	answersWithin = time.Minute
	endsWithin    = 10 * time.Second
)

var errGone = errors.New("it has ended, or did not answer before")

// program is somebody's GOCACHEPROG while it runs.
type program struct {
	command *exec.Cmd
	in      io.WriteCloser
	from    io.Closer
	out     lines
	can     []string
	ended   chan struct{}

	lock    sync.Mutex
	last    int64
	waiting map[int64]chan response
	gone    bool
}

// start starts a program and waits until it has said what it can do.
func start(command []string, stderr io.Writer) (*program, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = stderr
	// Its own: one program must not ask another, or itself.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(each string) bool { return strings.HasPrefix(each, "GOCACHEPROG=") })
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		return nil, err
	}
	first := make(chan response, 1)
	p := &program{command: cmd, in: in, from: out, out: lines{to: in}, ended: make(chan struct{}), waiting: map[int64]chan response{0: first}}
	go p.read(json.NewDecoder(out))
	greeting, err := await(first, beginsWithin)
	if err == nil && !slices.Contains(greeting.KnownCommands, get) {
		err = fmt.Errorf("it can %q, and not %s", greeting.KnownCommands, get)
	}
	if err != nil {
		p.kill()
		return nil, err
	}
	p.can = greeting.KnownCommands
	return p, nil
}

func (p *program) read(from *json.Decoder) {
	defer close(p.ended)
	for {
		var r response
		err := from.Decode(&r)
		p.lock.Lock()
		if err != nil {
			p.gone = true
			for _, each := range p.waiting {
				close(each)
			}
			p.waiting = nil
			p.lock.Unlock()
			return
		}
		answer := p.waiting[r.ID]
		delete(p.waiting, r.ID)
		p.lock.Unlock()
		if answer != nil {
			answer <- r
		}
	}
}

// ask sends a request, with the body of a put, and waits for the answer. A program that takes or gives none in time is not
// asked again.
func (p *program) ask(r request, body []byte, within time.Duration) (response, error) {
	answer := make(chan response, 1)
	p.lock.Lock()
	if p.gone {
		p.lock.Unlock()
		return response{}, errGone
	}
	p.last++
	r.ID = p.last
	p.waiting[r.ID] = answer
	p.lock.Unlock()
	values := []any{r}
	if r.BodySize > 0 {
		values = append(values, body)
	}
	if pipe, ok := p.in.(interface{ SetWriteDeadline(time.Time) error }); ok {
		// What cannot have a deadline blocks until the program ends.
		_ = pipe.SetWriteDeadline(time.Now().Add(within))
	}
	err := p.out.write(values...)
	var said response
	if err == nil {
		said, err = await(answer, within)
	}
	if err != nil {
		p.lock.Lock()
		p.gone = true
		p.lock.Unlock()
		return response{}, err
	}
	if said.Err != "" {
		err = errors.New(said.Err)
	}
	return said, err
}

func await(answer <-chan response, within time.Duration) (response, error) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case said, ok := <-answer:
		if !ok {
			return response{}, errGone
		}
		return said, nil
	case <-timer.C:
		return response{}, fmt.Errorf("it did not answer within %v", within)
	}
}

// end lets the program finish what it has to, and ends it if it does not.
func (p *program) end() {
	if slices.Contains(p.can, end) {
		_, _ = p.ask(request{Command: end}, nil, endsWithin)
	}
	p.in.Close()
	select {
	case <-p.ended:
		p.command.Wait()
	case <-time.After(endsWithin):
		p.kill()
	}
}

func (p *program) kill() {
	p.command.Process.Kill()
	// What it started may hold the other end.
	p.from.Close()
	<-p.ended
	p.command.Wait()
}
