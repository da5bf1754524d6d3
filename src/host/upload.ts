import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { sha256 } from "../plan/manifest";
import type { HostPlan } from "../plan/host-plan";
import { agentSource } from "./agent-source";

/** What an operation sends: entries of the tar by name. */
export type Entries = ReadonlyMap<string, string | Buffer>;

/** `key<TAB>value` lines; values are one line each. */
export type AgentRequest = Readonly<Record<string, string | number | undefined>>;

/** A gzip tar with the agent, the request and whatever else the verb wants. */
export async function upload(request: AgentRequest, more: Entries = new Map()): Promise<Buffer> {
  const tar = pack();
  const gzip = createGzip({ level: 6 });
  const chunks: Buffer[] = [];
  const done = new Promise<void>((resolve, reject) => {
    gzip.on("data", (chunk: Buffer) => chunks.push(chunk));
    gzip.on("end", resolve);
    gzip.on("error", reject);
  });
  tar.pipe(gzip);
  const entries = [["agent", agentSource()], ["request", requestText(request)], ...more] as const;
  for (const [name, content] of entries) tar.entry({ name, mode: 0o600, mtime: new Date(0) }, content);
  tar.finalize();
  await done;
  return Buffer.concat(chunks);
}

/** The tree of a release: texts under their paths, manifest and probes under `.gofleet`. */
export function releaseEntries(plan: HostPlan, manifestText: string, secrets: ReadonlyMap<string, string>): Entries {
  const entries = new Map<string, string>();
  entries.set("release/.gofleet/manifest", manifestText);
  for (const { name, script } of plan.probes) entries.set(`release/.gofleet/probes/${name}`, script);
  for (const { path, text } of plan.files) entries.set(`release${path}`, text);
  for (const { name, hmac } of plan.secrets) {
    const secret = secrets.get(name);
    if (secret !== undefined) entries.set(`secrets/${hmac}`, secret);
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
