import { sortedByKey } from "../model/records";
import type { AgentEvent } from "./agent-output";
import { factsLine, text } from "./agent-output";
import type { Connect } from "./connect";
import { hostError } from "./errors";
import type { HostQueue } from "./host-queue";
import { HostComponent } from "./host-component";
import { inParallel } from "./in-parallel";
import type { Progress } from "./progress";
import { formatActual, parseActual, type ReleaseInputs, type ReleaseState } from "./release";
import { UnreachableError } from "./transport";

/** What a refresh found. */
export interface ReadResult {
  /** Undefined: no host has the component any more. */
  readonly state: ReleaseState | undefined;
  readonly inputs: ReleaseInputs | undefined;
}

/** Reads every host: which release it has, and what of it was changed by hand. */
export async function readRelease(
  state: ReleaseState,
  { connect, progress, queue }: { connect: Connect; progress: Progress; queue: HostQueue },
): Promise<ReadResult> {
  const actual: Record<string, string> = {};
  const drift: Record<string, Record<string, string>> = {};
  const hosts = Object.keys(state.hosts);
  const outcomes = await inParallel(hosts, state.rollout.parallel, (host) =>
    queue.run(state.hosts[host] ?? host, async () => {
      const before = parseActual(state.actual[host]);
      if (before === undefined) return;
      const there = new HostComponent(host, { inputs: state, instance: state.instance, connect, progress });
      const answer = await there.read(before);
      const { result, events } = answer;
      if (result.status === "absent") return;
      if (result.rc !== 0) throw hostError(host, state.hosts[host] ?? host, result, events);
      const facts = events.find(({ ev }) => ev === "facts");
      const found = events.find(({ ev }) => ev === "state");
      actual[host] = formatActual({
        release: text(found, "release") || result.current,
        machine: text(facts, "machine") || before.machine,
        facts: facts === undefined ? before.facts : factsLine(facts),
      });
      const changed = driftOf(events, before.release, text(found, "release") || result.current);
      if (Object.keys(changed).length > 0) drift[host] = changed;
    }),
  );
  for (const [host, outcome] of outcomes) {
    if (outcome.ok) continue;
    const unreachable = outcome.error instanceof UnreachableError;
    if (!unreachable || state.policy.unreachable === "fail") throw outcome.error;
    progress.warn(`${outcome.error.message}; not read`);
    const last = state.actual[host];
    if (last !== undefined) actual[host] = last;
  }
  if (Object.keys(actual).length === 0) return { state: undefined, inputs: undefined };
  const { instance: _i, key: _k, actual: _a, readings: _r, drift: _d, unfinished: _u, ...inputs } = state;
  const found = Object.keys(drift).length === 0 ? {} : { drift: sortedByKey(drift) };
  return {
    state: { ...inputs, ...found, ...ownOf(state), actual: sortedByKey(actual) },
    inputs: { ...inputs, ...found },
  };
}

type Own = Pick<ReleaseState, "instance" | "key" | "readings" | "unfinished">;

function ownOf({ instance, key, readings, unfinished }: ReleaseState): Own {
  return { instance, key, readings, ...(unfinished === undefined ? {} : { unfinished }) };
}

/** `path → what` of one host. */
function driftOf(events: readonly AgentEvent[], expected: string, current: string): Record<string, string> {
  const changes = events.flatMap((event): [string, string][] => {
    switch (event.ev) {
      case "drift": {
        const detail = text(event, "msg");
        return [[text(event, "path"), `${text(event, "kind")}${detail === "" ? "" : `: ${detail}`}`]];
      }
      case "unit":
        return ["active", "activating", "reloading"].includes(text(event, "active"))
          ? []
          : [[text(event, "unit"), `unit is ${text(event, "active")}`]];
      default:
        return [];
    }
  });
  if (current !== expected) changes.push(["release", `${current || "none"} instead of ${expected}`]);
  return sortedByKey(Object.fromEntries(changes));
}
