import { at, isFields, type CheckOptions } from "../check";
import { issue, type Issue } from "../issues";
import { checkFields, oneOf, parsed, type ValueCheck } from "../field-checks";
import type { AbsolutePath } from "../names";
import { parseDuration, parsePercent, type Duration, type Percent } from "../units";
import { checkCommand } from "./agents/exec";

/** How full a file system may be, in bytes and, separately, in inodes. */
export interface WatermarkArgs {
  /**
   * Share below which a pause ends and reclaiming stops.
   * @default "80 %"
   */
  readonly low?: Percent;
  /**
   * Share at which no new job begins and an alert fires. Jobs that run go on.
   * @default "85 %"
   */
  readonly pause?: Percent;
  /**
   * Share at which caches are emptied, the cheapest to fill again first, between jobs.
   * @default "95 %"
   */
  readonly reclaim?: Percent;
  /**
   * How often file systems are looked at.
   * @default "1 min"
   */
  readonly every?: Duration;
  /**
   * What empties the host's container caches, the last resort: of Docker build cache and unused images, of root's Podman
   * unused images; or a command of your own, run as root. Containers and volumes stay.
   * @default nothing
   */
  readonly containers?: "docker" | "podman" | readonly [AbsolutePath, ...string[]];
}

/** {@link WatermarkArgs} with every default in place: percents, and seconds. */
export interface Watermarks {
  readonly low: number;
  readonly pause: number;
  readonly reclaim: number;
  readonly every: number;
  /** Commands, in order. */
  readonly containers: readonly (readonly string[])[];
}

const PRUNE = {
  docker: [
    ["/usr/bin/docker", "builder", "prune", "--all", "--force"],
    ["/usr/bin/docker", "image", "prune", "--all", "--force"],
  ],
  podman: [["/usr/bin/podman", "image", "prune", "--all", "--force"]],
} as const;

const DEFAULTS = { low: "80 %", pause: "85 %", reclaim: "95 %", every: "1 min" } as const;

/** Puts the defaults in place. The args must have passed {@link checkWatermarks}. */
export function resolveWatermarks(args: WatermarkArgs = {}): Watermarks {
  const share = (key: "low" | "pause" | "reclaim") => parsePercent("", args[key] ?? DEFAULTS[key]).value ?? NaN;
  const every = parseDuration("", args.every ?? DEFAULTS.every).value ?? NaN;
  return { low: share("low"), pause: share("pause"), reclaim: share("reclaim"), every, containers: pruning(args) };
}

function pruning({ containers }: WatermarkArgs): Watermarks["containers"] {
  if (containers === undefined) return [];
  return typeof containers === "string" ? PRUNE[containers] : [containers];
}

/** An engine, or a command. */
const checkContainers: ValueCheck = (path, given) =>
  typeof given === "string" ? oneOf(...Object.keys(PRUNE))(path, given) : checkCommand(path, given);

export function checkWatermarks(path: string, given: unknown, { isUnknown }: CheckOptions = {}): Issue[] {
  const share = parsed((here, value) => {
    const percent = parsePercent(here, value);
    const outside = percent.issue === undefined && (percent.value < 1 || percent.value > 99);
    return outside ? { issue: issue(here, value, 'a share from "1 %" to "99 %"') } : percent;
  });
  const every = parsed((here, value) => {
    const seconds = parseDuration(here, value);
    const outside = seconds.issue === undefined && (seconds.value < 5 || seconds.value > 3600);
    return outside ? { issue: issue(here, value, 'a duration from "5 s" to "1 h"') } : seconds;
  });
  const issues = checkFields(
    path,
    given,
    { low: share, pause: share, reclaim: share, every, containers: checkContainers },
    isUnknown,
  );
  if (issues.length > 0 || !isFields(given)) return issues;
  const marks = resolveWatermarks(given as WatermarkArgs);
  return [
    ...(marks.pause <= marks.low
      ? [issue(at(path, "pause"), `${marks.pause} %`, `a share above low (${marks.low} %)`)]
      : []),
    ...(marks.reclaim < marks.pause
      ? [issue(at(path, "reclaim"), `${marks.reclaim} %`, `a share of at least pause (${marks.pause} %)`)]
      : []),
  ];
}
