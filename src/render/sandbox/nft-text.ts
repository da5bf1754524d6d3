import { isIP } from "node:net";

declare const escaped: unique symbol;

/** Text that is safe in a file of nftables rules; only the functions of this file make it. See nft(8). */
export type NftText = string & { readonly [escaped]: true };

/** A string in double quotes. nft knows no escape inside of them, so it takes only what needs none. */
export function nftString(value: string): NftText {
  if (!/^[A-Za-z0-9_.:@ -]+$/.test(value)) throw new Error(`${JSON.stringify(value)} cannot be a string of nftables`);
  return `"${value}"` as NftText;
}

/** The name of a table, a chain, a set or a counter. */
export function nftName(value: string): NftText {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(value)) throw new Error(`${JSON.stringify(value)} is no name for nftables`);
  return value as NftText;
}

/** An address or a network as `address/length`, with what nft calls its family. */
export function nftAddress(value: string): { readonly family: "ip" | "ip6"; readonly text: NftText } {
  const [address = "", length, ...rest] = value.split("/");
  const kind = isIP(address);
  const longest = kind === 4 ? 32 : 128;
  const good = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= longest);
  // A zone (`fe80::1%eth0`) is an address for Node, and none for nft.
  if (kind === 0 || !good || rest.length > 0 || address.includes("%")) {
    throw new Error(`${JSON.stringify(value)} is neither an address nor a network`);
  }
  return { family: kind === 4 ? "ip" : "ip6", text: value as NftText };
}

/** A TCP or UDP port. */
export function nftPort(value: number): NftText {
  if (!Number.isInteger(value) || value < 1 || value > 65535) throw new Error(`${value} is no port`);
  return String(value) as NftText;
}

/** `{ a, b }`. */
export function nftSet(elements: readonly NftText[]): NftText {
  return `{ ${elements.join(", ")} }` as NftText;
}
