import { BlockList, isIPv6 } from "node:net";

/**
 * Addresses where clouds hand out a machine's identity, IPv4 and IPv6: EC2's (others use the first one too), and
 * Azure's.
 * See https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html and
 * https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16.
 */
export const METADATA_ADDRESSES = ["169.254.169.254", "168.63.129.16", "fd00:ec2::254"] as const;

/** Whether an IP address is one of them, however it is written. */
export function isMetadataAddress(address: string): boolean {
  const list = new BlockList();
  for (const each of METADATA_ADDRESSES) list.addAddress(each, family(each));
  return list.check(address, family(address));
}

function family(address: string): "ipv4" | "ipv6" {
  return isIPv6(address) ? "ipv6" : "ipv4";
}
