/**
 * From the record of a preview to its report: a pool of 1,000 hosts with a component of 40 files of which 10 change, and
 * 1,000 hosts that are a component each. Markdown, page and JSON are made; the median of several processes counts, each
 * with its own peak of memory.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { file, SUMMARY, updated, type ReleaseSettings } from "../../test/report/support/events";
import { median, progress, report } from "../support";

const ROUNDS = 5;
const HOSTS = 1000;

const text = (index: number, changed: boolean): string =>
  Array.from({ length: 60 }, (_, line) => `Setting${line} = ${index}${changed && line === 30 ? " changed" : ""}`).join(
    "\n",
  );

function settings(hosts: number, files: number, changed: number): ReleaseSettings {
  const entries = Array.from({ length: files }, (_, i) => [`/etc/service/${i}.conf`, text(i, i < changed)]);
  return { hosts, files: Object.fromEntries(entries) };
}

function events(): string {
  const pool = updated("pool", settings(HOSTS, 40, 0), settings(HOSTS, 40, 10));
  const apart = Array.from({ length: HOSTS }, (_, i) =>
    updated(`host-${i}`, settings(1, 4, 0), settings(1, 4, 2)),
  ).flat();
  return file([...pool, ...apart, SUMMARY]).text;
}

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), "gofleet-bench-report-"));
  try {
    const record = join(folder, "events.ndjson");
    writeFileSync(record, events());
    const rounds = Array.from({ length: ROUNDS }, (_, round) => {
      const { stdout, stderr } = spawnSync(
        process.execPath,
        [...process.execArgv, join(__dirname, "once.ts"), record],
        {
          encoding: "utf8",
        },
      );
      if (stdout === "") throw new Error(stderr);
      const figures = JSON.parse(stdout) as { seconds: number; megabytes: number };
      progress(`  round ${round + 1}: ${figures.seconds.toFixed(3)} s, ${figures.megabytes.toFixed(0)} MB`);
      return figures;
    });
    report("report", {
      seconds_1000_hosts: median(rounds.map(({ seconds }) => seconds)),
      megabytes_1000_hosts: median(rounds.map(({ megabytes }) => megabytes)),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main();
