package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// firstSocket is the number of the first file that systemd hands over. See sd_listen_fds(3).
const firstSocket = 3

// handedOver are the sockets that systemd opened for this process.
func handedOver() ([]net.Listener, error) {
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	count, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil {
		return nil, fmt.Errorf("LISTEN_FDS: %w", err)
	}
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	var found []net.Listener
	for i := range count {
		file := os.NewFile(uintptr(firstSocket+i), names[i])
		listener, err := net.FileListener(file)
		if err != nil {
			return nil, fmt.Errorf("socket %s: %w", names[i], err)
		}
		file.Close()
		found = append(found, listener)
	}
	log.Printf("sockets handed over: %s", strings.Join(names, " "))
	return found, nil
}

// notify tells systemd something, if it listens. See sd_notify(3).
func notify(state string) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	connection, err := net.Dial("unixgram", name)
	if err != nil {
		log.Printf("sd_notify: %v", err)
		return
	}
	defer connection.Close()
	if _, err := connection.Write([]byte(state)); err != nil {
		log.Printf("sd_notify: %v", err)
	}
}

// signsOfLife come at half of the watchdog's interval, until it hangs.
func signsOfLife(hung func() bool) {
	interval, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || interval <= 0 {
		return
	}
	for {
		time.Sleep(time.Duration(interval) * time.Microsecond / 2)
		if hung() {
			return
		}
		notify("WATCHDOG=1")
	}
}
