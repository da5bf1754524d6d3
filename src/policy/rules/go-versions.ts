import { at } from "../../model/check";
import { compareGoVersions, isGoVersion, majorOf } from "../../model/go-version";
import { containers, parseImage } from "../read/containers";
import { HOST_RELEASE, isGofleet } from "../read/fleet";
import { entries, field, objects } from "../read/walk";
import { rule, type PolicyResource, type Violation } from "../rule";

/**
 * The lines that get fixes: Go supports each until there are two newer ones. Data, not a clock: the same stack is judged
 * the same tomorrow, and the list moves with this package or with the pack's config.
 *
 * @see https://go.dev/doc/devel/release#policy
 */
const SUPPORTED = ["1.26", "1.27"] as const;

/** Go releases without security fixes. */
export const goVersions = rule({
  name: "supported-go",
  description: "Go releases are of a line that still gets security fixes.",
  level: "mandatory",
  severity: "high",
  remediation:
    "Lock a release of a supported line (`gofleet lock 1.26`) and use it; or widen `lines` in the pack's config.",
  defaults: { lines: SUPPORTED as readonly string[], minimum: "", prereleases: false },
  settings: {
    lines: {
      type: "array",
      items: { type: "string" },
      description: "Lines that are supported; a line newer than all of them is, too.",
    },
    minimum: {
      type: "string",
      description: "Oldest release that will do, such as 1.26.7; empty: no more than its line.",
    },
    prereleases: { type: "boolean", description: "Whether release candidates and betas will do." },
  },
  check: (resource, config) =>
    found(resource).flatMap(({ path, version, image }): Violation[] => {
      const wanted = complaint(version, config);
      if (wanted === undefined) return [];
      return [{ path, given: image ?? `"${version}"`, wanted, subject: `go ${version}` }];
    }),
});

interface Found {
  readonly path: string;
  /** An exact release, or a line where an image's tag says no more. */
  readonly version: string;
  readonly image?: string;
}

function found(resource: PolicyResource): Found[] {
  const { type, props } = resource;
  const downloads = type === HOST_RELEASE ? entries(field(props, "plan", "downloads")) : [];
  return [
    ...(isGofleet(resource) && type !== HOST_RELEASE ? releases(props) : []),
    ...downloads.flatMap(([name]) => {
      const version = /^go(\d[\w.]*)$/.exec(name)?.[1];
      return version === undefined ? [] : [{ path: at("plan.downloads", name), version }];
    }),
    ...containers(props).flatMap(({ path, fields: { image } }) => {
      if (typeof image !== "string") return [];
      const { name, tag = "" } = parseImage(image);
      const version = /(^|\/)golang$/.test(name) ? /^\d+\.\d+(\.\d+|(rc|beta)\d+)?/.exec(tag)?.[0] : undefined;
      return version === undefined ? [] : [{ path: `${path}.image`, version, image: JSON.stringify(image) }];
    }),
  ];
}

function releases(props: unknown): Found[] {
  return objects(props).flatMap(({ path, fields: { version, checksums } }) =>
    typeof version === "string" && checksums !== undefined ? [{ path: at(path, "version"), version }] : [],
  );
}

interface Config {
  readonly lines: readonly string[];
  readonly minimum: string;
  readonly prereleases: boolean;
}

/** What would do instead; undefined for a release that does. */
function complaint(version: string, { lines, minimum, prereleases }: Config): string | undefined {
  const exact = isGoVersion(version) ? version : `${majorOf(version)}.9999`;
  const oldest = [...lines].sort((a, b) => compareGoVersions(`${a}.0`, `${b}.0`)).at(0);
  if (!prereleases && /[a-z]/.test(version)) return "a release, no candidate or beta";
  if (oldest !== undefined && compareGoVersions(exact, `${oldest}beta1`) < 0) {
    return `a release of Go ${lines.join(" or ")}, or newer: ${majorOf(version)} gets no more fixes`;
  }
  return minimum !== "" && compareGoVersions(exact, minimum) < 0 ? `Go ${minimum} or newer` : undefined;
}
