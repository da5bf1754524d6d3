import { at } from "../../model/check";
import { parseH1, parseSha256 } from "../../model/checksum";
import { HOST_RELEASE, isGofleet } from "../read/fleet";
import { lines } from "../read/documents";
import { entries, field, objects, type Fields } from "../read/walk";
import { rule, type PolicyResource, type Violation } from "../rule";

/** Bytes that nobody checks before they run. */
export const pinnedDownloads = rule({
  name: "pinned-downloads",
  description: "Nothing is downloaded without its checksum: releases, binaries, and scripts piped into a shell.",
  level: "mandatory",
  severity: "critical",
  remediation:
    "Give the sha256 of the archive or the h1 of the module (`gofleet lock` writes both for Go). In scripts, save the " +
    "file, check it with sha256sum --check, and only then unpack or run it.",
  defaults: {},
  settings: {},
  check: (resource) => [...ofRelease(resource), ...ofComponent(resource), ...piped(resource)],
});

/** Each variant of a release's downloads. */
function ofRelease({ type, props }: PolicyResource): Violation[] {
  if (type !== HOST_RELEASE) return [];
  return entries(field(props, "plan", "downloads")).flatMap(([name, download]) =>
    entries(field(download, "variants")).flatMap(([arch, variant]) => {
      const path = at(at(at(at("plan.downloads", name), "variants"), arch), "checksum");
      return checksum(path, field(variant, "checksum"), field(download, "format") === "module");
    }),
  );
}

function checksum(path: string, given: unknown, module: boolean): Violation[] {
  if (typeof given === "symbol") return [];
  const { issue } = module ? parseH1(path, given) : parseSha256(path, given);
  return issue === undefined ? [] : [issue];
}

/** `{ url, sha256 }` as components take downloads, and a Go release's checksums. */
function ofComponent(resource: PolicyResource): Violation[] {
  if (!isGofleet(resource) || resource.type === HOST_RELEASE) return [];
  return objects(resource.props).flatMap(({ path, fields }): Violation[] => {
    if (isGoRelease(fields) && entries(fields["checksums"]).every(([, sums]) => entries(sums).length === 0)) {
      return [{ path: at(path, "checksums"), given: undefined, wanted: "the release's checksums: gofleet lock" }];
    }
    const last = path.split(".").at(-1) ?? "";
    if (last !== "release" || fields["url"] === undefined) return [];
    const sums = fields["sha256"];
    const byPlatform = typeof sums === "string" ? [] : entries(sums);
    return byPlatform.length === 0
      ? checksum(at(path, "sha256"), sums, false)
      : byPlatform.flatMap(([platform, sum]) => checksum(at(at(path, "sha256"), platform), sum, false));
  });
}

function isGoRelease(fields: Fields): boolean {
  return typeof fields["version"] === "string" && "checksums" in fields && typeof fields["checksums"] !== "symbol";
}

const PIPED = /\b(curl|wget)\b[^|#\n]*\|\s*(sudo\s+(-\S+\s+)*)?(\S*\/)?(sh|bash|dash|zsh|tar|python3?)\b/;

/** `curl … | sh`: what arrives is run or unpacked before anybody could look at it. */
function piped({ props }: PolicyResource): Violation[] {
  return lines(props).flatMap(({ path, line }) => {
    const [, tool = "", , , , into = ""] = PIPED.exec(line) ?? [];
    return tool === ""
      ? []
      : [{ path, given: `${tool} … | ${into}`, wanted: "a file, checked by sha256sum --check before it is used" }];
  });
}
