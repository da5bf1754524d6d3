package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Settings say how to serve, and how to fail. Each is a variable: SERVED_LISTEN, SERVED_HANG_AFTER and so on.
type Settings struct {
	// Listen is an address, where systemd hands over no socket.
	Listen string
	// Greeting is said by /version. GreetingFile has it instead, and is read again at SIGHUP.
	Greeting, GreetingFile string
	// Notify tells systemd by sd_notify(3) that it is ready and alive.
	Notify bool
	// Trigger is a file: the times of what goes wrong later are counted from when it is there. Without one, from the start.
	Trigger string
	// SlowStart passes before it serves, SlowHealth before each answer of /readyz.
	SlowStart, SlowHealth time.Duration
	// HangAfter, it is alive no more: no heartbeats, no answer of /livez.
	HangAfter time.Duration
	// UnhealthyAfter, /readyz answers 503.
	UnhealthyAfter time.Duration
	// CrashAfter, it panics.
	CrashAfter time.Duration
	// EatAfter, it takes memory, up to 512 MiB. ChildEatsAfter, a child of it does, and it goes on whatever becomes of that.
	EatAfter, ChildEatsAfter time.Duration
	// Broken, /work answers 500, and /readyz tells nothing of it.
	Broken bool
}

// readSettings also fails at once, where it is told to.
func readSettings() (Settings, error) {
	settings := Settings{
		Listen:       os.Getenv("SERVED_LISTEN"),
		Greeting:     os.Getenv("SERVED_GREETING"),
		GreetingFile: os.Getenv("SERVED_GREETING_FILE"),
		Trigger:      os.Getenv("SERVED_TRIGGER"),
		Notify:       os.Getenv("SERVED_NOTIFY") != "",
		Broken:       os.Getenv("SERVED_BROKEN") != "",
	}
	for name, into := range map[string]*time.Duration{
		"SERVED_SLOW_START":       &settings.SlowStart,
		"SERVED_SLOW_HEALTH":      &settings.SlowHealth,
		"SERVED_HANG_AFTER":       &settings.HangAfter,
		"SERVED_UNHEALTHY_AFTER":  &settings.UnhealthyAfter,
		"SERVED_CRASH_AFTER":      &settings.CrashAfter,
		"SERVED_EAT_AFTER":        &settings.EatAfter,
		"SERVED_CHILD_EATS_AFTER": &settings.ChildEatsAfter,
	} {
		given := os.Getenv(name)
		if given == "" {
			continue
		}
		parsed, err := time.ParseDuration(given)
		if err != nil {
			return settings, fmt.Errorf("%s: %w", name, err)
		}
		*into = parsed
	}
	if os.Getenv("SERVED_CRASH") != "" {
		return settings, fmt.Errorf("told to crash")
	}
	if name := os.Getenv("SERVED_NEEDS"); name != "" && os.Getenv(name) == "" {
		return settings, fmt.Errorf("the variable %s is missing", name)
	}
	if name := os.Getenv("SERVED_CREDENTIAL"); name != "" {
		secret, err := os.ReadFile(filepath.Join(os.Getenv("CREDENTIALS_DIRECTORY"), name))
		if err != nil {
			return settings, fmt.Errorf("the credential %s is missing: %w", name, err)
		}
		log.Printf("the credential %s has %d bytes", name, len(secret))
	}
	return settings, nil
}

// A clock says how long ago the times of what goes wrong began to count.
type clock struct{ began atomic.Int64 }

// passed says whether a time that was given has passed.
func (c *clock) passed(after time.Duration) bool {
	began := c.began.Load()
	return after > 0 && began > 0 && time.Since(time.Unix(0, began)) > after
}

// start begins to count, and what is to go wrong by itself: at once, or when the trigger is there.
func (c *clock) start(settings Settings) {
	for settings.Trigger != "" {
		if _, err := os.Stat(settings.Trigger); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.began.Store(time.Now().UnixNano())
	if settings.CrashAfter > 0 {
		time.AfterFunc(settings.CrashAfter, func() { panic("told to crash later") })
	}
	if settings.EatAfter > 0 {
		time.AfterFunc(settings.EatAfter, eat)
	}
	if settings.ChildEatsAfter > 0 {
		time.AfterFunc(settings.ChildEatsAfter, letChildEat)
	}
}

// most is more than any limit of these tests: where none holds, the machine must not suffer.
const most = 512 << 20

// eat takes memory until the kernel ends it: each page is written, so that it is real.
func eat() {
	var taken [][]byte
	for len(taken) < most>>23 {
		block := make([]byte, 8<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		taken = append(taken, block)
		time.Sleep(time.Millisecond)
	}
	log.Fatalf("took %d MiB, and nothing ended it", len(taken)*8)
}

// letChildEat says how a child ended that eats.
func letChildEat() {
	child := exec.Command("/proc/self/exe", "--eat")
	child.Stderr = os.Stderr
	log.Printf("served %s goes on, its child ended: %v", version, child.Run())
}
