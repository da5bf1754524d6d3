import type { AgentEvent, AgentResult } from "./agent-output";
import { text } from "./agent-output";

/** Exit code of the agent for a release that failed and stays, for it is declared irreversible. */
export const STAYS = 24;

/** A host said no, or failed and is where {@link HostError.result} says. The message needs no further context. */
export class HostError extends Error {
  override readonly name = "HostError";

  constructor(
    message: string,
    readonly result: AgentResult,
    /** All that the host said before. */
    readonly events: readonly AgentEvent[] = [],
  ) {
    super(message);
  }

  /** True when the host did not come back to the old release: it could not, or the new one is irreversible. */
  get away(): boolean {
    return [22, STAYS].includes(this.result.rc);
  }
}

/** A host no longer has the release that it took in this rollout. */
export class MovedError extends Error {
  override readonly name = "MovedError";

  /** @param release what it has now; empty where that is nothing */
  constructor(
    message: string,
    readonly release: string,
  ) {
    super(message);
  }
}

const REMEDY: Readonly<Record<number, string>> = {
  12: "free space or make the file system writable, then run `pulumi up` again",
  16: "another operation is running on the host; run `pulumi up` again when it has ended",
  17: "run `pulumi up --refresh` to see what the host has now and to decide again",
  18: 'give the component another path or directory, or set `adopt: "displace"` (`"take"` for a component of another stack)',
  19: 'correct the address, or set `onNewMachine: "install"` on the target if the machine was replaced',
  22: "the host needs a hand: the evidence below is on it, under /var/lib/gofleet",
  [STAYS]:
    "`rollback: { revert: false }` keeps it there; correct it and run `pulumi up`, which goes on from this release",
  23: "correct what the check names; all it printed is on the host, under /var/lib/gofleet/<component>/runs",
};

/** Only some refusals of a pre-flight give way to that setting; the others say themselves what would do. */
const UNSUPPORTED = /^(?!architecture ).* is not supported; wanted: |^SELinux is enforcing/;

/** The error for a host's final word, with what the host printed last where that explains it. */
export function hostError(host: string, place: string, result: AgentResult, events: readonly AgentEvent[]): HostError {
  const lines = [`${host} (${place}): ${outcome(result)}: ${result.msg || result.status}`];
  // A release that is taken back, and the one before, which fails as well, have one each.
  const summary = [...events].reverse().find(({ ev }) => ev === "summary");
  if (summary !== undefined) lines.push(indent(text(summary, "msg")));
  for (const event of summary === undefined ? events : []) {
    if (event.ev === "evidence") lines.push(indent(text(event, "msg")));
    if (event.ev === "probe" && event["ok"] !== true) {
      lines.push(indent(`probe ${text(event, "name")}: ${text(event, "out") || "no output"}`));
    }
  }
  const decision = [...events].reverse().find(({ ev, from }) => ev === "decision" && from === result.to);
  if (summary === undefined && text(decision, "evidence") !== "") {
    lines.push(indent(evidenceLine(text(decision, "evidence"))));
  }
  if (lines.length === 1) lines.push(...lastOutput(events).map(indent));
  const remedy = UNSUPPORTED.test(result.msg)
    ? 'set `unsupported: "allow"` on the target only if you know the host will do'
    : REMEDY[result.rc];
  if (remedy !== undefined) lines.push(indent(`→ ${remedy}`));
  return new HostError(lines.join("\n"), result, events);
}

function outcome({ rc, from, to }: AgentResult): string {
  switch (rc) {
    case 20:
      return `release ${to} failed, back on ${from}`;
    case 21:
      return `release ${to} failed, taken off again`;
    case 22:
      return `release ${to} failed and going back to ${from || "nothing"} failed too`;
    case STAYS:
      return `release ${to} failed and stays, nothing was taken back`;
    default:
      return "refused, nothing changed";
  }
}

const TAIL = 5;

function lastOutput(events: readonly AgentEvent[]): string[] {
  return events
    .filter((event) => event.ev === "out")
    .slice(-TAIL)
    .map((event) => text(event, "msg"));
}

/** As in the summary. */
export const evidenceLine = (path: string): string => `evidence  ${path}`;

export const indent = (block: string): string => block.replace(/^/gm, "  ");
