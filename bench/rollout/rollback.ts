import type { GoServiceUnitArgs } from "../../src/index";
import { parseLine, text, type AgentEvent } from "../../src/host/agent-output";
import { connect, disconnectAll, type Connect } from "../../src/host/connect";
import type { ReleaseInputs, ReleaseState } from "../../src/host/release";
import { isUrlRelease, resolveUrlRelease } from "../../src/model/service/release";
import { resolveService } from "../../src/model/service/service";
import { resolveWatch } from "../../src/model/service/watch";
import { servicePlace } from "../../src/plan/service/place";
import { servicePlan } from "../../src/plan/service/service";
import { environmentText } from "../../src/plan/service/unit";
import type { Host } from "../../test/hosts/support/hosts";
import { told, type ServiceLab } from "../../test/service/support/service-lab";
import { progress } from "../support";
import { inputsOf, linesOf, manager } from "./release";

const PLACE = servicePlace("bench-served");

/** Ways in which a release fails after the switch, and what the host says first once it has its verdict. */
const FAILURES = {
  probe: {
    args: { notify: "service", health: { get: "http://127.0.0.1:7070/readyz", within: "1 s" } },
    env: { SERVED_NOTIFY: "1", SERVED_UNHEALTHY_AFTER: "1ns" },
    verdict: (event: AgentEvent) => event.ev === "probe" && event["ok"] === false,
  },
  start: {
    args: {},
    env: { SERVED_CRASH: "1" },
    verdict: (event: AgentEvent) => event.ev === "out" && /^Job for .* failed/.test(text(event, "msg")),
  },
} as const satisfies Record<
  string,
  { args: Partial<GoServiceUnitArgs>; env: Record<string, string>; verdict: (event: AgentEvent) => boolean }
>;
type Failure = keyof typeof FAILURES;

/**
 * Seconds from the verdict over a release of a service until the host says that the one before is healthy again: of one
 * whose readiness probe fails, and of one that cannot be started.
 */
export async function rollbackRounds(
  rounds: number,
  lab: ServiceLab,
  host: Host,
): Promise<Readonly<Record<Failure, readonly number[]>>> {
  progress("a service on one booted host: from a release that failed back to the one before");
  const times: Record<Failure, number[]> = { probe: [], start: [] };
  try {
    const good = await manager(connect).create(inputs(lab, host, {}, {}));
    for (let round = 0; round <= rounds; round++) {
      for (const failure of ["probe", "start"] as const) {
        const { args, env, verdict } = FAILURES[failure];
        // Another variable in each round: the release has not been there before.
        const bad = inputs(lab, host, args, { ...env, SERVED_GREETING: String(round) });
        const time = await wayBack(good, bad, verdict);
        progress(`  ${round === 0 ? "warm-up" : `round ${round}`}, ${failure}: ${time.toFixed(3)} s`);
        if (round > 0) times[failure].push(time);
      }
    }
  } finally {
    disconnectAll();
  }
  return times;
}

function inputs(
  lab: ServiceLab,
  host: Host,
  more: Partial<GoServiceUnitArgs>,
  env: Readonly<Record<string, string>>,
): ReleaseInputs {
  const args = { ...lab.args(host), ...more };
  if (!isUrlRelease(args.release)) throw new Error("hosts fetch the lab's releases");
  const parts = {
    place: PLACE,
    service: resolveService(args),
    hasEnvironment: true,
    release: resolveUrlRelease(args.release, "served"),
    watch: resolveWatch(undefined),
    irreversible: false,
  };
  const plan = servicePlan(parts, { environment: environmentText(told(env), PLACE), files: {} });
  return inputsOf(PLACE.component, plan, linesOf([host]));
}

async function wayBack(
  good: ReleaseState,
  bad: ReleaseInputs,
  isVerdict: (event: AgentEvent) => boolean,
): Promise<number> {
  let verdict: number | undefined;
  let healthy: number | undefined;
  const watched = watching((event) => {
    if (isVerdict(event)) verdict ??= performance.now();
    if (event.ev === "result" && event["status"] === "reverted") healthy = performance.now();
  });
  const outcome = await manager(watched)
    .update(good, bad)
    .then(
      () => "it took the release",
      (error: unknown) => String(error),
    );
  if (verdict === undefined || healthy === undefined) throw new Error(`the host did not go back: ${outcome}`);
  return (healthy - verdict) / 1000;
}

/** Connections that tell of each event as it arrives. */
function watching(onEvent: (event: AgentEvent) => void): Connect {
  return (line, password) => {
    const transport = connect(line, password);
    return {
      place: transport.place,
      close: () => transport.close(),
      exec: ({ onLine, ...request }) =>
        transport.exec({
          ...request,
          onLine: (said) => {
            onEvent(parseLine(said));
            onLine(said);
          },
        }),
    };
  };
}
