// Package ready proves that the mirror can store and serve; Athens' own /readyz also says so on a full disk.
package ready

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"gofleet/store/internal/config"
	"gofleet/store/internal/files"
	"gofleet/store/internal/module"
	"gofleet/store/internal/tree"
	"gofleet/store/internal/watch"
)

// ErrReadOnly says that what is stored is served and nothing more is stored.
var ErrReadOnly = errors.New("serves what it has and fetches nothing: the store is read-only")

// Check writes to the store and asks Athens for a version that is in it. What it says is what it saw.
func Check(c *config.Config) (string, error) {
	if err := store(c); err != nil {
		return "", fmt.Errorf("the store cannot be written: %w", err)
	}
	says, err := serve(c)
	if err != nil {
		return "", fmt.Errorf("athens does not serve: %w", err)
	}
	if watch.ReadOnly(c) {
		return says, ErrReadOnly
	}
	return says, nil
}

// A block, synced, so that a file system without room or with a broken disk says so.
func store(c *config.Config) error {
	if err := files.Directory(c.Private(), 0o750); err != nil {
		return err
	}
	file, err := os.CreateTemp(c.Private(), "ready-*")
	if err != nil {
		return err
	}
	_, err = file.Write(make([]byte, 4096))
	return errors.Join(err, file.Sync(), file.Close(), os.Remove(file.Name()))
}

func serve(c *config.Config) (string, error) {
	known, err := anyVersion(c)
	if err != nil {
		return "", err
	}
	if known == nil {
		_, err := get(c, "/healthz")
		return "stores; athens answers; the store is empty", err
	}
	want, err := os.ReadFile(filepath.Join(known.Dir, known.Info()))
	if err != nil {
		return "", err
	}
	got, err := get(c, "/"+known.File("info"))
	if err != nil {
		return "", err
	}
	if !bytes.Equal(got, want) {
		return "", fmt.Errorf("%s: its .info is not the one in the store", known)
	}
	return fmt.Sprintf("stores; athens serves %s", known), nil
}

func anyVersion(c *config.Config) (*tree.Version, error) {
	var found *tree.Version
	enough := errors.New("found")
	err := tree.Walk(c.Store, func(v *tree.Version) error {
		if !v.Complete() || module.CheckInfo(v.Version, info(v)) != nil {
			return nil
		}
		found = v
		return enough
	})
	if errors.Is(err, enough) {
		return found, nil
	}
	return nil, err
}

func info(v *tree.Version) []byte {
	text, err := os.ReadFile(filepath.Join(v.Dir, v.Info()))
	if err != nil {
		return nil
	}
	return text
}

func get(c *config.Config, path string) ([]byte, error) {
	dialer := net.Dialer{}
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", c.Athens.Socket)
		},
	}}
	ctx, cancel := context.WithTimeout(context.Background(), config.Seconds(c.Athens.PatienceSeconds))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://athens"+path, nil)
	if err != nil {
		return nil, err
	}
	for {
		response, err := client.Do(request)
		var refused *net.OpError
		if errors.As(err, &refused) && ctx.Err() == nil {
			// The socket comes when Athens is up.
			time.Sleep(200 * time.Millisecond)
			if ctx.Err() == nil {
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %s", path, response.Status)
		}
		return io.ReadAll(response.Body)
	}
}
