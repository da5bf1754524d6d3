import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** The job that every contender does: 25 files (22 of settings, 2 units, 1 sysusers.d), a user, restart, probe. */
export interface Workload {
  /** Text by absolute path. */
  readonly files: Readonly<Record<string, string>>;
  readonly units: readonly string[];
  /** sh: exits 0 once the services run with this generation's settings. */
  readonly probe: string;
}

/** With the file `generation` 22 files of settings. */
const SETTINGS = 21;
const UNITS = ["benchd.service", "benchd-watch.service"];

/** Every file of a generation differs from the one before, units and user included, so nothing can be skipped. */
export function workload(generation: number): Workload {
  const stamp = `# generation ${generation}\n`;
  const settings = Array.from({ length: SETTINGS }, (_, index) => {
    const lines = Array.from({ length: 12 }, (_, line) => `option_${index}_${line} = value of some length\n`);
    return [`/etc/benchd/${String(index).padStart(2, "0")}.conf`, stamp + lines.join("")];
  });
  const files = Object.fromEntries([
    ...settings,
    ["/etc/benchd/generation", `${generation}\n`],
    ["/etc/sysusers.d/benchd.conf", `${stamp}u benchd - "benchmark service"\n`],
    ...UNITS.map((unit) => [`/etc/systemd/system/${unit}`, stamp + unitText(unit)]),
  ]);
  const started = UNITS.map((unit) => `[ "$(cat /run/${unit}/generation)" = ${generation} ]`);
  const probe = `systemctl is-active --quiet ${UNITS.join(" ")} && ${started.join(" && ")}`;
  return { files, units: UNITS, probe };
}

/** Runs as its own user and notes, before it counts as started, which settings it was started with. */
function unitText(unit: string): string {
  return `[Unit]
Description=Benchmark service

[Service]
User=benchd
RuntimeDirectory=${unit}
ExecStartPre=/bin/cp /etc/benchd/generation /run/${unit}/generation
ExecStart=/bin/sleep infinity
`;
}

/** The workload as a tree on this machine's disk, for the tools that copy from one. */
export function writeTree({ files }: Workload): string {
  const tree = mkdtempSync(join(tmpdir(), "gofleet-bench-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  return tree;
}
