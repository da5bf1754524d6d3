/**
 * What a build cache in memory is worth beside one on the disk, and what keeping it costs: a real module is built and its
 * tests are compiled, linked and started, cold and warm; then its cache is scanned, persisted and restored.
 * `npm run bench -- cache [MODULE@VERSION [ROUNDS]]`
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { median, paired, progress, ratio, report, type Figures } from "../support";
import { CacheTool } from "./tool";
import { TmpfsCache } from "./tmpfs";
import { Project, type Spent } from "./project";

const MODULE = "golang.org/x/crypto@v0.45.0";
const ROUNDS = 3;
const GIGABYTE = 1e9;
/** Enough for the module's cache several times over. */
const TMPFS_BYTES = 4 * 1024 ** 3;

type Where = "disk" | "tmpfs";

async function main(module = MODULE, rounds = ROUNDS): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error("mounting a tmpfs needs root");
  const project = await Project.fetch(module);
  const tmpfs = await TmpfsCache.mount(TMPFS_BYTES);
  try {
    progress(`${module}: ${project.packages} packages`);
    const caches = { disk: join(project.folder, "cache"), tmpfs: tmpfs.path };
    const cold = await builds(project, caches, rounds, true);
    const warm = await builds(project, caches, rounds, false);
    report("cache", {
      packages: project.packages,
      tmpfs_ratio_to_disk_cold: ratio(cold.tmpfs, cold.disk),
      tmpfs_ratio_to_disk_warm: ratio(warm.tmpfs, warm.disk),
      cold_cpu_seconds: median(cold.disk),
      warm_cpu_seconds: median(warm.disk),
      ...(await keeping(project, tmpfs, rounds)),
    });
  } finally {
    await tmpfs.unmount();
    project.remove();
  }
}

/** CPU seconds of each round by where the cache is: what else the machine does hardly changes them, unlike the time. */
async function builds(
  project: Project,
  caches: Readonly<Record<Where, string>>,
  rounds: number,
  cold: boolean,
): Promise<Record<Where, number[]>> {
  progress(cold ? "cold builds" : "warm builds");
  const cpu: Record<Where, number[]> = { disk: [], tmpfs: [] };
  const build = (where: Where) => async (round: number) => {
    if (cold) empty(caches[where]);
    const spent: Spent = await project.build(caches[where]);
    if (round > 0) cpu[where].push(spent.cpuSeconds);
  };
  await paired(rounds, { disk: build("disk"), tmpfs: build("tmpfs") });
  progress(`  CPU: disk ${median(cpu.disk).toFixed(1)} s, tmpfs ${median(cpu.tmpfs).toFixed(1)} s`);
  return cpu;
}

function empty(cache: string): void {
  // The directory itself may be a mount point.
  mkdirSync(cache, { recursive: true });
  for (let i = 0; i < 256; i++) rmSync(join(cache, i.toString(16).padStart(2, "0")), { recursive: true, force: true });
}

/** Of the filled cache in memory, persisted to the disk. */
async function keeping(project: Project, tmpfs: TmpfsCache, rounds: number): Promise<Figures> {
  progress("scan, persist, restore");
  const tool = await CacheTool.build(project.folder);
  const perGigabyte = (seconds: number, bytes: number) => (seconds / bytes) * GIGABYTE;
  const times = { scan: [] as number[], persist: [] as number[], again: [] as number[], restore: [] as number[] };
  let bytes = 0;
  for (let round = 0; round <= rounds; round++) {
    const kept = join(project.folder, `kept-${round}`);
    const scan = await tool.run("scan", ["-idle", "-all"], tmpfs.path);
    const persist = await tool.run("persist", [], tmpfs.path, kept);
    const again = await tool.run("persist", [], tmpfs.path, kept);
    empty(tmpfs.path);
    const restore = await tool.run("restore", [], tmpfs.path, kept);
    bytes = scan.report.scan?.readBytes ?? Number.NaN;
    if (restore.report.restore?.bytes !== persist.report.persist?.bytes) throw new Error("not all was restored");
    progress(
      `  round ${round}: ${(bytes / 1e6).toFixed(0)} MB: scan ${scan.seconds.toFixed(2)} s, persist ` +
        `${persist.seconds.toFixed(2)} s, again ${again.seconds.toFixed(2)} s, restore ${restore.seconds.toFixed(2)} s`,
    );
    rmSync(kept, { recursive: true });
    if (round === 0) continue;
    times.scan.push(perGigabyte(scan.seconds, bytes));
    times.persist.push(perGigabyte(persist.seconds, persist.report.persist?.bytes ?? Number.NaN));
    times.again.push(again.seconds);
    times.restore.push(perGigabyte(restore.seconds, restore.report.restore?.bytes ?? Number.NaN));
  }
  return {
    cache_bytes: bytes,
    scan_seconds_per_gb: median(times.scan),
    persist_seconds_per_gb: median(times.persist),
    persist_unchanged_seconds: median(times.again),
    restore_seconds_per_gb: median(times.restore),
  };
}

const [module, rounds] = process.argv.slice(2);
main(module, rounds === undefined ? undefined : Number(rounds)).catch((error: unknown) => {
  progress(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
});
