package egress

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"gofleet/sandbox/internal/config"
)

func TestNoNameOpensThisHostOrMetadata(t *testing.T) {
	for text, refused := range map[string]bool{
		"192.0.2.7": false, "10.0.0.1": false, "192.168.1.1": false, "100.64.0.1": false, "2001:db8::1": false, "fd12::1": false,
		"64:ff9b::c000:207": false, "2002:c000:207::1": false,
		"127.0.0.1": true, "127.255.0.1": true, "0.0.0.0": true, "0.1.2.3": true, "169.254.169.254": true, "169.254.0.1": true,
		"168.63.129.16": true, "100.100.100.200": true, "224.0.0.1": true, "255.255.255.255": true, "240.0.0.1": true,
		"::1": true, "::": true, "fe80::1": true, "fe80::1%eth0": true, "fd00:ec2::254": true, "ff02::1": true,
		"::ffff:127.0.0.1": true, "::ffff:169.254.169.254": true, "::ffff:192.0.2.7": false,
		"64:ff9b::a9fe:a9fe": true, "64:ff9b:1::7f00:1": true, "2002:7f00:1::1": true, "::7f00:1": true,
	} {
		if why := Refused(netip.MustParseAddr(text)); (why != "") != refused {
			t.Errorf("%s: %q", text, why)
		}
	}
}

type answers map[string][]string

func (a answers) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	if network != "ip" {
		return nil, errors.New("only one family is asked for")
	}
	texts, known := a[host]
	if !known {
		return nil, errors.New("no such host")
	}
	var list []netip.Addr
	for _, each := range texts {
		list = append(list, netip.MustParseAddr(each))
	}
	return list, nil
}

func settings() *config.Config {
	return &config.Config{Egress: config.Egress{
		Table: "gofleet_ci", TTLSeconds: 600,
		Hosts: []config.EgressHost{{Name: "mirror.test", Ports: []int{443}, Modules: true}, {Name: "git.test", Ports: []int{22, 443}}},
	}}
}

func TestWhatIsFoundIsOpenedAndTheRestIsSaid(t *testing.T) {
	c := settings()
	c.Egress.Hosts = append(c.Egress.Hosts,
		config.EgressHost{Name: "gone.test", Ports: []int{443}},
		config.EgressHost{Name: "empty.test", Ports: []int{443}},
		config.EgressHost{Name: "rebound.test", Ports: []int{443}})
	found, failures := lookUp(context.Background(), answers{
		"mirror.test": {"192.0.2.7", "2001:db8::7", "192.0.2.7", "::ffff:192.0.2.7"}, "git.test": {"192.0.2.8"}, "empty.test": {},
		"rebound.test": {"192.0.2.9", "169.254.169.254"},
	}, c.Egress.Hosts)
	said := errors.Join(failures...).Error()
	for _, each := range []string{"gone.test cannot be looked up", "empty.test has no address", "rebound.test is 169.254.169.254, which stays closed"} {
		if !strings.Contains(said, each) {
			t.Errorf("%q is not in: %s", each, said)
		}
	}
	if len(failures) != 3 {
		t.Errorf("%v", failures)
	}
	expected := `add element inet gofleet_ci names4 { 192.0.2.7 . 443, 192.0.2.8 . 22, 192.0.2.8 . 443, 192.0.2.9 . 443 }
delete element inet gofleet_ci names4 { 192.0.2.7 . 443, 192.0.2.8 . 22, 192.0.2.8 . 443, 192.0.2.9 . 443 }
add element inet gofleet_ci names4 { 192.0.2.7 . 443 timeout 600s, 192.0.2.8 . 22 timeout 600s, 192.0.2.8 . 443 timeout 600s, 192.0.2.9 . 443 timeout 600s }
add element inet gofleet_ci names6 { 2001:db8::7 . 443 }
delete element inet gofleet_ci names6 { 2001:db8::7 . 443 }
add element inet gofleet_ci names6 { 2001:db8::7 . 443 timeout 600s }
add element inet gofleet_ci modules4 { 192.0.2.7 . 443 }
delete element inet gofleet_ci modules4 { 192.0.2.7 . 443 }
add element inet gofleet_ci modules4 { 192.0.2.7 . 443 timeout 600s }
add element inet gofleet_ci modules6 { 2001:db8::7 . 443 }
delete element inet gofleet_ci modules6 { 2001:db8::7 . 443 }
add element inet gofleet_ci modules6 { 2001:db8::7 . 443 timeout 600s }
`
	if script := Script(c, found); script != expected {
		t.Error(script)
	}
	if Script(c, nil) != "" {
		t.Error("a transaction about nothing")
	}
}

func TestSettingsCannotSayAnythingElseToNft(t *testing.T) {
	for _, change := range []func(*config.Egress){
		func(e *config.Egress) { e.Table = "x { }; flush ruleset" },
		func(e *config.Egress) { e.Hosts[0].Name = "a } ; flush" },
		func(e *config.Egress) { e.Hosts[0].Name = "192.0.2.7" },
		func(e *config.Egress) { e.Hosts[0].Name = "" },
		func(e *config.Egress) { e.Hosts[0].Ports = []int{0} },
	} {
		c := settings()
		change(&c.Egress)
		if check(c) == nil {
			t.Errorf("accepted: %+v", c.Egress)
		}
	}
	if err := check(settings()); err != nil {
		t.Error(err)
	}
}

// A real nft in a network of its own.
func TestAddressesStayForTheirTimeFromTheLastLook(t *testing.T) {
	if _, err := exec.LookPath("nft"); err != nil || os.Geteuid() != 0 {
		t.Skip("SKIPPED: needs root and nft: sets of a network namespace")
	}
	// The thread ends with the test, and its network with it.
	runtime.LockOSThread()
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	c := settings()
	nft := func(script string) string {
		cmd := exec.Command("nft", "-f", "-")
		cmd.Stdin = strings.NewReader(script)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v %s", err, out)
		}
		return string(out)
	}
	one := []Found{{c.Egress.Hosts[0], []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")}}}
	if err := load(Script(c, one)); err == nil || !strings.Contains(err.Error(), "nft: ") {
		t.Errorf("no table, and no error: %v", err)
	}
	table := "table inet gofleet_ci {\n"
	for _, name := range []string{"names", "modules"} {
		table += "set " + name + "4 { type ipv4_addr . inet_service; flags timeout; }\nset " + name + "6 { type ipv6_addr . inet_service; flags timeout; }\n"
	}
	nft(table + "}\n")
	nft("add element inet gofleet_ci names4 { 192.0.2.7 . 443 timeout 61s, 192.0.2.99 . 443 timeout 61s }\n")
	for range 2 {
		if err := load(Script(c, one)); err != nil {
			t.Fatal(err)
		}
	}
	said := nft("list table inet gofleet_ci\n")
	for _, each := range []string{"192.0.2.7 . 443 timeout 10m", "192.0.2.99 . 443 timeout 1m1s", "2001:db8::7 . 443 timeout 10m"} {
		if !strings.Contains(said, each) {
			t.Errorf("%q is not in %s", each, said)
		}
	}
}
