import { createHash } from "node:crypto";
import type { HostPlan, PlanBuild, PlanWatch } from "./host-plan";
import { shapingEnvironment } from "./recipe";

/** The manifest of a plan: one record a line, fields by TAB, sorted bytewise. See docs/host-protocol.md. */
export function manifest(plan: HostPlan): string {
  const records: string[][] = [
    ["confirm", String(plan.confirm)],
    ...plan.files.map((file) => [
      file.place === "copy" ? "copy" : "file",
      file.path,
      file.mode,
      file.owner,
      file.group,
      sha256(file.text),
    ]),
    ...plan.symlinks.map(({ path, target, switched }) => [switched ? "symlink" : "link", path, target]),
    ...plan.downloads.flatMap(({ name, format, as, variants, overlay }) =>
      variants.map(({ arch, checksum }) => [
        "download",
        name,
        arch,
        as === undefined ? format : `${format}:${as}`,
        checksum,
        overlay?.path ?? "-",
        overlay?.text ?? "-",
      ]),
    ),
    ...plan.downloads.flatMap(({ name, build }) => (build === undefined ? [] : [["build", name, ...recipe(build)]])),
    ...plan.packages.map((name) => ["package", name]),
    ...plan.listens.map(({ address, port, unit }) => ["listen", address, String(port), unit]),
    ...plan.units.map(({ name, onChange, reads, restartFor }) => [
      "unit",
      name,
      onChange,
      digestOf(plan, reads),
      ...(restartFor === undefined ? [] : [digestOf(plan, restartFor)]),
    ]),
    ...plan.probes.map(({ name, timeout, script }) => ["probe", name, String(timeout), sha256(script)]),
    ...plan.checks.map(({ name, timeout, script }) => ["check", name, String(timeout), sha256(script)]),
    ...plan.secrets.map(({ name, hmac }) => ["secret", name, hmac]),
    ...(plan.watch === undefined ? [] : [["watch", ...watch(plan.watch)]]),
    ...(plan.irreversible === true ? [["revert", "never"]] : []),
  ];
  const lines = records.map((fields) => fields.join("\t"));
  lines.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return ["gofleet\t1", ...lines, ""].join("\n");
}

/** A release's name: the first 16 hex digits of its manifest's sha256. */
export function releaseId(manifestText: string): string {
  return sha256(manifestText).slice(0, 16);
}

export function sha256(text: string | Buffer): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A digest of files, secrets and downloads by their paths and names. */
function digestOf(plan: HostPlan, reads: readonly string[]): string {
  const read = new Set(reads);
  const lines = [
    ...plan.files.filter(({ path }) => read.has(path)).map(({ path, text }) => `${path}\t${sha256(text)}`),
    ...plan.secrets.filter(({ name }) => read.has(name)).map(({ name, hmac }) => `${name}\t${hmac}`),
    ...plan.downloads
      .filter(({ name }) => read.has(name))
      .flatMap(({ name, variants, build }) => [
        ...variants.map(({ arch, checksum }) => `${name}\t${arch}\t${checksum}`),
        ...(build === undefined ? [] : [[name, ...recipe(build)].join("\t")]),
      ]),
  ];
  return sha256(lines.sort().join("\n"));
}

function watch({ seconds, interval, onTrip, together, script }: PlanWatch): string[] {
  const others = together.length === 0 ? "-" : [...together].sort().join(",");
  return [String(seconds), String(interval), onTrip, others, sha256(script)];
}

/** Fields of a `build` record after the download's name. */
function recipe(build: PlanBuild): string[] {
  const { package: what, output, goRoot, keepSources } = build;
  return [what, output, goRoot, keepSources ? "all" : "bin", sha256(shapingEnvironment(build))];
}
