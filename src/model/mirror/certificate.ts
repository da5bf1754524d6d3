import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { at } from "../check";
import { issue, type Issue } from "../issues";
import { signatureHash } from "./certificate-signature";

/** A server's certificate and what it must be good for. */
export interface ServerCertificate {
  /** PEM blocks, leaf first, without the root. */
  readonly certificate: string;
  /** PEM; undefined where it is not known yet. Never part of an issue. */
  readonly key?: string;
  /** The name or address that clients connect to. */
  readonly domain: string;
  /** PEM of the CA that clients are told of; without it they have the public ones, which never sign a server directly. */
  readonly ca?: string;
  /** Undefined: dates are not looked at. */
  readonly now?: Date;
}

/**
 * Everything wrong with a server's certificate, before a client sees it. The go command fetches no missing
 * intermediates, looks at no common name and checks no revocation, so the chain must be complete as it is.
 *
 * @param path of the object that has `certificate` and `key`
 */
export function checkCertificate(path: string, server: ServerCertificate): Issue[] {
  const here = at(path, "certificate");
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(server.certificate)) {
    return [issue(here, undefined, "the chain without a key: every user of the host can read it")];
  }
  const parsed = parseChain(here, server.certificate);
  const [leaf] = parsed.chain;
  if (parsed.issues.length > 0 || leaf === undefined) return [...parsed.issues];
  const { chain } = parsed;
  return [
    ...checkLeaf(here, leaf, chain, server.domain),
    ...chain.flatMap((each, index) => checkDates(here, each, index, server.now)),
    ...chain.flatMap((each, index) => checkStrength(here, each, index)),
    ...checkOrder(here, chain),
    ...checkEnd(here, chain, server.ca === undefined ? undefined : parseChain(at(path, "ca"), server.ca)),
    ...(server.key === undefined ? [] : checkKey(at(path, "key"), server.key, leaf)),
  ];
}

interface Chain {
  readonly chain: readonly X509Certificate[];
  readonly issues: readonly Issue[];
}

function parseChain(path: string, pem: string): Chain {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const wanted = "PEM certificates: -----BEGIN CERTIFICATE----- …, the server's own first";
  if (blocks.length === 0) return { chain: [], issues: [issue(path, undefined, wanted)] };
  const chain: X509Certificate[] = [];
  const issues: Issue[] = [];
  blocks.forEach((block, index) => {
    try {
      chain.push(new X509Certificate(block));
    } catch {
      issues.push(issue(path, nth(index), `${wanted}; this one cannot be read`));
    }
  });
  return { chain, issues };
}

function checkLeaf(path: string, leaf: X509Certificate, chain: readonly X509Certificate[], domain: string): Issue[] {
  if (leaf.ca) {
    const has = chain.some(({ ca }) => !ca);
    const wanted = has
      ? "the server's own certificate first, then its intermediates"
      : "the server's own certificate: the first one is a CA's";
    return [issue(path, name(leaf), wanted)];
  }
  const matches = isIP(domain) === 0 ? leaf.checkHost(domain, { subject: "never" }) : leaf.checkIP(domain);
  const names = leaf.subjectAltName ?? "no subject alternative name (a common name counts for nothing)";
  const usage: readonly string[] = leaf.keyUsage ?? [];
  return [
    ...(matches === undefined ? [issue(path, names, `a certificate for ${domain}`)] : []),
    ...(usage.length > 0 && !usage.includes(SERVER_AUTH)
      ? [issue(path, name(leaf), "a certificate for servers (extended key usage serverAuth)")]
      : []),
  ];
}

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

function checkDates(path: string, each: X509Certificate, index: number, now: Date | undefined): Issue[] {
  if (now === undefined) return [];
  const [from, to] = [new Date(each.validFrom), new Date(each.validTo)];
  const which = `${nth(index)}, ${name(each)}`;
  if (now < from) return [issue(path, which, `a certificate that is valid now; this one begins ${day(from)}`)];
  return now > to ? [issue(path, which, `a certificate that is valid now; this one ended ${day(to)}`)] : [];
}

function checkStrength(path: string, each: X509Certificate, index: number): Issue[] {
  const which = `${nth(index)}, ${name(each)}`;
  const weakKey = keyWeakness(each.publicKey);
  // Nobody checks how a root is signed: it is trusted by its key.
  const hash = selfSigned(each) ? undefined : signatureHash(each.raw);
  return [
    ...(weakKey === undefined
      ? []
      : [issue(path, `${which}: ${weakKey}`, "ECDSA P-256 or P-384, Ed25519, or RSA of at least 2048 bits")]),
    ...(hash === "md5" || hash === "sha1"
      ? [issue(path, `${which}: signed with ${hash}`, "a signature with SHA-256 or better")]
      : []),
  ];
}

function keyWeakness({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | undefined {
  if (type === "ed25519") return undefined;
  if (type === "rsa" || type === "rsa-pss") {
    const bits = details?.modulusLength ?? 0;
    return bits < 2048 ? `RSA of ${bits} bits` : undefined;
  }
  const curves = ["prime256v1", "secp384r1", "secp521r1"];
  if (type === "ec") return curves.includes(details?.namedCurve ?? "") ? undefined : `ECDSA on ${details?.namedCurve}`;
  return `a key of type ${type}`;
}

function checkOrder(path: string, chain: readonly X509Certificate[]): Issue[] {
  return chain.slice(1).flatMap((next, index) => {
    const before = chain[index];
    if (before === undefined || signedBy(before, next)) return [];
    const elsewhere = chain.some((each) => each !== before && signedBy(before, each));
    const wanted = elsewhere
      ? "each certificate directly followed by the one that signed it"
      : `after it the certificate of ${oneLine(before.issuer)}, which signed it`;
    return [issue(path, `${nth(index)}, ${name(before)}`, wanted)];
  });
}

/** The last certificate must be signed by something that clients have, and must not be that itself. */
function checkEnd(path: string, chain: readonly X509Certificate[], ca: Chain | undefined): Issue[] {
  const last = chain.at(-1);
  if (last === undefined) return [];
  if (ca !== undefined && ca.issues.length > 0) return [...ca.issues];
  if (selfSigned(last)) {
    const alone = chain.length === 1;
    return last.ca && alone // said already: a CA where the server's certificate should be
      ? []
      : [
          issue(
            path,
            name(last),
            alone
              ? "a certificate that a CA has signed"
              : "the chain without its root: clients have it, or do not trust it",
          ),
        ];
  }
  if (ca !== undefined) {
    const known = ca.chain.some((root) => signedBy(last, root));
    return known
      ? []
      : [issue(path, name(last), `the rest of the chain: ${oneLine(last.issuer)} signed this, and it is not in ca`)];
  }
  const wanted = `the intermediate certificates after it (${oneLine(last.issuer)} first); or name the CA in ca, if it signs servers directly`;
  return chain.length > 1 ? [] : [issue(path, name(last), wanted)];
}

function checkKey(path: string, pem: string, leaf: X509Certificate): Issue[] {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    return [issue(path, undefined, "a private key as PEM without a passphrase (what was given is not shown)")];
  }
  const wanted = `the key of the certificate of ${name(leaf)} (what was given is the key of another one)`;
  return leaf.checkPrivateKey(key) ? [] : [issue(path, undefined, wanted)];
}

function signedBy(each: X509Certificate, by: X509Certificate): boolean {
  return each.checkIssued(by) && each.verify(by.publicKey);
}

/** Not by `checkIssued`: a server's certificate may not sign, and some sign themselves all the same. */
function selfSigned(each: X509Certificate): boolean {
  return each.subject === each.issuer && each.verify(each.publicKey);
}

function name(each: X509Certificate): string {
  return oneLine(each.subject || each.subjectAltName || "a certificate without a subject");
}

function oneLine(text: string): string {
  return text.replaceAll("\n", ", ");
}

function nth(index: number): string {
  return `certificate ${index + 1}`;
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
