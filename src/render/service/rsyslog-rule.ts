import type { AbsolutePath } from "../../model/names";
import type { Rsyslog, RsyslogServer } from "../../model/service/rsyslog";
import { MARKER } from "../marker";

/** A rule for the lines of one service. */
export interface RsyslogRule {
  /** Names its actions and the files of its queue. */
  readonly component: string;
  /** What its lines are found by. */
  readonly identifier: string;
  readonly rsyslog: Rsyslog;
  /** The CA certificates that a server's certificate must lead to; with TLS. */
  readonly ca: AbsolutePath;
}

/** In the order in which they are written. */
type Parameters = Readonly<Record<string, string | number>>;

/**
 * The rule as RainerScript. `stop` is its end: no rule after it gets these lines, so that they are not in /var/log/syslog
 * as well.
 *
 * @see https://www.rsyslog.com/doc/rainerscript/index.html
 */
export function rsyslogRule({ component, identifier, rsyslog, ca }: RsyslogRule): string {
  const { file, server } = rsyslog;
  const name = `gofleet-${component}`;
  const actions = [
    ...(file === undefined ? [] : [action({ name: `${name}-file`, ...toFile(file) })]),
    ...(server === undefined ? [] : [action({ name: `${name}-server`, ...toServer(server, name, ca) })]),
  ];
  return `${MARKER}\n${ruleCondition(identifier)} {\n${actions.join("")}  stop\n}\n`;
}

/** The beginning of the rule, which says whose lines it takes. */
export function ruleCondition(identifier: string): string {
  return `if $programname == ${quoted(identifier)} then`;
}

/** Its owner is whoever rsyslog runs as: root, or `syslog` on Ubuntu, which could not give it away. */
function toFile(file: AbsolutePath): Parameters {
  return { type: "omfile", file, template: "RSYSLOG_FileFormat", fileCreateMode: "0640", fileGroup: "adm" };
}

function toServer({ host, port, protocol, tls }: RsyslogServer, name: string, ca: AbsolutePath): Parameters {
  return {
    type: "omfwd",
    target: host,
    port,
    protocol,
    template: "RSYSLOG_SyslogProtocol23Format",
    // RFC 6587 and RFC 5425: a line's length before it, so that nothing in it can end it.
    ...(protocol === "tcp" && { TCP_Framing: "octet-counted" }),
    ...(tls && encrypted(tls.name, ca)),
    ...QUEUE,
    ...(protocol === "tcp" && patient(name)),
  };
}

function encrypted(peer: string, ca: AbsolutePath): Parameters {
  return {
    StreamDriver: "gtls",
    StreamDriverMode: 1,
    StreamDriverAuthMode: "x509/name",
    StreamDriverPermittedPeers: peer,
    "StreamDriver.CAFile": ca,
    "StreamDriver.PermitExpiredCerts": "off",
    "StreamDriver.CheckExtendedKeyPurpose": "on",
    "StreamDriver.PrioritizeSAN": "on",
  };
}

/** A queue of its own, which never makes the host's other lines wait: what does not fit is dropped at once. */
const QUEUE: Parameters = { "queue.type": "LinkedList", "queue.size": 10_000, "queue.timeoutEnqueue": 0 };

/**
 * Until the server takes it. TCP's syslog confirms nothing, so the line before a connection broke is sent again: one that
 * comes twice is better than one that never comes.
 */
function patient(name: string): Parameters {
  return {
    "queue.filename": name,
    "queue.maxDiskSpace": "256m",
    "queue.saveOnShutdown": "on",
    "action.resumeRetryCount": -1,
    "action.resumeInterval": 10,
    ResendLastMSGOnReconnect: "on",
  };
}

function action(parameters: Parameters): string {
  const lines = Object.entries(parameters).map(([name, value]) => `    ${name}=${quoted(String(value))}\n`);
  return `  action(\n${lines.join("")}  )\n`;
}

function quoted(text: string): string {
  if (/[^\x20-\x7e]/.test(text)) throw new Error(`${JSON.stringify(text)} cannot be in a rule of rsyslog`);
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}
