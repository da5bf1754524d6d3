import { isIP } from "node:net";
import { isFields, issuesOf, type CheckOptions } from "../check";
import { below, checkFields, hostPort, oneOf, required, type ValueCheck } from "../field-checks";
import { issue, type Issue } from "../issues";
import { parseAddress, parsePath, type AbsolutePath } from "../names";
import { isCertificates } from "../pem";

/**
 * What the host's own rsyslog, which must be enabled, does with the service's lines: into a file, to a server, or both.
 * They stay in the journal, and are left out of the host's other files, such as /var/log/syslog: rsyslog's `stop`.
 */
export interface RsyslogArgs<Value = string> {
  /**
   * A file of their own, mode 0640 and group adm. It is rotated each week, or by the daily look of logrotate.timer where it
   * has more than 100 MiB; eight older ones are kept. It stays when the service goes.
   * @default none
   */
  readonly file?: AbsolutePath;
  /**
   * A server that gets them, as RFC 5424 says.
   * @default none
   */
  readonly server?: RsyslogServerArgs<Value>;
}

/** A syslog server. */
export interface RsyslogServerArgs<Value = string> {
  /** `logs.corp.example:6514`; an IPv6 address in brackets. */
  readonly address: `${string}:${number}` | `[${string}]:${number}`;
  /**
   * `tcp`: what the server cannot take waits, on the disk where it is much, up to 256 MiB. `udp`: sent once, whether or not
   * somebody listens.
   */
  readonly protocol: "tcp" | "udp";
  /**
   * With `tcp`: encrypted, and the server's certificate is checked (RFC 5425).
   * @default not encrypted
   */
  readonly tls?: RsyslogTlsArgs<Value>;
}

/** What the server's certificate must be. */
export interface RsyslogTlsArgs<Value = string> {
  /**
   * The CA that signed it, PEM.
   * @default the public CAs that the host knows
   */
  readonly ca?: Value;
  /**
   * A name that it has; rsyslog checks names, not addresses.
   * @default the host of `address`
   */
  readonly name?: string;
}

/** {@link RsyslogArgs} with every default in place. */
export interface Rsyslog {
  readonly file: AbsolutePath | undefined;
  readonly server: RsyslogServer | undefined;
}

export interface RsyslogServer {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** `ownCa`: a CA is given, whose text is one of the service's. */
  readonly tls: { readonly name: string; readonly ownCa: boolean } | undefined;
}

/** Puts the defaults in place. The args must have passed {@link checkRsyslog}. */
export function resolveRsyslog({ file, server }: RsyslogArgs<unknown>): Rsyslog {
  return { file, server: server && resolveServer(server) };
}

function resolveServer({ address, protocol, tls }: RsyslogServerArgs<unknown>): RsyslogServer {
  const { host, port } = splitAddress(address);
  return { host, port, protocol, tls: tls && { name: tls.name ?? host, ownCa: tls.ca !== undefined } };
}

const EXAMPLE =
  '{ file: "/var/log/buildcache.log" } or { server: { address: "logs.corp.example:6514", protocol: "tcp" } }';

export function checkRsyslog(path: string, given: unknown, { isUnknown }: CheckOptions = {}): Issue[] {
  if (!isFields(given)) return [issue(path, given, EXAMPLE)];
  const each = checkFields(path, given, {
    file: checkFile,
    server: (here, server) => checkServer(here, server, { isUnknown }),
  });
  if (each.length > 0) return each;
  return given["file"] === undefined && given["server"] === undefined ? [issue(path, given, EXAMPLE)] : [];
}

/** Directories that are the system's, not for logs, or that gofleet and a service's unit make and remove. */
const NOT_FOR_LOGS =
  /^\/(boot|dev|etc|proc|run|sys|tmp|usr|var\/run|var\/tmp)(\/|$)|^\/var\/lib\/gofleet(\/|$)|^\/var\/(lib|cache|log)\/(private\/)?gofleet-/;

const checkFile: ValueCheck = (path, given) => {
  const wanted = 'a file of its own on the disk, such as "/var/log/buildcache.log"';
  const parsed = parsePath(path, given);
  if (parsed.issue) return [parsed.issue];
  // Both rsyslog and logrotate take these as they stand.
  if (!/^[A-Za-z0-9/._+@-]+$/.test(parsed.value))
    return [issue(path, given, `${wanted}, of letters, digits and ._+@-`)];
  if (NOT_FOR_LOGS.test(parsed.value))
    return [issue(path, given, `${wanted}: that place is the system's or gofleet's`)];
  return OF_THE_HOST.test(parsed.value) ? [issue(path, given, `${wanted}: the host has rules for that one`)] : [];
};

/** What rsyslog's own rules of Debian and Ubuntu write, and rotate. */
const OF_THE_HOST =
  /^\/var\/log\/(syslog|messages|debug|((auth|cron|daemon|kern|lpr|mail|user)\.log)|mail\.(info|warn|err))$/;

function checkServer(path: string, given: unknown, { isUnknown }: CheckOptions): Issue[] {
  const each = checkFields(path, given, {
    address: required(ADDRESS, checkAddress),
    protocol: required('"tcp" or "udp"', oneOf("tcp", "udp")),
    tls: (here, tls) => checkFields(here, tls, { ca: rsyslogCa, name: checkName }, isUnknown),
  });
  if (each.length > 0 || !isFields(given) || !isFields(given["tls"])) return each;
  const { protocol, tls, address } = given;
  if (protocol === "udp") return [issue(below(path, "protocol"), protocol, '"tcp", for there is tls')];
  return tls["name"] === undefined && isIP(splitAddress(String(address)).host) !== 0
    ? [issue(below(path, "tls.name"), undefined, "the name in the server's certificate: rsyslog checks no addresses")]
    : [];
}

const ADDRESS = '"host:port", such as "logs.corp.example:6514"';

const checkAddress: ValueCheck = (path, given) => {
  const issues = hostPort(path, given);
  if (issues.length > 0) return [issue(path, given, ADDRESS)];
  const { host, port } = splitAddress(String(given));
  const good = issuesOf(parseAddress(path, host)).length === 0 && port >= 1 && port <= 65_535;
  return good ? [] : [issue(path, given, `${ADDRESS}, with a port from 1 to 65535`)];
};

/** The CA of a syslog server. Also for one that becomes known later. */
export function rsyslogCa(path: string, given: unknown): Issue[] {
  return isCertificates(given) ? [] : [issue(path, undefined, "the CA certificates of the syslog server as PEM")];
}

const checkName: ValueCheck = (path, given) => {
  const wanted = 'a name in the server\'s certificate, such as "logs.corp.example"';
  const good = issuesOf(parseAddress(path, given)).length === 0 && isIP(String(given)) === 0;
  return good ? [] : [issue(path, given, wanted)];
};

/** `[::1]:6514` → `::1` and 6514. */
function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const end = address.lastIndexOf(":");
  return { host: address.slice(0, end).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(end + 1)) };
}
