import type { Parsed } from "./check";
import { issue } from "./issues";

const SHA256 = "the archive's sha256, 64 hex digits";
const H1 = 'the module\'s checksum, "h1:" and 44 characters of base64';

/** The sha256 of an archive: 64 hex digits, made lower case. Placeholders and short digests are refused. */
export function parseSha256(path: string, given: unknown): Parsed<string> {
  const refuse = (why: string) => ({ issue: issue(path, given, `${SHA256}; ${why}`) });
  if (typeof given !== "string") return refuse("gofleet lock writes it");
  if (given.startsWith("h1:")) return refuse('a module checksum goes into "h1"');
  if (isElided(given)) return refuse("this is a placeholder: gofleet lock writes the real one");
  if (/^sha256[:-]/i.test(given)) return refuse('leave out the prefix "sha256:"');
  if (/^[0-9a-f]{32}$|^[0-9a-f]{40}$/i.test(given)) return refuse("this has the length of an MD5 or SHA-1");
  if (!/^[0-9a-f]+$/i.test(given)) return refuse("this has other characters in it");
  if (given.length !== 64) return refuse(`this has ${given.length}`);
  if (isRepeated(given)) return refuse("this is a placeholder: gofleet lock writes the real one");
  return { value: given.toLowerCase() };
}

/** The `h1:` of a module zip, as in go.sum: SHA-256 of its file list, base64. See https://go.dev/ref/mod#go-sum-files. */
export function parseH1(path: string, given: unknown): Parsed<string> {
  const refuse = (why: string) => ({ issue: issue(path, given, `${H1}; ${why}`) });
  if (typeof given !== "string") return refuse("gofleet lock writes it");
  if (isElided(given)) return refuse("this is a placeholder: gofleet lock writes the real one");
  if (/^[0-9a-f]{64}$/i.test(given)) return refuse('the sha256 of an archive goes into "sha256"');
  const digest = /^h1:([A-Za-z0-9+/]{43}=)$/.exec(given)?.[1];
  if (digest === undefined) return refuse(`this has ${given.length} characters or others than base64`);
  const bytes = Buffer.from(digest, "base64");
  if (bytes.length !== 32 || bytes.toString("base64") !== digest) return refuse("this is not base64 of 32 bytes");
  if (isRepeated(bytes.toString("hex")) || isRepeated(digest.slice(0, -1))) return refuse("this is a placeholder");
  return { value: given };
}

function isElided(text: string): boolean {
  return /\.\.|…|^$|[<>]|^x+$|^todo$|^changeme$/i.test(text.replace(/^h1:/, ""));
}

/** A short pattern over and over (all zeros, abab…, 0123456789abcdef…) is typed by hand, not computed. */
function isRepeated(text: string): boolean {
  return [1, 2, 3, 4, 8, 16].some((size) => text === text.slice(0, size).repeat(text.length).slice(0, text.length));
}
