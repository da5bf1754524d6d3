import { isIP } from "node:net";
import { at, isFields, unknownKeys, type CheckOptions } from "../check";
import { flag, optional } from "../field-checks";
import { issue, type Issue } from "../issues";
import { isCertificates } from "../pem";
import { CHALLENGE_PORT } from "./front-acme";
import { parseDomain, parseTierUrl } from "./front-parse";

/** Checks how a front gets its certificate by ACME. */
export function checkAcme(path: string, given: unknown, { isUnknown = () => false }: CheckOptions = {}): Issue[] {
  if (!isFields(given)) return [issue(path, undefined, "an object such as { acceptTerms: true }")];
  const { acceptTerms, directory, email, challenge, ca, keyType, keep } = given;
  return [
    ...(acceptTerms === true
      ? []
      : [issue(at(path, "acceptTerms"), acceptTerms, "true, once you have read the ACME server's terms of service")]),
    ...(directory === undefined ? [] : checkDirectory(at(path, "directory"), directory)),
    ...(email === undefined ? [] : checkEmail(at(path, "email"), email)),
    ...(challenge === undefined || challenge === "http-01"
      ? []
      : [issue(at(path, "challenge"), challenge, 'nothing or "http-01": nginx answers no other kind of challenge')]),
    ...(ca === undefined || isUnknown(ca) ? [] : checkAcmeCa(at(path, "ca"), ca)),
    ...(keyType === undefined || keyType === "ecdsa" || keyType === "rsa"
      ? []
      : [issue(at(path, "keyType"), keyType, 'nothing, "ecdsa" or "rsa"')]),
    ...optional(at(path, "keep"), keep, flag),
    ...unknownKeys(path, given, ["acceptTerms", "directory", "email", "challenge", "ca", "keyType", "keep"]),
  ];
}

/** The CA of an ACME server. Also for one that becomes known later. */
export function checkAcmeCa(path: string, given: unknown): Issue[] {
  return isCertificates(given) ? [] : [issue(path, undefined, "the ACME server's CA certificates as PEM")];
}

/**
 * A domain for which an ACME server can give a certificate: one name, not a wildcard, not an address; with a public
 * server a name that the public DNS can have.
 */
export function checkAcmeDomain(path: string, given: unknown, acme: unknown): Issue[] {
  if (typeof given === "string" && given.startsWith("*.")) {
    return [issue(path, given, "one name: http-01 proves no wildcard, and a mirror needs none")];
  }
  const parsed = parseDomain(path, given);
  if (parsed.issue) return [parsed.issue];
  if (isIP(parsed.value) !== 0) return [issue(path, given, "a name, not an address: it goes into the certificate")];
  const own = isFields(acme) && acme.directory !== undefined;
  return own || isPublic(parsed.value)
    ? []
    : [
        issue(
          path,
          given,
          "a name of the public DNS; for another one, tls.acme.directory of an ACME server of your own",
        ),
      ];
}

/** The front's own port and the one that ACME servers ask. */
export function checkAcmePort(path: string, given: unknown): Issue[] {
  return given === CHALLENGE_PORT
    ? [issue(path, given, `another port: ACME's challenges are answered on port ${CHALLENGE_PORT} (tls.acme)`)]
    : [];
}

/**
 * Top-level names that the public DNS does not have: special use (RFC 6761, 6762, 7686 and 8375's `home.arpa`), and what
 * ICANN has set aside for private networks.
 */
const PRIVATE =
  /\.(alt|corp|example|home|home\.arpa|internal|intranet|invalid|lan|local|localhost|mail|onion|private|test)$/;

function isPublic(domain: string): boolean {
  return domain.includes(".") && !domain.includes("_") && !PRIVATE.test(domain);
}

function checkDirectory(path: string, given: unknown): Issue[] {
  const wanted = 'the https URL of an ACME directory, such as "https://ca.corp.example/acme/acme/directory"';
  // A tier's URL has the same limits: no credentials, no query, a plain path.
  const url = parseTierUrl(path, given);
  if (url.issue) return [{ ...url.issue, wanted }];
  return url.value.scheme === "https" ? [] : [issue(path, given, wanted)];
}

function checkEmail(path: string, given: unknown): Issue[] {
  const ok = typeof given === "string" && /^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(given);
  return ok ? [] : [issue(path, given, 'one address such as "fleet@corp.example"')];
}
