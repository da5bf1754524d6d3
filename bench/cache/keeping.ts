import { median, progress, type Figures } from "../support";
import type { BuildHost } from "./build-host";

const GIGABYTE = 1e9;
/** One below it for each round; none is removed, for ext4 is slow to make files where many were removed a minute ago. */
const KEPT = "/var/lib/kept";
/** Milliseconds. */
const TIMEOUT = 15 * 60_000;

/** What of `gofleet-cache`'s report is measured. */
interface Report {
  readonly scan?: { readonly readBytes: number };
  readonly persist?: { readonly bytes: number };
  readonly restore?: { readonly bytes: number };
}

/** What it costs to keep the cache in memory that a slot's jobs filled: to read all of it, to copy it to the disk and back. */
export async function keeping(host: BuildHost, rounds: number): Promise<Figures> {
  progress("scan, persist, restore");
  const times = { scan: [] as number[], persist: [] as number[], again: [] as number[], restore: [] as number[] };
  const cache = host.slotCache;
  let bytes = Number.NaN;
  for (let round = 0; round <= rounds; round++) {
    const kept = `${KEPT}/${round}`;
    const scan = await run(host, "scan", "-idle -all");
    const persist = await run(host, "persist", kept);
    const again = await run(host, "persist", kept);
    await host.host.exec(`find ${cache} -mindepth 1 -maxdepth 1 -name '[0-9a-f][0-9a-f]' -exec rm -r {} +`);
    const restore = await run(host, "restore", kept);
    const copied = persist.report.persist?.bytes ?? Number.NaN;
    bytes = scan.report.scan?.readBytes ?? Number.NaN;
    if (restore.report.restore?.bytes !== copied) throw new Error("not all that was persisted was restored");
    progress(
      `  round ${round}: ${(bytes / 1e6).toFixed(0)} MB: scan ${scan.seconds.toFixed(2)} s, persist ` +
        `${persist.seconds.toFixed(2)} s, again ${again.seconds.toFixed(2)} s, restore ${restore.seconds.toFixed(2)} s`,
    );
    if (round === 0) continue;
    times.scan.push((scan.seconds / bytes) * GIGABYTE);
    times.persist.push((persist.seconds / copied) * GIGABYTE);
    times.again.push(again.seconds);
    times.restore.push((restore.seconds / copied) * GIGABYTE);
  }
  return {
    cache_bytes: bytes,
    scan_seconds_per_gb: median(times.scan),
    persist_seconds_per_gb: median(times.persist),
    persist_unchanged_seconds: median(times.again),
    restore_seconds_per_gb: median(times.restore),
  };
}

/** The whole command's time on the host: reading the cache's directories and syncing the disk are part of it. */
async function run(host: BuildHost, verb: string, more: string): Promise<{ seconds: number; report: Report }> {
  const [flags, directory] = more.startsWith("-") ? [more, ""] : ["", more];
  const command = `gofleet-sandbox cache ${verb} -json -cache ${host.slotCache} ${flags} ${directory}`;
  const said = await host.host.exec(
    `from=$(date +%s.%N); ${command} >/tmp/said && date +"$from %s.%N" && cat /tmp/said`,
    {
      timeout: TIMEOUT,
    },
  );
  const end = said.indexOf("\n");
  const [from = Number.NaN, to = Number.NaN] = said.slice(0, end).split(" ").map(Number);
  return { seconds: to - from, report: JSON.parse(said.slice(end)) as Report };
}
