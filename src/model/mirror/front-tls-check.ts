import { at, isFields, issuesOf, unknownKeys, type CheckOptions, type Fields } from "../check";
import { issue, type Issue } from "../issues";
import { parsePath } from "../names";
import { checkCertificate } from "./certificate";
import { checkAcme } from "./front-acme-check";
import { parseDomain } from "./front-parse";

/** Where a front's certificate can come from. */
export const TLS =
  "{ certificate, key } as PEM, or { certificateFile, keyFile } on the host, or { acme: { acceptTerms: true } }";

/** Options of {@link checkTls}. */
export interface TlsCheckOptions extends CheckOptions {
  /** When certificates must be valid; without it their dates are not looked at. */
  readonly now?: Date;
}

/** Checks a front's certificate, or where it is to come from: exactly one of three. */
export function checkTls(path: string, given: unknown, domain: unknown, options: TlsCheckOptions): Issue[] {
  if (!isFields(given)) return [issue(path, typeof given === "string" ? undefined : given, TLS)];
  const has = (...keys: readonly string[]) => keys.some((key) => given[key] !== undefined);
  const [texts, files] = [has("certificate", "key"), has("certificateFile", "keyFile")];
  if (has("acme")) {
    const keys = Object.keys(given).filter((key) => has(key));
    return texts || files ? [issue(path, keys, `only one of ${TLS}`)] : checkAcmeAlone(path, given, options);
  }
  if (files === texts) return [issue(path, undefined, TLS)];
  return files ? checkFiles(path, given) : checkTexts(path, given, domain, options);
}

function checkAcmeAlone(path: string, { acme, ca, ...rest }: Fields, options: CheckOptions): Issue[] {
  return [
    ...checkAcme(at(path, "acme"), acme, options),
    ...(ca === undefined
      ? []
      : [issue(at(path, "ca"), "(not shown)", "ca inside acme, where the mirror's clients trust it too")]),
    ...unknownKeys(path, withoutSecrets(rest), ["acme"]),
  ];
}

function checkFiles(path: string, given: Fields): Issue[] {
  return [
    ...issuesOf(parsePath(at(path, "certificateFile"), given.certificateFile)),
    ...issuesOf(parsePath(at(path, "keyFile"), given.keyFile)),
    ...unknownKeys(path, withoutSecrets(given), ["certificateFile", "keyFile", "ca"]),
  ];
}

function checkTexts(path: string, given: Fields, domain: unknown, options: TlsCheckOptions): Issue[] {
  const { isUnknown = () => false, now } = options;
  const issues = unknownKeys(path, withoutSecrets(given), ["certificate", "key", "ca"]);
  const known = (value: unknown) => (typeof value === "string" && !isUnknown(value) ? value : undefined);
  const notText = ["certificate", "key"].filter((name) => !isUnknown(given[name]) && typeof given[name] !== "string");
  if (notText.length > 0) return notText.map((name) => issue(at(path, name), undefined, "PEM text")).concat(issues);
  const chain = known(given.certificate);
  if (chain === undefined || typeof domain !== "string" || parseDomain("", domain).issue) return issues;
  const server = { certificate: chain, key: known(given.key), ca: known(given.ca), domain, now };
  return [...checkCertificate(path, server), ...issues];
}

/** What `unknownKeys` may show: names, and nothing that could be a key which was put under the wrong name. */
export function withoutSecrets(given: Fields): Fields {
  return Object.fromEntries(Object.keys(given).map((key) => [key, "(not shown)"]));
}
