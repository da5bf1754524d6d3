/**
 * What a mirror's front costs its host, in CPU of the server for each request, beside a static nginx and beside a front
 * without a cache; what 1,000 connections and a second copy of files cost; and how long an application's first download
 * takes. Requests a second say more about this machine than about the mirror: they are on stderr, for orientation.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasCommand } from "../../test/hosts/support/commands";
import { program } from "../../test/support/nginx";
import { median, progress, ratio, report, seconds, type Figures } from "../support";
import { Application, goProxy, type Paths } from "./application";
import { cpuPerRequest, load } from "./load";
import { BenchMirror, diskUse } from "./mirror";

const ROUNDS = 5;
/** Of whole downloads, which also load whom they are from. */
const PAIRS = 2;
const CONNECTIONS = 1000;

async function main(): Promise<void> {
  const missing = ["nginx", "wrk", "go", "openssl"].filter((name) => program(name) === undefined && !hasCommand(name));
  if (missing.length > 0) throw new Error(`not installed: ${missing.join(", ")}`);
  const application = new Application();
  try {
    progress(`an application of ${application.modules} modules`);
    const bundle = await application.bundle(goProxy());
    await application.download(goProxy());
    const warm = await warmFigures(application, bundle);
    report("mirror", { ...warm, ...(await coldFigures(application)) });
  } finally {
    application.remove();
  }
}

async function warmFigures(application: Application, bundle: string): Promise<Figures> {
  const paths = await application.paths();
  const mirror = new BenchMirror();
  try {
    mirror.import(bundle);
    await mirror.start();
    const ours = await mirror.ours();
    const fixed = await mirror.static(application.served);
    const uncached = await mirror.uncached();
    const incomplete = await incompleteAnswers(mirror, ours.port);
    const cpu = (kind: keyof Paths, contenders: Parameters<typeof cpuPerRequest>[3]) => {
      progress(`${kind}: ${paths[kind].length} paths`);
      return cpuPerRequest(ROUNDS, paths[kind], mirror.folder, contenders);
    };
    const small = await cpu("small", { ours, fixed, uncached });
    const zip = await cpu("zip", { ours, fixed });
    const list = await cpu("list", { ours, fixed });

    progress(`${CONNECTIONS} connections`);
    const all = join(mirror.folder, "all");
    writeFileSync(all, `${paths.all.join("\n")}\n`);
    const { errors } = await load(ours.port, all, CONNECTIONS);
    const disk = (diskUse(mirror.store) + diskUse(mirror.cache)) / diskUse(mirror.store);
    const few = await mirror.ours((config) => config.replace(/worker_connections \d+;/, "worker_connections 768;"));
    const debian = await load(few.port, all, CONNECTIONS);
    progress(`  errors: ${errors}; with 768 connections a worker: ${debian.errors}`);
    return {
      cpu_ratio_to_static_small: of(small, "ours", "fixed"),
      cpu_ratio_to_static_zip: of(zip, "ours", "fixed"),
      cpu_ratio_uncached_to_ours: of(small, "uncached", "ours"),
      cpu_ratio_list_to_static: of(list, "ours", "fixed"),
      errors_1000_connections: errors,
      errors_1000_connections_of_768: debian.errors,
      disk_ratio_to_store: disk,
      incomplete_answered_200: incomplete,
    };
  } finally {
    await mirror.stop();
  }
}

function of(costs: Record<string, number[]>, ours: string, theirs: string): number {
  return ratio(costs[ours] ?? [], costs[theirs] ?? []);
}

/** How many files of a version without `.info`, whose zip is cut off, are given out. Wanted: none. */
async function incompleteAnswers(mirror: BenchMirror, port: number): Promise<number> {
  const version = join(mirror.store, "incomplete.example", "module", "v1.0.0");
  mkdirSync(version, { recursive: true });
  writeFileSync(join(version, "go.mod"), "module incomplete.example/module\n");
  writeFileSync(join(version, "source.zip"), Buffer.alloc(1000));
  const list = join(mirror.folder, "incomplete");
  let answered = 0;
  for (const file of ["info", "mod", "zip"]) {
    writeFileSync(list, `/incomplete.example/module/@v/v1.0.0.${file}\n`);
    const { requests, errors } = await load(port, list, 2);
    if (requests === 0) throw new Error("nothing was answered");
    answered += requests - errors;
  }
  return answered;
}

/** The whole first download of an application: direct, through a mirror that was filled before, through an empty one. */
async function coldFigures(application: Application): Promise<Figures> {
  const times = { direct: [] as number[], prewarm: [] as number[], prewarmed: [] as number[], empty: [] as number[] };
  progress("whole downloads");
  for (let pair = 1; pair <= PAIRS; pair++) {
    const direct = await seconds(() => application.download(goProxy()));
    const filled = new BenchMirror();
    const prewarm = await seconds(async () => filled.import(await application.bundle(goProxy())));
    const prewarmed = await throughMirror(filled, application);
    const empty = await throughMirror(new BenchMirror(), application);
    const round = { direct, prewarm, prewarmed, empty };
    progress(`  pair ${pair}: ${JSON.stringify(round)}`);
    for (const name of Object.keys(times) as (keyof typeof times)[]) times[name].push(round[name]);
  }
  return {
    direct_seconds: median(times.direct),
    prewarm_ratio_to_direct: ratio(times.prewarm, times.direct),
    prewarmed_cold_ratio_to_direct: ratio(times.prewarmed, times.direct),
    empty_cold_ratio_to_direct: ratio(times.empty, times.direct),
  };
}

/** Seconds of a download through a mirror that has served nothing so far; the mirror is gone afterwards. */
async function throughMirror(mirror: BenchMirror, application: Application): Promise<number> {
  try {
    await mirror.start(goProxy());
    const { port } = await mirror.ours();
    return await seconds(() => application.download(`https://127.0.0.1:${port}`, mirror.ca));
  } finally {
    await mirror.stop();
  }
}

main().catch((error: unknown) => {
  progress(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
});
