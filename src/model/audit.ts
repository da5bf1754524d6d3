import { isFields, type CheckOptions } from "./check";
import { checkFields, flag, oneOf, parsed, url, type ValueCheck } from "./field-checks";
import { issue, type Issue } from "./issues";
import { parsePath, type AbsolutePath } from "./names";

const FACILITIES = [
  "auth",
  "authpriv",
  "daemon",
  "local0",
  "local1",
  "local2",
  "local3",
  "local4",
  "local5",
  "local6",
  "local7",
  "user",
] as const;

/**
 * Where a host keeps who changed what: one event for each apply, rollback, confirmation, decision of its own and removal.
 * A sink that does not answer never fails the operation.
 */
export interface AuditArgs {
  /**
   * In a journal of its own: `journalctl --namespace=gofleet`. Only where systemd runs.
   * @default true
   */
  readonly journal?: boolean;
  /**
   * Also a line of JSON each in this file, mode 0640, rotated where logrotate is. It stays when the last component goes.
   * @default none
   */
  readonly file?: AbsolutePath;
  /**
   * Also as a POST of JSON to this address, within 3 seconds, by the host's curl. Without credentials: give it to a
   * collector on the host that has them.
   * @default none
   */
  readonly url?: string;
  /**
   * Also to syslog under this facility, for a rule of rsyslog's.
   * @default none
   */
  readonly syslog?: (typeof FACILITIES)[number];
  /**
   * Destroying a component, taking it off a host that left its pool, and `gofleet rollback` are refused without a reason,
   * which then stands in the event: `--reason`, or `GOFLEET_REASON` in the environment of the run.
   * @default false
   */
  readonly reasons?: boolean;
}

/** The sinks as one line of words, as a request carries them; `off` for none. The args must have passed {@link checkAudit}. */
export function auditWords({ journal = true, file, url: address, syslog }: AuditArgs = {}): string {
  const words = [
    ...(journal ? ["journal"] : []),
    ...(file === undefined ? [] : [`file:${file}`]),
    ...(address === undefined ? [] : [`url:${address}`]),
    ...(syslog === undefined ? [] : [`syslog:${syslog}`]),
  ];
  return words.length === 0 ? "off" : words.join(" ");
}

export function checkAudit(path: string, given: unknown, { isUnknown }: CheckOptions = {}): Issue[] {
  if (!isFields(given)) return [issue(path, given, '{ journal: true, file: "/var/log/gofleet/audit.log" }')];
  const wanted = "an http or https address without white space, quotes, *, ? and [";
  const plain: ValueCheck = (here, value) =>
    typeof value === "string" && /[\s*?[\]"'\\]/.test(value) ? [issue(here, value, wanted)] : url(wanted)(here, value);
  return checkFields(
    path,
    given,
    { journal: flag, reasons: flag, file: parsed(parsePath), url: plain, syslog: oneOf(...FACILITIES) },
    isUnknown,
  );
}
