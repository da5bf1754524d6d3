import { isFields, type CheckOptions } from "../check";
import { below, checkFields, flag, matching, parsed, required, whole } from "../field-checks";
import { issue, type Issue } from "../issues";
import { parseDuration, type Duration } from "../units";
import { checkRsyslog, resolveRsyslog, type Rsyslog, type RsyslogArgs } from "./rsyslog";

/** Where the service's output goes: the journal, always. See systemd.exec(5). */
export interface JournalArgs<Value = string> {
  /**
   * What entries are found by (`journalctl -t`).
   * @default the program's name
   */
  readonly identifier?: string;
  /**
   * A journal of its own, with its own limits; `journalctl --namespace=gofleet-<directory>` reads it, syslog daemons do not.
   * @default false
   */
  readonly namespace?: boolean;
  /**
   * Messages beyond which journald drops what comes within a span.
   * @default journald's own setting
   */
  readonly rate?: { readonly messages: number; readonly per: Duration };
  /**
   * A rule of the host's rsyslog for the service's lines, by its `identifier`. Not with a `namespace`.
   * @default none: what the host's own rules do with every line
   */
  readonly rsyslog?: RsyslogArgs<Value>;
}

export interface Journal {
  readonly identifier: string;
  readonly namespace: boolean;
  /** Seconds. */
  readonly rate: { readonly messages: number; readonly per: number } | undefined;
  readonly rsyslog: Rsyslog | undefined;
}

export function resolveJournal(args: JournalArgs<unknown> = {}, program: string): Journal {
  const { identifier = program.replace(/^.*\//, ""), namespace = false, rate, rsyslog } = args;
  return {
    identifier,
    namespace,
    rate: rate && { messages: rate.messages, per: parseDuration("", rate.per).value ?? NaN },
    rsyslog: rsyslog && resolveRsyslog(rsyslog),
  };
}

export function checkJournal(path: string, given: unknown, options: CheckOptions = {}): Issue[] {
  const each = checkFields(path, given, {
    identifier: matching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, "a name of letters, digits, '_', '.' and '-'"),
    namespace: flag,
    rate: (here, rate) =>
      checkFields(here, rate, {
        messages: required("a number of messages", whole(1, 10_000_000)),
        per: required('a span such as "30 s"', parsed(parseDuration)),
      }),
    rsyslog: (here, rsyslog) => checkRsyslog(here, rsyslog, options),
  });
  if (each.length > 0 || !isFields(given) || given["namespace"] !== true || given["rsyslog"] === undefined) return each;
  return [issue(below(path, "namespace"), true, "false, for there is rsyslog: it reads the host's own journal alone")];
}
