import { isIP } from "node:net";
import type { HttpGate } from "../../model/gates";
import { inParallel } from "../in-parallel";
import { left } from "./clock";
import { authorization, GateFailure, shown, throwIfStopped, type GateHost, type GateRun } from "./gate-run";
import { request, type Reply } from "./request";

/** URLs asked at once. */
const PARALLEL = 16;
const EXCERPT = 120;

/** One URL and what it answered so far. */
interface Watched {
  /** The host's key where the URL is a host's own. */
  readonly who: string;
  readonly url: string;
  bad: number;
}

/** Asks over the time; passes when no URL gave more bad answers than it may. */
export async function watchHttp(gate: HttpGate, run: GateRun): Promise<string> {
  const { clock, signal } = run;
  const urls = targets(gate.url, run.wave.hosts);
  const headers = authorization(gate.auth, run.secret);
  const end = clock.now() + gate.for * 1000;
  let asked = 0;
  let last = "";
  for (;;) {
    const answers = await inParallel([...urls.keys()], PARALLEL, (key) =>
      ask(gate, urls.get(key)?.url ?? key, headers, run),
    );
    throwIfStopped(run);
    for (const [key, answer] of answers) {
      const watched = urls.get(key);
      if (watched === undefined) continue;
      asked += 1;
      const wrong = answer.ok ? wrongWith(gate, answer.value) : answer.error.message;
      if (wrong === undefined) continue;
      watched.bad += 1;
      last = `${watched.who}: ${wrong}`;
      if (watched.bad > gate.failures) throw new GateFailure(verdict(gate, watched, wrong, asked));
    }
    const seconds = (end - clock.now()) / 1000;
    if (seconds <= 0) return `${asked} answers good`;
    const bad = [...urls.values()].reduce((sum, each) => sum + each.bad, 0);
    run.status(
      `${asked} ${asked === 1 ? "answer" : "answers"}, ${bad} bad${last === "" ? "" : ` (${shown(last, 80)})`}, ${left(seconds)}`,
    );
    await clock.sleep(Math.min(gate.interval, seconds), signal);
    throwIfStopped(run);
  }
}

function ask({ timeout }: HttpGate, url: string, headers: Record<string, string>, run: GateRun): Promise<Reply> {
  return request(url, { timeout, headers }, run);
}

/** What is wrong with an answer; undefined for a good one. */
function wrongWith({ status, body }: HttpGate, reply: Reply): string | undefined {
  if (reply.error !== undefined) return reply.error;
  const good = status === undefined ? reply.status >= 200 && reply.status < 300 : status.includes(reply.status);
  if (!good) return `status ${reply.status}: ${shown(reply.body, EXCERPT) || "no body"}`;
  if (body === undefined || new RegExp(body).test(reply.body)) return undefined;
  return `the body does not match /${body}/: ${shown(reply.body, EXCERPT) || "empty"}`;
}

function verdict({ failures }: HttpGate, { who, bad }: Watched, wrong: string, asked: number): string {
  const allowed = failures === 0 ? "none may be" : `${failures} may be`;
  return `${who}: ${bad} bad of ${asked} answers in all, ${allowed}; the last: ${wrong}`;
}

/** The URLs of a wave by themselves: one a host, or one for all. */
function targets(template: string, hosts: readonly GateHost[]): Map<string, Watched> {
  if (!/\{(host|address)\}/.test(template))
    return new Map([["", { who: new URL(template).host, url: template, bad: 0 }]]);
  return new Map(hosts.map((host) => [host.key, { who: host.key, url: urlOf(template, host), bad: 0 }]));
}

function urlOf(template: string, { key, address }: GateHost): string {
  return template
    .replaceAll("{host}", encodeURIComponent(key))
    .replaceAll("{address}", isIP(address) === 6 ? `[${address}]` : address);
}
