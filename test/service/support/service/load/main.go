// Load asks one URL again and again, a new connection each time and nothing tried twice, and says how many answers it
// did not get. It goes on until its standard input ends and it has asked often enough.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Report is what it prints when it ends, as JSON.
type Report struct {
	Requests int64            `json:"requests"`
	Lost     int64            `json:"lost"`
	Answers  map[string]int64 `json:"answers"`
	Errors   map[string]int64 `json:"errors"`
	// LongestMs is the longest that an answer took, in milliseconds.
	LongestMs int64 `json:"longestMs"`
}

func main() {
	url := flag.String("url", "", "what is asked")
	workers := flag.Int("workers", 8, "requests at once")
	least := flag.Int64("least", 1000, "requests, at least")
	flag.Parse()

	var ended atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		ended.Store(true)
	}()

	report := Report{Answers: map[string]int64{}, Errors: map[string]int64{}}
	var asked atomic.Int64
	var lock sync.Mutex
	var group sync.WaitGroup
	for range *workers {
		group.Add(1)
		go func() {
			defer group.Done()
			client := newClient()
			for !ended.Load() || asked.Load() < *least {
				began := time.Now()
				answer, err := ask(client, *url)
				took := time.Since(began).Milliseconds()
				asked.Add(1)
				lock.Lock()
				report.LongestMs = max(report.LongestMs, took)
				if err != nil {
					report.Lost++
					report.Errors[err.Error()[strings.LastIndex(err.Error(), ": ")+1:]]++
				} else {
					report.Answers[answer]++
				}
				lock.Unlock()
			}
		}()
	}
	group.Wait()
	report.Requests = asked.Load()
	_ = json.NewEncoder(os.Stdout).Encode(report)
}

// newClient makes connections that leave no port in TIME_WAIT behind: there are fewer of them than requests.
func newClient() *http.Client {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := dialer.DialContext(ctx, network, address)
		if tcp, isTCP := connection.(*net.TCPConn); isTCP {
			err = tcp.SetLinger(0)
		}
		return connection, err
	}
	return &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial},
	}
}

func ask(client *http.Client, url string) (string, error) {
	response, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", &statusError{response.Status}
	}
	return strings.TrimSpace(string(body)), nil
}

type statusError struct{ status string }

func (e *statusError) Error() string { return "status: " + e.status }
