import type { PrometheusGate } from "../../model/gates";
import { authorization, shown, type GateHost, type GateRun } from "./gate-run";
import { request } from "./request";

/** A value, or why there is none. */
export type Sample =
  { readonly value: number; readonly error?: undefined } | { readonly value?: undefined; readonly error: string };

interface ApiAnswer {
  readonly status?: string;
  readonly error?: string;
  readonly data?: { readonly resultType?: string; readonly result?: unknown };
}

/**
 * One instant query.
 * @param at seconds since 1970; the server's now without it
 * See https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
 */
export async function query(gate: PrometheusGate, promql: string, run: GateRun, at?: number): Promise<Sample> {
  const headers = authorization(gate.auth, run.secret);
  const form = { query: withHosts(promql, run.wave.hosts), ...(at === undefined ? {} : { time: at.toFixed(3) }) };
  const reply = await request(`${gate.server}/api/v1/query`, { timeout: gate.timeout, headers, form }, run);
  const server = new URL(gate.server).host;
  if (reply.error !== undefined) return { error: `${server}: ${reply.error}` };
  const answer = parsed(reply.body);
  if (answer?.status !== "success") {
    return { error: `${server} answered ${reply.status}: ${shown(answer?.error ?? reply.body) || "nothing"}` };
  }
  return valueOf(answer.data ?? {});
}

/** The one value of an answer. */
function valueOf({ resultType, result }: NonNullable<ApiAnswer["data"]>): Sample {
  if (resultType === "scalar") return number(result);
  if (resultType !== "vector" || !Array.isArray(result))
    return { error: `the query gives a ${resultType}, not one value` };
  if (result.length === 0) return { error: "the query gives no sample" };
  if (result.length > 1) return { error: `the query gives ${result.length} samples, not one: put a sum() around it` };
  return number((result[0] as { value?: unknown }).value);
}

/** `[time, "value"]`. NaN is what zero divided by zero gives. */
function number(pair: unknown): Sample {
  const text = Array.isArray(pair) ? String(pair[1]) : "";
  const value = /^[+-]?Inf$/.test(text) ? (text.startsWith("-") ? -Infinity : Infinity) : Number.parseFloat(text);
  return Number.isNaN(value) ? { error: `the query gives ${shown(text, 20) || "nothing"}` } : { value };
}

function parsed(body: string): ApiAnswer | undefined {
  try {
    return JSON.parse(body) as ApiAnswer;
  } catch {
    // A proxy's page; it is shown as it is.
    return undefined;
  }
}

/** The wave's hosts in the query, escaped for a regular expression inside a PromQL string. */
export function withHosts(promql: string, hosts: readonly GateHost[]): string {
  const alternation = (words: readonly string[]): string =>
    words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\\\$&")).join("|");
  return promql
    .replaceAll("{hosts}", () => alternation(hosts.map(({ key }) => key)))
    .replaceAll("{addresses}", () => alternation(hosts.map(({ address }) => address)));
}
