/**
 * What a build sandbox costs, and what a build cache in memory is worth: a real module is built and its tests are
 * compiled, linked and started, cold and warm, in a slot and by a user without any sandbox; then the slot's cache is
 * scanned, persisted and restored. All on one booted test host.
 * `npm run bench -- cache [MODULE@VERSION [ROUNDS]]`
 */
import { unavailable } from "../../test/hosts/support/hosts";
import { machineGo } from "../../test/support/go";
import { median, paired, progress, ratio, report, type Repeat } from "../support";
import { BuildHost, type Builder, type Spent } from "./build-host";
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
    const overhead = (kind: Spent["kind"], measure: "cpu" | "wall") =>
      (ratio(spent("sandbox", kind, measure), spent("tmpfs", kind, measure)) - 1) * 100;
    const [cold, warm] = [overhead("cold", "cpu"), overhead("warm", "cpu")];
    report("cache", {
      packages: project.packages,
      rounds: spent("tmpfs", "cold", "cpu").length,
      // The worse of both. Either user's cache is a mount of the same kind, so that only the confinement differs.
      overhead_percent: Math.max(cold, warm),
      overhead_cold_percent: cold,
      overhead_warm_percent: warm,
      overhead_cold_wall_percent: overhead("cold", "wall"),
      overhead_warm_wall_percent: overhead("warm", "wall"),
      apparmor_overhead_percent: null,
      tmpfs_ratio_to_disk_cold: ratio(spent("tmpfs", "cold", "cpu"), spent("disk", "cold", "cpu")),
      tmpfs_ratio_to_disk_warm: ratio(spent("tmpfs", "warm", "cpu"), spent("disk", "warm", "cpu")),
      cold_cpu_seconds: median(spent("tmpfs", "cold", "cpu")),
      warm_cpu_seconds: median(spent("tmpfs", "warm", "cpu")),
      ...(await keeping(host, KEEPING_ROUNDS)),
    });
  } finally {
    await host.stop();
    project.remove();
  }
}

/** @returns the seconds of each round */
async function builds(host: BuildHost, rounds: Repeat) {
  const all: Record<Builder, (readonly Spent[])[]> = { disk: [], tmpfs: [], sandbox: [] };
  const build = (builder: Builder) => async (round: number) => {
    const spent = await host.build(builder);
    if (round > 0) all[builder].push(spent);
  };
  await paired(rounds, { disk: build("disk"), tmpfs: build("tmpfs"), sandbox: build("sandbox") });
  return (builder: Builder, kind: Spent["kind"], measure: "cpu" | "wall"): number[] =>
    all[builder].map((round) => round.find((each) => each.kind === kind)?.[measure] ?? Number.NaN);
}

const [module, rounds] = process.argv.slice(2);
main(module, rounds === undefined ? undefined : Number(rounds)).catch((error: unknown) => {
  progress(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
});
