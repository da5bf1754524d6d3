// Served is the service of gofleet's tests: an HTTP server that can be told, by variables, to fail in each way in which
// services do. See settings.go for what it is told.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// version is set by the linker.
var version = "none"

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == "--check" {
		check()
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "--eat" {
		eat()
		return
	}
	settings, err := readSettings()
	if err != nil {
		log.Fatalf("served %s cannot start: %v", version, err)
	}
	if err := serve(settings); err != nil {
		log.Fatalf("served %s: %v", version, err)
	}
}

// check stands for a program that validates a configuration: a bad one is told by a variable.
func check() {
	if os.Getenv("SERVED_INVALID") != "" {
		log.Fatal("the configuration will not do")
	}
}

func serve(settings Settings) error {
	listeners, err := listeners(settings.Listen)
	if err != nil {
		return err
	}
	greeting, err := newGreeting(settings)
	if err != nil {
		return err
	}
	since := &clock{}
	if settings.Trigger == "" {
		since.start(settings)
	} else {
		go since.start(settings)
	}
	time.Sleep(settings.SlowStart)
	open := connections{}
	server := &http.Server{Handler: handler(settings, since, greeting), ConnState: open.note}
	failed := make(chan error, len(listeners))
	for _, each := range listeners {
		go func() { failed <- server.Serve(each) }()
	}
	log.Printf("served %s listens on %d sockets", version, len(listeners))
	if settings.Notify {
		notify("READY=1\nSTATUS=version " + version)
		go signsOfLife(func() bool { return since.passed(settings.HangAfter) })
	}

	// As a service should: no new connections, and those in progress may end.
	stopped, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	select {
	case err := <-failed:
		if !errors.Is(err, http.ErrServerClosed) {
			return err
		}
	case <-stopped.Done():
		notify("STOPPING=1")
	}
	for _, each := range listeners {
		each.Close()
	}
	for range listeners {
		<-failed
	}
	return drain(server, &open)
}

// connections counts those that are open.
type connections struct{ count atomic.Int64 }

func (c *connections) note(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.count.Add(1)
	case http.StateClosed, http.StateHijacked:
		c.count.Add(-1)
	}
}

// drain lets requests in progress end, also those that have not come yet on connections that were accepted a moment
// before: Shutdown alone closes these without an answer.
func drain(server *http.Server, open *connections) error {
	within, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	server.SetKeepAlivesEnabled(false)
	for grace := time.Now().Add(5 * time.Second); open.count.Load() > 0 && time.Now().Before(grace); {
		time.Sleep(time.Millisecond)
	}
	return server.Shutdown(within)
}

// listeners are those that systemd hands over, or one of its own.
func listeners(address string) ([]net.Listener, error) {
	handed, err := handedOver()
	if err != nil || len(handed) > 0 {
		return handed, err
	}
	own, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("no port: %w", err)
	}
	return []net.Listener{own}, nil
}

// handler answers health, what the service is, and one answer that takes its time.
func handler(settings Settings, since *clock, greeting *greeting) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(settings.SlowHealth)
		w.Header().Set("Cache-Control", "no-store")
		if since.passed(settings.UnhealthyAfter) {
			http.Error(w, "the database is gone", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("/livez", func(w http.ResponseWriter, r *http.Request) {
		if since.passed(settings.HangAfter) {
			select {}
		}
		fmt.Fprintln(w, "alive")
	})
	mux.HandleFunc("/version", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, version, greeting)
	})
	mux.HandleFunc("/work", func(w http.ResponseWriter, r *http.Request) {
		if settings.Broken {
			http.Error(w, "told to be broken", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "done")
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Second)
		fmt.Fprintln(w, version)
	})
	return mux
}
