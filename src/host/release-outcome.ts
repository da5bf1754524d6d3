import type { HostState } from "./host-component";
import { wantedRelease } from "./prepared-release";
import { formatActual, parseActual, type Actual, type ReleaseInputs, type ReleaseState } from "./release";
import { sortedByKey } from "../model/records";
import { evidenceLine, HostError, indent, MovedError } from "./errors";
import type { RolloutResult } from "./rollout";
import { UnreachableError } from "./transport";

/** What the state says a host has whose connection was lost for good in the middle. */
export const UNKNOWN = "unknown";

/** Nothing moved: the engine keeps the old state and shows the message under the resource. */
export function plainFailure(headline: string, errors: readonly Error[]): Error {
  return new Error([headline, ...errors.map(({ message }) => message)].filter((line) => line !== "").join("\n"));
}

/** An error the engine saves a state with: what each host has now. Its reasons are what a person sees. */
export class PartialFailure extends Error {
  readonly id: string;

  constructor(
    readonly properties: ReleaseState,
    readonly reasons: string[],
  ) {
    super(reasons.join("\n"));
    this.id = properties.component;
  }
}

export function partialFailure(state: ReleaseState, reasons: readonly string[]): PartialFailure {
  // The SDK refuses an `undefined` anywhere in what it is handed.
  return new PartialFailure(JSON.parse(JSON.stringify(state)) as ReleaseState, [...reasons]);
}

type Result = RolloutResult<HostState>;

/** Whether every host has the release and nothing speaks against it. */
export function isComplete({ failed, untouched, stopped, interrupted }: Result): boolean {
  return failed.size === 0 && untouched.length === 0 && stopped === undefined && !interrupted;
}

/**
 * What a host goes back to. One that took the release in an earlier rollout, which did not come to its end, and one of which
 * nobody knew what it had, go back to the release of the state.
 */
export function beforeRollout(olds: ReleaseState, host: string, release: string): Actual | undefined {
  const before = parseActual(olds.actual[host]);
  if (before === undefined || (before.release !== release && before.release !== UNKNOWN)) return before;
  return { ...before, release: wantedRelease(olds, olds.key).id };
}

/** The state after a rollout in which no host failed. */
export function stateAfter(olds: ReleaseState, news: ReleaseInputs, { done }: Result): ReleaseState {
  const { drift: _, ...inputs } = news;
  const actual = pick(olds.actual, Object.keys(news.hosts));
  let { readings } = olds;
  // The first host by key speaks for all: probes fail where a host differs.
  for (const [host, state] of [...done].sort(([a], [b]) => (a < b ? 1 : -1))) {
    if (state === undefined) continue;
    actual[host] = formatActual(state.actual);
    readings = state.readings;
  }
  return {
    ...inputs,
    instance: olds.instance,
    key: olds.key,
    actual: sortedByKey(actual),
    readings: sortedByKey(readings),
  };
}

/**
 * Every host back on what it had: a plain error, the state stays old. Some elsewhere: an error that carries what each
 * host has now, so that the next preview shows the same change again.
 */
export function failureAfter(olds: ReleaseState, news: ReleaseInputs, release: string, result: Result): Error {
  const moved = whatMoved(olds, release, result);
  const reasons = byHost(result.failed).map(([, { message }]) => message);
  if (result.stopped !== undefined) reasons.unshift(result.stopped.message);
  for (const [host, back] of byHost(result.rolledBack)) {
    if (!back.ok) reasons.push(`${host}: not put back: ${back.error.message}`);
    else reasons.push(`${host}: put back${back.value ? `\n${indent(evidenceLine(back.value))}` : ""}`);
  }
  const staying = byHost(result.done).filter(([, state]) => state !== undefined);
  if (staying.length > 0) {
    const because = news.plan.irreversible === true ? ", for it is declared irreversible" : "";
    reasons.push(`on ${release}, left there${because}: ${staying.map(([host]) => host).join(", ")}`);
  }
  if (result.untouched.length > 0) reasons.push(`not reached: ${result.untouched.join(", ")}`);
  if (result.interrupted) reasons.unshift(interruption(result));
  if (Object.keys(moved).length === 0)
    return plainFailure(
      "",
      reasons.map((reason) => new Error(reason)),
    );
  const actual = sortedByKey({ ...olds.actual, ...moved });
  const passwords = { ...olds.passwords, ...pick(news.passwords ?? {}, Object.keys(actual)) };
  return partialFailure(
    {
      ...olds,
      hosts: sortedByKey({ ...olds.hosts, ...pick(news.hosts, Object.keys(actual)) }),
      ...(Object.keys(passwords).length === 0 ? {} : { passwords: sortedByKey(passwords) }),
      actual,
      unfinished: Object.values(actual).some((line) => parseActual(line)?.release === release) ? release : undefined,
    },
    reasons,
  );
}

function interruption({ untouched }: Result): string {
  return untouched.length > 0
    ? "interrupted: the wave in progress was settled, no other was begun"
    : "interrupted: every host has the release, which was not judged to the end";
}

/** Hosts that are not where the state says they are. */
function whatMoved(olds: ReleaseState, release: string, { done, failed, rolledBack }: Result): Record<string, string> {
  const moved: Record<string, string> = {};
  const now = (host: string, found: string): void => {
    const before = parseActual(olds.actual[host]);
    if (found === (before?.release ?? "")) return;
    moved[host] = formatActual({ release: found, machine: before?.machine ?? "", facts: before?.facts ?? "" });
  };
  for (const [host, state] of done) if (state !== undefined) moved[host] = formatActual(state.actual);
  for (const [host, back] of rolledBack) {
    now(host, back.ok ? (beforeRollout(olds, host, release)?.release ?? "") : (whereLeft(back.error) ?? release));
  }
  for (const [host, error] of failed) {
    const left = whereLeft(error);
    if (left !== undefined) now(host, left);
  }
  return moved;
}

/** Where a failed host is if not on its old release; `unknown` where the connection was lost for good. */
function whereLeft(error: Error): string | undefined {
  if (error instanceof UnreachableError) return error.started ? UNKNOWN : undefined;
  if (error instanceof MovedError) return error.release;
  return error instanceof HostError && error.away ? error.result.current || UNKNOWN : undefined;
}

function pick(map: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.flatMap((key) => (map[key] === undefined ? [] : [[key, map[key]]])));
}

function byHost<V>(map: ReadonlyMap<string, V>): [string, V][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
