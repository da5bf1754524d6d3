import { createHash } from "node:crypto";
import type { AbsolutePath } from "../../model/names";
import type { ResolvedRelease } from "../../model/service/release";
import { identityScript } from "../../render/service/identity";
import type { HostPlan, PlanDownload, PlanVariant } from "../host-plan";
import type { ServicePlace } from "./place";

/** Name of the check before the switch and of the probe after it; what it prints is a `FoundIdentity` as JSON. */
export const IDENTITY = "identity";

/** Reading a program's headers takes well under a second, but the disk may be busy. */
const TIMEOUT = 30;

/**
 * What a host must hold for a service's program: the program itself below a name with its digest, the link by which it
 * switches with the release, a check of what it is before the switch, and a probe that reads it back.
 */
export function releasePlan(release: ResolvedRelease, place: ServicePlace): Partial<HostPlan> {
  const tree = releaseTree(release, place);
  const folder = release.program.split("/").slice(0, -1);
  const script = identityScript({ tree, program: release.program, identity: release.identity });
  return {
    downloads: [releaseDownload(release)],
    symlinks: [{ path: place.program, target: [tree, ...folder].join("/"), switched: true }],
    checks: [{ name: IDENTITY, timeout: TIMEOUT, script }],
    probes: [{ name: IDENTITY, timeout: TIMEOUT, script }],
  };
}

/** Directory of the program's download. */
export function releaseTree(release: ResolvedRelease, { programs }: ServicePlace): AbsolutePath {
  return `${programs}/${releaseDownload(release).name}`;
}

/**
 * The path that the unit runs: the download's own, not the link's. It is there before the switch, when the unit is
 * verified, and a service that ends in the middle of a switch starts again as it was.
 */
export function programPath(release: ResolvedRelease, place: ServicePlace): AbsolutePath {
  return `${releaseTree(release, place)}/${release.program}`;
}

/** The program as a download. Two that differ in anything but where they come from have different names. */
export function releaseDownload(release: ResolvedRelease): PlanDownload {
  const { format, program, variants } = release;
  const name = program.split("/").at(-1) ?? "";
  return {
    name: `${name}-${digest(release)}`,
    format,
    ...(format === "file" && { as: name }),
    variants: variants.map(({ arch, sha256, url, file }): PlanVariant => ({
      arch,
      checksum: sha256,
      urls: url === undefined ? [] : [url],
      ...(file !== undefined && { file }),
    })),
  };
}

/** Twelve hex digits. */
function digest({ format, program, variants }: ResolvedRelease): string {
  const sums = variants.map(({ arch, sha256 }) => `${arch} ${sha256}`).sort();
  return createHash("sha256")
    .update(JSON.stringify([format, program, sums]))
    .digest("hex")
    .slice(0, 12);
}
