import { createHmac, randomBytes } from "node:crypto";

/** Who owns the component's directory on the hosts; made once, at create. */
export function newInstance(): string {
  return randomBytes(16).toString("hex");
}

/** The key of the digests that stand for secrets: with it unknown, a digest does not let a secret be guessed. */
export function newKey(): string {
  return randomBytes(32).toString("hex");
}

export function secretDigest(key: string, name: string, secret: string): string {
  return createHmac("sha256", Buffer.from(key, "hex")).update(`${name}\0${secret}`).digest("hex");
}
