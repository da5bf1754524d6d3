// Package egress keeps the addresses of the names that jobs may reach in the sandbox's nftables sets.
package egress

import "net/netip"

// never are networks that no name opens, whatever the resolver says: whoever controls a name could have it point at this
// host or at the cloud's metadata service.
var never = prefixes(
	"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3",
	"::/127", "fe80::/10", "fec0::/10", "ff00::/8",
	// Metadata: of AWS over IPv6, of Azure, of Alibaba Cloud and of Oracle Cloud's older images.
	"fd00:ec2::/32", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32",
)

// embedding networks carry an IPv4 address in their own; offset is where, in bytes.
var embedding = []struct {
	netip.Prefix
	offset int
}{
	// NAT64, https://www.rfc-editor.org/rfc/rfc6052; NAT64 of one's own, rfc8215; 6to4, rfc3056; IPv4-compatible, rfc4291.
	{netip.MustParsePrefix("64:ff9b::/96"), 12},
	{netip.MustParsePrefix("64:ff9b:1::/96"), 12},
	{netip.MustParsePrefix("2002::/16"), 2},
	{netip.MustParsePrefix("::/96"), 12},
}

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, each := range texts {
		list = append(list, netip.MustParsePrefix(each))
	}
	return list
}

// Refused says why an address may not be opened; empty: it may.
func Refused(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	for _, each := range never {
		if each.Contains(address) {
			return "loopback, link-local, metadata or multicast (" + each.String() + ")"
		}
	}
	for _, each := range embedding {
		if !each.Contains(address) {
			continue
		}
		bytes := address.As16()
		if why := Refused(netip.AddrFrom4([4]byte(bytes[each.offset : each.offset+4]))); why != "" {
			return "an IPv4 address within " + each.Prefix.String() + ": " + why
		}
	}
	return ""
}
