import { parseConnection } from "./connection";
import type { Clock } from "./gates/clock";
import type { GateHost } from "./gates/gate-run";
import { dueGates, judge } from "./gates/judge";
import type { Progress } from "./progress";
import { parseActual, type ReleaseInputs, type ReleaseState } from "./release";
import type { PassedWave } from "./rollout";
import type { RolloutRow } from "./rollout-row";

export interface GateTools {
  readonly row: RolloutRow;
  readonly progress: Progress;
  readonly stop: AbortSignal;
  readonly clock: Clock;
}

/** The gates of one rollout. */
export class RolloutGates {
  constructor(
    private readonly olds: ReleaseState,
    private readonly news: ReleaseInputs,
    private readonly release: string,
  ) {}

  /**
   * Asks what is due after a wave. A rollout that brings no host another release (drift, an address) has nothing to judge,
   * and going back to a release that the hosts had before must not wait.
   */
  async judge(wave: PassedWave, { row, progress, stop, clock }: GateTools): Promise<void> {
    const { olds, news, release } = this;
    const isNews = olds.unfinished === release || wave.all.some((host) => this.#before(host) !== release);
    const due = isNews && news.pin === undefined ? dueGates(news.rollout.gates ?? [], wave) : [];
    const whole = due.filter(({ after }) => after === "last");
    // A wave that nobody of could be reached has nothing to show.
    const ofWave = wave.hosts.length === 0 ? [] : due.filter(({ after }) => after !== "last");
    for (const [gates, hosts] of [[ofWave, wave.hosts] as const, [whole, wave.all] as const]) {
      await judge(gates, {
        wave: {
          number: wave.number,
          of: wave.of,
          hosts: hosts.map((host) => this.#host(host)),
          component: news.component,
          from: this.#from(),
          to: release,
        },
        clock,
        signal: stop,
        secrets: news.gateSecrets ?? {},
        status: (text) => row.say(text),
        info: (text) => progress.info(text),
      });
    }
  }

  #before(host: string): string | undefined {
    return parseActual(this.olds.actual[host])?.release;
  }

  /** The release that most likely serves on the hosts still to come. */
  #from(): string {
    const others = Object.keys(this.olds.actual)
      .sort()
      .map((host) => this.#before(host));
    return others.find((each) => each !== undefined && each !== this.release) ?? "";
  }

  #host(key: string): GateHost {
    const connection = parseConnection(this.news.hosts[key] ?? "");
    return { key, address: connection.kind === "local" ? "127.0.0.1" : connection.host };
  }
}
