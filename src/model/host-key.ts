import type { Parsed } from "./check";
import { hiddenIssue, issue } from "./issues";

/** A host's public key: type and base64, as in `/etc/ssh/ssh_host_ed25519_key.pub`. */
export type HostKey = `${(typeof TYPES)[number]} ${string}`;

const TYPES = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
] as const;

const WANTED =
  'the host\'s public key, "ssh-ed25519 AAAA…" (on the host: cat /etc/ssh/ssh_host_ed25519_key.pub, without the comment)';

/** A public host key; a comment at the end is dropped. Private keys are refused without being repeated. */
export function parseHostKey(path: string, given: unknown): Parsed<HostKey> {
  if (typeof given === "string" && given.includes("PRIVATE KEY")) {
    return { issue: hiddenIssue(path, "a private key", WANTED) };
  }
  const refuse = (wanted = WANTED) => ({ issue: issue(path, given, wanted) });
  if (typeof given !== "string") return refuse();
  if (/^SHA256:|^MD5:/.test(given)) return refuse(`${WANTED}; a fingerprint cannot be pinned`);
  const [name = "", blob = "", ...comment] = given.trim().split(/[ \t]+/);
  const type = TYPES.find((each) => each === name);
  if (!type) {
    // A line of known_hosts has the host in front.
    const known = TYPES.some((each) => each === blob) ? `${WANTED}; leave out the host name in front` : WANTED;
    return refuse(known);
  }
  if (/[\r\n]/.test(given.trim())) return refuse("one public key on one line");
  if (comment.some((word) => TYPES.some((each) => each === word))) return refuse("one public key");
  return holdsKey(type, blob) ? { value: `${type} ${blob}` } : refuse();
}

/** The blob's first field repeats the type (RFC 4253, 6.6), so a cut or made-up key shows. */
function holdsKey(type: string, blob: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(blob)) return false;
  const bytes = Buffer.from(blob, "base64");
  if (bytes.toString("base64") !== blob) return false;
  const fields: Buffer[] = [];
  let offset = 0;
  while (offset + 4 <= bytes.length) {
    const end = offset + 4 + bytes.readUInt32BE(offset);
    if (end > bytes.length) return false;
    fields.push(bytes.subarray(offset + 4, end));
    offset = end;
  }
  const whole = offset === bytes.length && fields.length >= 2 && fields.slice(1).every((field) => field.length > 0);
  return whole && fields[0]?.toString("latin1") === type && (type !== "ssh-ed25519" || fields[1]?.length === 32);
}
