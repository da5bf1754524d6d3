/**
 * What a build sandbox costs, and what a build cache in memory is worth: a real module is built and its tests are
 * compiled, linked and started, cold and warm, in a slot and by a user without any sandbox; then the slot's cache is
 * scanned, persisted and restored. All on one booted test host.
 * `npm run bench -- cache [MODULE@VERSION [ROUNDS]]`
 */
import { unavailable } from "../../test/hosts/support/hosts";
import { machineGo } from "../../test/support/go";
import { median, paired, progress, ratio, report, type Repeat } from "../support";
import { BuildHost, type Builder, type Kind, type Spent } from "./build-host";
import { keeping } from "./keeping";
import { Project } from "./project";

const MODULE = "golang.org/x/text@v0.31.0";
/** What is read was written to the host just before, so the first round finds it in memory as well. */
const ROUNDS = { within: 270, least: 2 };
const KEEPING_ROUNDS = 3;

async function main(module = MODULE, rounds: Repeat = ROUNDS): Promise<void> {
  const reason = unavailable() ?? (machineGo() ? undefined : "there is no go command");
  if (reason !== undefined) throw new Error(reason);
  const project = await Project.fetch(module);
  const host = await BuildHost.boot(project);
  try {
    progress(`${module}: ${project.packages} packages, built with an empty cache and then from it`);
    await host.tellWhatIsMissing();
    const spent = await builds(host, rounds);
    const overhead = (kind: Kind) => (ratio(spent("sandbox", kind), spent("tmpfs", kind)) - 1) * 100;
    const [cold, warm] = [overhead("cold"), overhead("warm")];
    report("cache", {
      packages: project.packages,
      rounds: spent("tmpfs", "cold").length,
      // The worse of both. Either user's cache is a mount of the same kind, so that only the confinement differs.
      overhead_percent: Math.max(cold, warm),
      overhead_cold_percent: cold,
      overhead_warm_percent: warm,
      apparmor_overhead_percent: null,
      tmpfs_ratio_to_disk_cold: ratio(spent("tmpfs", "cold"), spent("disk", "cold")),
      tmpfs_ratio_to_disk_warm: ratio(spent("tmpfs", "warm"), spent("disk", "warm")),
      cold_cpu_seconds: median(spent("tmpfs", "cold")),
      warm_cpu_seconds: median(spent("tmpfs", "warm")),
      ...(await keeping(host, KEEPING_ROUNDS)),
    });
  } finally {
    await host.stop();
    project.remove();
  }
}

/**
 * All build at the same time: a processor that does other work as well makes any program take more of its time, and so it
 * takes more of all of them.
 * @returns seconds of processor time in each round
 */
async function builds(host: BuildHost, repeat: Repeat) {
  const rounds: Readonly<Record<Builder, Spent>>[] = [];
  const together = async (round: number) => {
    const [disk, tmpfs, sandbox] = await Promise.all([host.build("disk"), host.build("tmpfs"), host.build("sandbox")]);
    if (round > 0) rounds.push({ disk, tmpfs, sandbox });
    const said = Object.entries({ disk, tmpfs, sandbox }).map(
      ([builder, { cold, warm }]) => `${builder} ${cold.toFixed(2)} s, then ${warm.toFixed(2)} s`,
    );
    progress(`  processor time: ${said.join("; ")}`);
  };
  await paired(repeat, { together });
  return (builder: Builder, kind: Kind): number[] => rounds.map((round) => round[builder][kind]);
}

const [module, rounds] = process.argv.slice(2);
main(module, rounds === undefined ? undefined : Number(rounds)).catch((error: unknown) => {
  progress(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
});
