import { EMPTY_PLAN, type HostPlan, type PlanDownload, type PlanWatch } from "./host-plan";

/**
 * One plan of several parts. Lists are joined, packages named by two parts are wanted once, the longest confirmation
 * counts.
 * @throws Error where two parts claim one path, name or port (the parts of a component must agree who makes what), two
 *   have a watch, or a download is to be built that cannot be
 */
export function mergePlans<Text>(...parts: readonly Partial<HostPlan<Text>>[]): HostPlan<Text> {
  const all = <T>(list: (part: Partial<HostPlan<Text>>) => readonly T[] | undefined): T[] =>
    parts.flatMap((part) => list(part) ?? []);
  const plan: HostPlan<Text> = {
    files: all(({ files }) => files),
    symlinks: all(({ symlinks }) => symlinks),
    downloads: all(({ downloads }) => downloads),
    units: all(({ units }) => units),
    checks: all(({ checks }) => checks),
    probes: all(({ probes }) => probes),
    secrets: all(({ secrets }) => secrets),
    packages: [...new Set(all(({ packages }) => packages))].sort(),
    listens: all(({ listens }) => listens),
    confirm: Math.max(EMPTY_PLAN.confirm, ...parts.map(({ confirm = EMPTY_PLAN.confirm }) => confirm)),
    ...onlyWatch(parts.flatMap(({ watch }) => watch ?? [])),
    ...(parts.some(({ irreversible }) => irreversible === true) && { irreversible: true as const }),
  };
  unique("path", [...plan.files, ...plan.symlinks], ({ path }) => path);
  unique("download", plan.downloads, ({ name }) => name);
  unique("unit", plan.units, ({ name }) => name);
  unique("check", plan.checks, ({ name }) => name);
  unique("probe", plan.probes, ({ name }) => name);
  unique("secret", plan.secrets, ({ name }) => name);
  unique("port", plan.listens, ({ address, port }) => `${address} ${port}`);
  plan.downloads.forEach((download) => buildable(download, plan.downloads));
  const misnamed = plan.downloads.find(({ format, as }) => as !== undefined && format !== "file");
  if (misnamed !== undefined) throw new Error(`download ${misnamed.name} is no single file that could have a name`);
  return plan;
}

function onlyWatch(watches: readonly PlanWatch[]): Pick<HostPlan, "watch"> {
  const [watch, other] = watches;
  if (other !== undefined) throw new Error("two parts of a plan have a watch");
  return watch === undefined ? {} : { watch };
}

function buildable({ name, format, build }: PlanDownload, downloads: readonly PlanDownload[]): void {
  if (build === undefined) return;
  if (format !== "module") throw new Error(`download ${name} is built, so it must be a module, not ${format}`);
  const toolchain = /^download:(.*)$/.exec(build.goRoot)?.[1];
  if (toolchain === undefined) return;
  const found = downloads.find((each) => each.name === toolchain);
  if (found === undefined)
    throw new Error(`download ${name} is built by ${toolchain}, which is no download of the plan`);
  if (found.build !== undefined) throw new Error(`download ${name} is built by ${toolchain}, which is built itself`);
}

function unique<T>(kind: string, items: readonly T[], key: (item: T) => string): void {
  const seen = new Set<string>();
  for (const item of items) {
    if (seen.has(key(item))) throw new Error(`two parts of a plan have the ${kind} ${key(item)}`);
    seen.add(key(item));
  }
}
