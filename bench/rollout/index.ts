/**
 * What a rollout takes from its start to the last healthy host: of 1,000 hosts that answer from memory, where only the
 * operator's side costs, and of 1 and 6 booted hosts, one after the other, beside a restart of the same service on each.
 * Of a real service: what a host takes to go back from a release that fails, and how many requests its changes lose.
 */
import { connect, disconnectAll } from "../../src/host/connect";
import type { ReleaseState } from "../../src/host/release";
import { must } from "../../test/hosts/support/commands";
import { hosts, unavailable, type Host } from "../../test/hosts/support/hosts";
import { ServiceLab } from "../../test/service/support/service-lab";
import { changesUnderLoad, PORT, together } from "../../test/service/support/under-load";
import { machineGo } from "../../test/support/go";
import { median, paired, progress, ratio, report, seconds } from "../support";
import { connectMemory, linesOfMemory } from "./memory";
import { linesOf, manager, PROBE, release, UNIT } from "./release";
import { rollbackRounds } from "./rollback";

const ROUNDS = 5;
const MANY = 1000;
const FEW = 6;
/** Under load, while a service changes its release twice. */
const REQUESTS = 50_000;

async function main(): Promise<void> {
  const many = await memoryRounds();
  const reason = unavailable();
  if (reason) progress(`no booted hosts: ${reason}`);
  const real = reason ? undefined : await realRounds();
  const service = reason ? undefined : await serviceRounds();
  report("rollout", {
    seconds_1000_hosts_in_memory: median(many),
    seconds_1_host: real ? median(real.one) : null,
    seconds_6_hosts: real ? median(real.six) : null,
    restarts_seconds_6_hosts: real ? median(real.restarts) : null,
    overhead_ratio_6_hosts: real ? ratio(real.six, real.restarts) : null,
    rollback_seconds: service ? median(service.probe) : null,
    rollback_seconds_failed_start: service ? median(service.start) : null,
    requests_lost_socket_activation: service ? service.lost : null,
    requests_socket_activation: service ? service.requests : null,
  });
}

async function memoryRounds(): Promise<number[]> {
  progress(`${MANY} hosts in memory: a canary, then quarters, 16 at once`);
  const lines = linesOfMemory(MANY);
  const settings = { canary: 1, batch: "25 %" };
  const rollouts = manager(connectMemory);
  let state = await rollouts.create(release(0, lines, settings));
  const times: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    times.push(await seconds(async () => (state = await rollouts.update(state, release(round, lines, settings)))));
    progress(`  round ${round}: ${times.at(-1)?.toFixed(3)} s`);
  }
  return times;
}

interface RealRounds {
  readonly one: readonly number[];
  readonly six: readonly number[];
  /** The sum over the six hosts. */
  readonly restarts: readonly number[];
}

async function realRounds(): Promise<RealRounds> {
  const booted: Host[] = [];
  for (let number = 1; number <= FEW; number++) booted.push(await hosts.boot(`rack-${number}`));
  try {
    progress(`${FEW} booted hosts, one after the other, beside restarts of the same service`);
    const one = new Pool(booted.slice(0, 1));
    const six = new Pool(booted);
    let generation = 0;
    // The first host is in both pools, each a component of its own.
    return await paired(ROUNDS, {
      one: () => one.roll(++generation),
      six: () => six.roll(++generation),
      restarts: async () => {
        for (const host of booted)
          await must("ssh", [...host.sshArguments(), `systemctl restart ${UNIT("six")} && ${PROBE("six")}`]);
      },
    });
  } finally {
    await hosts.stopAll();
  }
}

interface ServiceRounds {
  readonly probe: readonly number[];
  readonly start: readonly number[];
  readonly lost: number;
  readonly requests: number;
}

async function serviceRounds(): Promise<ServiceRounds | undefined> {
  if (!machineGo()) {
    progress("no service: there is no go command to build it");
    return undefined;
  }
  const lab = await ServiceLab.start();
  try {
    const host = await hosts.boot("served");
    const back = await rollbackRounds(ROUNDS, lab, host);
    progress(`two changes of a service's release under ${REQUESTS} requests or more, its socket held by systemd`);
    const held = { sockets: { http: { listen: `:${PORT}` as const } } };
    const { lost, requests, longestMs } = together(await changesUnderLoad(lab, [host], held, REQUESTS));
    progress(`  ${lost} of ${requests} lost; longest answer ${longestMs} ms`);
    return { ...back, lost, requests };
  } finally {
    await lab.stop();
  }
}

/** A pool whose releases follow each other. */
class Pool {
  #state: ReleaseState | undefined;
  readonly #lines: Readonly<Record<string, string>>;

  constructor(private readonly members: readonly Host[]) {
    this.#lines = linesOf(members);
  }

  /** One rollout, over logins of its own as in every run of the engine. */
  async roll(generation: number): Promise<void> {
    const name = this.members.length === 1 ? "one" : "six";
    const inputs = release(generation, this.#lines, { canary: 1, batch: 1 }, name);
    const rollouts = manager(connect);
    try {
      this.#state = await (this.#state === undefined ? rollouts.create(inputs) : rollouts.update(this.#state, inputs));
    } finally {
      disconnectAll();
    }
  }
}

main().catch((error: unknown) => {
  progress(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
});
