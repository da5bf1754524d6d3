import { createReadStream, statSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { buffer } from "node:stream/consumers";
import { createGzip, gzipSync } from "node:zlib";
import { pack, type Pack } from "tar-stream";
import { toError } from "../model/thrown";
import type { HostPlan, PlanBuild } from "../plan/host-plan";
import { sha256 } from "../plan/manifest";
import { agentSource } from "./agent-source";

/** A file of this machine, read when it is packed: it may be larger than what a process should hold. */
export interface FileContent {
  readonly file: string;
}

/** What an operation sends: entries of the tar by name. */
export type Entries = ReadonlyMap<string, string | Buffer | FileContent>;

/** `key<TAB>value` lines; values are one line each. */
export type AgentRequest = Readonly<Record<string, string | number | undefined>>;

const NONE: Entries = new Map();

/** Packed entries by the map they came from: a pool sends the same release to every host. */
const packed = new WeakMap<Entries, Promise<readonly Buffer[]>>();

/**
 * A gzip tar with the request, the agent and whatever else the verb wants, in parts that follow one another. What is the
 * same for every host is packed once, and held in memory once; gzip members and tar entries may simply follow one another.
 */
export async function upload(request: AgentRequest, more: Entries = NONE): Promise<readonly Buffer[]> {
  let common = packed.get(more);
  if (common === undefined) {
    common = gzipTar([["agent", agentSource()], ...more]);
    packed.set(more, common);
    // One that could not be read now may be there at the next attempt.
    common.catch(() => packed.delete(more));
  }
  return [await requestTar(request), ...(await common)];
}

/** Two zero blocks end a tar; left out where more entries follow. */
const TAR_END = 1024;

async function requestTar(request: AgentRequest): Promise<Buffer> {
  const tar = pack();
  tar.entry(header("request"), requestText(request));
  tar.finalize();
  const bytes = await buffer(tar);
  return gzipSync(bytes.subarray(0, bytes.length - TAR_END));
}

async function gzipTar(entries: readonly (readonly [string, string | Buffer | FileContent])[]): Promise<Buffer[]> {
  const tar = pack();
  const chunks: Buffer[] = [];
  const zipped = pipeline(Readable.from(tar), createGzip(), async (source) => {
    for await (const chunk of source) chunks.push(chunk as Buffer);
  });
  // A failure of either is a failure of both; that of the packing comes first.
  const filled = fill(tar, entries).catch((error: unknown) => {
    tar.destroy(toError(error));
  });
  await Promise.all([zipped, filled]);
  return chunks;
}

async function fill(tar: Pack, entries: readonly (readonly [string, string | Buffer | FileContent])[]): Promise<void> {
  for (const [name, content] of entries) {
    if (typeof content === "string" || Buffer.isBuffer(content)) tar.entry(header(name), content).on("error", ignore);
    else {
      const { size } = statSync(content.file);
      await pipeline(createReadStream(content.file), tar.entry({ ...header(name), size }));
    }
  }
  tar.finalize();
}

/** Entries that wait when another fails: the tar's reader is told, and without a listener the process would end. */
const ignore = (): void => undefined;

function header(name: string): { name: string; mode: number; mtime: Date } {
  return { name, mode: 0o600, mtime: new Date(0) };
}

/** The tree of a release: texts under their paths; manifest, checks, probes and the watch under `.gofleet`. */
export function releaseEntries(
  plan: HostPlan,
  manifestText: string,
  secrets: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  entries.set("release/.gofleet/manifest", manifestText);
  for (const { name, script } of plan.probes) entries.set(`release/.gofleet/probes/${name}`, script);
  for (const { name, script } of plan.checks) entries.set(`release/.gofleet/checks/${name}`, script);
  if (plan.watch !== undefined) entries.set("release/.gofleet/watch", plan.watch.script);
  for (const { path, text } of plan.files) entries.set(`release${path}`, text);
  for (const { name, hmac } of plan.secrets) {
    const secret = secrets.get(name);
    if (secret !== undefined) entries.set(`secrets/${hmac}`, secret);
  }
  for (const { name, build, advice } of plan.downloads) {
    if (build !== undefined) entries.set(`builds/${name}`, environment(build));
    if (advice !== undefined) entries.set(`advice/${name}`, advice);
  }
  entries.set("sources", sources(plan));
  return entries;
}

/** Where downloads come from; beside the release, because a mirror that moves makes no new release. */
function sources(plan: HostPlan): string {
  return plan.downloads
    .flatMap(({ name, variants }) =>
      variants.flatMap(({ arch, urls }) => urls.map((url) => `${name}\t${arch}\t${url}\n`)),
    )
    .join("");
}

/** What go is told when it builds; beside the release as well, for the manifest names what of it shapes the result. */
function environment({ env }: PlanBuild): string {
  return Object.entries(env)
    .map(([key, value]) => `${key}=${value}\n`)
    .sort()
    .join("");
}

function requestText(request: AgentRequest): string {
  return Object.entries(request)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([key, value]) => {
      const text = String(value);
      if (/[\t\r\n]/.test(text)) throw new Error(`request value of ${key} must be one line`);
      return `${key}\t${text}\n`;
    })
    .join("");
}

/** A name for a transaction: which release, for whom, decided by what the operator sends. */
export function transactionId(release: string, nonce: string): string {
  return `${release.slice(0, 8)}-${sha256(nonce).slice(0, 8)}`;
}
