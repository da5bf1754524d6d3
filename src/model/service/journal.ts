import { checkFields, flag, matching, parsed, required, whole, type ValueCheck } from "../field-checks";
import { parseDuration, type Duration } from "../units";

/** Where the service's output goes: the journal, always. See systemd.exec(5). */
export interface JournalArgs {
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
}

export interface Journal {
  readonly identifier: string;
  readonly namespace: boolean;
  /** Seconds. */
  readonly rate: { readonly messages: number; readonly per: number } | undefined;
}

export function resolveJournal(args: JournalArgs = {}, program: string): Journal {
  const { identifier = program.replace(/^.*\//, ""), namespace = false, rate } = args;
  return {
    identifier,
    namespace,
    rate: rate && { messages: rate.messages, per: parseDuration("", rate.per).value ?? NaN },
  };
}

export const checkJournal: ValueCheck = (path, given) =>
  checkFields(path, given, {
    identifier: matching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, "a name of letters, digits, '_', '.' and '-'"),
    namespace: flag,
    rate: (here, rate) =>
      checkFields(here, rate, {
        messages: required("a number of messages", whole(1, 10_000_000)),
        per: required('a span such as "30 s"', parsed(parseDuration)),
      }),
  });
