package egress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"gofleet/sandbox/internal/config"
	"gofleet/sandbox/internal/metrics"
)

// Bounds of a run.
const (
	patience      = 10 * time.Second
	atOnce        = 8
	mostAddresses = 64
	// atLeast is the shortest time to live of an address in a set.
	atLeast = 60
)

// Resolver looks up both families of a name's addresses.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Refresh looks up the names that jobs may reach and puts their addresses in the sets, as root. An address that a name
// had stays until its time is over: others may have been told of it just before. A name that gives nothing is an error,
// and keeps none of the others from being put in.
func Refresh(c *config.Config) error {
	if err := check(c); err != nil {
		return err
	}
	found, failures := lookUp(context.Background(), net.DefaultResolver, c.Egress.Hosts)
	if script := Script(c, found); script != "" {
		if err := load(script); err != nil {
			failures = append(failures, err)
		}
	}
	failures = append(failures, report(c, found))
	return errors.Join(failures...)
}

var (
	tableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	hostName  = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?\.)*[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.?$`)
)

// check: what goes into a script for nft is only what it is meant to be.
func check(c *config.Config) error {
	if !tableName.MatchString(c.Egress.Table) {
		return fmt.Errorf("egress.table is %q: must be a name of letters, digits and _", c.Egress.Table)
	}
	for _, host := range c.Egress.Hosts {
		if _, err := netip.ParseAddr(host.Name); err == nil {
			return fmt.Errorf("egress.hosts: %s is an address, and belongs into the rules", host.Name)
		}
		if !hostName.MatchString(host.Name) || len(host.Name) > 254 {
			return fmt.Errorf("egress.hosts: %q is no host name", host.Name)
		}
		for _, port := range host.Ports {
			if port < 1 || port > 65535 {
				return fmt.Errorf("egress.hosts: port %d of %s: must be 1 to 65535", port, host.Name)
			}
		}
	}
	return nil
}

// Found is what one name has.
type Found struct {
	config.EgressHost
	Addresses []netip.Addr
}

// lookUp asks for all names, a few at once; the answers are in the order of the names.
func lookUp(ctx context.Context, resolver Resolver, hosts []config.EgressHost) ([]Found, []error) {
	found, failures := make([]Found, len(hosts)), make([]error, len(hosts))
	turns := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	for i, host := range hosts {
		wait.Add(1)
		go func() {
			defer wait.Done()
			turns <- struct{}{}
			defer func() { <-turns }()
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			addresses, err := resolver.LookupNetIP(ctx, "ip", host.Name)
			found[i].EgressHost = host
			found[i].Addresses, failures[i] = usable(host.Name, addresses, err)
		}()
	}
	wait.Wait()
	return found, slices.DeleteFunc(failures, func(err error) bool { return err == nil })
}

// usable leaves out what no name may open, and fails if nothing is left.
func usable(name string, addresses []netip.Addr, failed error) ([]netip.Addr, error) {
	if failed != nil {
		return nil, fmt.Errorf("%s cannot be looked up, so jobs reach it only while addresses of before last: %w; network.resolver must know it, or the host's /etc/hosts", name, failed)
	}
	var good []netip.Addr
	var refused []error
	for _, each := range addresses {
		each = each.Unmap().WithZone("")
		if why := Refused(each); why != "" {
			refused = append(refused, fmt.Errorf("%s is %s, which stays closed: %s", name, each, why))
			continue
		}
		good = append(good, each)
	}
	slices.SortFunc(good, netip.Addr.Compare)
	good = slices.Compact(good)
	if len(good) > mostAddresses {
		good = good[:mostAddresses]
	}
	if len(good) == 0 && len(refused) == 0 {
		return nil, fmt.Errorf("%s has no address: network.resolver must know it, or the host's /etc/hosts", name)
	}
	return good, errors.Join(refused...)
}

// Script is the one transaction that puts addresses in the sets; empty without any. An element that is there keeps its
// old end whatever is said, so each is made, removed and made anew, of which nobody sees more than the result.
func Script(c *config.Config, found []Found) string {
	seconds := max(c.Egress.TTLSeconds, atLeast)
	elements := map[string][]string{}
	for _, host := range found {
		for _, address := range host.Addresses {
			family := "4"
			if address.Is6() {
				family = "6"
			}
			for _, port := range host.Ports {
				element := fmt.Sprintf("%s . %d", address, port)
				elements["names"+family] = append(elements["names"+family], element)
				if host.Modules {
					elements["modules"+family] = append(elements["modules"+family], element)
				}
			}
		}
	}
	var script strings.Builder
	for _, set := range []string{"names4", "names6", "modules4", "modules6"} {
		list := elements[set]
		slices.Sort(list)
		list = slices.Compact(list)
		if len(list) == 0 {
			continue
		}
		all := strings.Join(list, ", ")
		timed := strings.Join(list, fmt.Sprintf(" timeout %ds, ", seconds)) + fmt.Sprintf(" timeout %ds", seconds)
		fmt.Fprintf(&script, "add element inet %[1]s %[2]s { %[3]s }\ndelete element inet %[1]s %[2]s { %[3]s }\nadd element inet %[1]s %[2]s { %[4]s }\n",
			c.Egress.Table, set, all, timed)
	}
	return script.String()
}

func load(script string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	nft := exec.CommandContext(ctx, "nft", "-f", "-")
	nft.Stdin = strings.NewReader(script)
	var said bytes.Buffer
	nft.Stderr = &said
	if err := nft.Run(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return nil
}

func report(c *config.Config, found []Found) error {
	s := metrics.Of(c)
	s.Gauge("gofleet_sandbox_egress_addresses", "Addresses that a name had at the last look-up and that jobs may reach; 0 is a fault.")
	for _, host := range found {
		s.Value("gofleet_sandbox_egress_addresses", float64(len(host.Addresses)), "name", host.Name)
	}
	s.Gauge("gofleet_sandbox_egress_last_run_timestamp_seconds", "When names were last looked up.")
	s.Value("gofleet_sandbox_egress_last_run_timestamp_seconds", float64(time.Now().Unix()))
	return metrics.Write(c, "egress", s)
}
