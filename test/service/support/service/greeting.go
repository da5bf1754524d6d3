package main

import (
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
)

// A greeting is what /version says: a variable, or a file that is read again at SIGHUP.
type greeting struct{ text atomic.Pointer[string] }

func newGreeting(settings Settings) (*greeting, error) {
	made := &greeting{}
	made.text.Store(&settings.Greeting)
	if settings.GreetingFile == "" {
		return made, nil
	}
	if err := made.read(settings.GreetingFile); err != nil {
		return nil, err
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGHUP)
	go func() {
		for range told {
			if err := made.read(settings.GreetingFile); err != nil {
				log.Printf("reload: %v", err)
			}
		}
	}()
	return made, nil
}

func (g *greeting) read(path string) error {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the greeting: %w", err)
	}
	text := strings.TrimSpace(string(bytes))
	g.text.Store(&text)
	log.Printf("greets with %q", text)
	return nil
}

func (g *greeting) String() string { return *g.text.Load() }
