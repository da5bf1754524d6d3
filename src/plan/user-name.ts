import { createHash } from "node:crypto";

/** Room for a suffix such as `-www` or `-101` within the 31 characters that every tool takes. */
const LONGEST = 27;

/** `gofleet-<component>` as a user's name; a digest tells apart what had to be cut. */
export function componentUser(component: string): string {
  const plain = `gofleet-${component.replaceAll(".", "-")}`;
  if (plain.length <= LONGEST && !component.includes(".")) return plain;
  return `${plain.slice(0, LONGEST - 7)}-${nameDigest(component)}`;
}

/** Six hex digits that tell one component's name from another's. */
export function nameDigest(component: string): string {
  return createHash("sha256").update(component).digest("hex").slice(0, 6);
}
