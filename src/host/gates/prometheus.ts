import type { PrometheusGate } from "../../model/gates";
import { left } from "./clock";
import { GateFailure, throwIfStopped, type GateRun } from "./gate-run";
import { query } from "./prometheus-api";

/** Values kept for the error. */
const RECENT = 5;

/** What one look at the server gave; `quiet`: too little traffic to say anything, and told to wait for more. */
interface Look {
  readonly kind: "good" | "bad" | "quiet" | "error";
  readonly text: string;
}

/**
 * Watches a value. It passes when `for` was watched and the value is good; what was not watched (no traffic, no answer)
 * does not count. A bad time that began late is seen to its end, or until it is long enough to fail.
 */
export async function watchPrometheus(gate: PrometheusGate, run: GateRun): Promise<string> {
  const { clock, signal } = run;
  const began = clock.now();
  const watch = new Watch(gate);
  for (;;) {
    const look = await lookAt(gate, run);
    throwIfStopped(run);
    if (watch.add(look, clock.now()) === "passed") return look.text;
    const untilDeadline = gate.deadline - (clock.now() - began) / 1000;
    if (untilDeadline <= 0) throw new GateFailure(`no verdict by its deadline; the last look: ${look.text}`);
    run.status(`${look.text}, ${watch.countdown(look, untilDeadline)}`);
    await clock.sleep(Math.min(gate.interval, untilDeadline), signal);
    throwIfStopped(run);
  }
}

/** Adds up what was seen. */
class Watch {
  /** Seconds between looks that both gave a value. */
  #watched = 0;
  /** Seconds of them for which the value has been bad without a break. */
  #bad = 0;
  /** Looks in a row that gave nothing. */
  #errors = 0;
  #before: { readonly kind: Look["kind"]; readonly at: number } | undefined;
  readonly #recent: string[] = [];

  constructor(private readonly gate: PrometheusGate) {}

  /** Throws when the gate has failed. */
  add({ kind, text }: Look, at: number): "passed" | "open" {
    const since = this.#before === undefined ? 0 : (at - this.#before.at) / 1000;
    const before = this.#before?.kind;
    this.#before = { kind, at };
    this.#errors = kind === "error" ? this.#errors + 1 : 0;
    if (this.#errors > this.gate.failures) {
      throw new GateFailure(`no value, ${this.#errors} times in a row: ${text}`);
    }
    if (kind === "quiet" || kind === "error") return "open";
    this.#recent.push(text);
    if (before === "good" || before === "bad") this.#watched += since;
    if (kind === "good") this.#bad = 0;
    else if (before === "bad") this.#bad += since;
    if (kind === "bad" && (this.gate.breach === "any" || this.#bad >= this.gate.for)) throw this.#failure();
    return kind === "good" && this.#watched >= this.gate.for ? "passed" : "open";
  }

  countdown({ kind }: Look, untilDeadline: number): string {
    if (kind === "quiet" || kind === "error") return `waiting, ${left(untilDeadline)} to the deadline`;
    if (kind === "bad") return `fails in ${left(this.gate.for - this.#bad).replace(" left", "")}`;
    return left(this.gate.for - this.#watched);
  }

  #failure(): GateFailure {
    const long = this.gate.breach === "sustained" ? ` for ${left(this.#bad).replace(" left", "")}` : "";
    return new GateFailure(
      `${this.#recent.at(-1)}${long}; the last values: ${this.#recent.slice(-RECENT).join(" · ")}`,
    );
  }
}

async function lookAt(gate: PrometheusGate, run: GateRun): Promise<Look> {
  const past = gate.against === undefined ? undefined : run.clock.epoch() - gate.against;
  const traffic = gate.traffic && (await query(gate, gate.traffic.query, run, past));
  if (traffic?.error !== undefined) return { kind: "error", text: `traffic: ${traffic.error}` };
  if (gate.traffic !== undefined && traffic !== undefined && traffic.value < gate.traffic.floor) {
    const text = `traffic ${short(traffic.value)} below ${short(gate.traffic.floor)}`;
    return { kind: ({ pass: "good", wait: "quiet", fail: "bad" } as const)[gate.traffic.below], text };
  }
  const now = await query(gate, gate.query, run);
  if (now.error !== undefined) return { kind: "error", text: now.error };
  if (past === undefined) return judged(gate, now.value);
  const then = await query(gate, gate.query, run, past);
  if (then.error !== undefined) return { kind: "error", text: `then: ${then.error}` };
  if (then.value === 0) return { kind: "error", text: "the value then was 0: there is nothing to compare with" };
  return judged(gate, now.value / then.value - 1);
}

function judged(gate: PrometheusGate, value: number): Look {
  const bad = gate.bad === "above" ? value > gate.threshold : value < gate.threshold;
  const [seen, limit] = [spelled(gate, value), spelled(gate, gate.threshold)];
  return bad
    ? { kind: "bad", text: `${seen} ${gate.bad} ${limit}` }
    : { kind: "good", text: gate.bad === "above" ? `${seen} of ${limit}` : `${seen}, at least ${limit}` };
}

function spelled({ unit }: PrometheusGate, value: number): string {
  return unit === "%" ? `${short(value * 100)} %` : short(value);
}

/** Three digits, without what rounding adds: 0.12, 41.7, 1500. */
function short(value: number): string {
  return Math.abs(value) >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
