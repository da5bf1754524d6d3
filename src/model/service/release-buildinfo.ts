import type { FoundIdentity } from "./release-identity";

const MAGIC = Buffer.from("\xff Go buildinf:", "latin1");
const ALIGNED = 16;
const HEADER = 32;
/** Since Go 1.18: the texts follow the header, each after its length. */
const TEXTS_FOLLOW = 2;
/** What is on either side of the modules' text. */
const MARK = 16;

/**
 * What the section `.go.buildinfo` says; nothing where it has none, or that of a Go older than 1.18.
 * @see https://pkg.go.dev/debug/buildinfo
 */
export function readBuildInformation(section: Buffer): FoundIdentity {
  for (let start = 0; start + HEADER <= section.length; start += ALIGNED) {
    if (!section.subarray(start, start + MAGIC.length).equals(MAGIC)) continue;
    if (((section[start + 15] ?? 0) & TEXTS_FOLLOW) === 0) return {};
    const go = text(section, start + HEADER);
    const modules = text(section, go.end);
    return {
      ...readModules(modules.value.slice(MARK, -MARK)),
      go: go.value.replace(/^go/, "").replace(/ .*/, ""),
    };
  }
  return {};
}

/** A text after its length, which is in groups of seven bits, the lowest first. */
function text(from: Buffer, start: number): { readonly value: string; readonly end: number } {
  let at = start;
  let length = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = from[at++] ?? 0;
    length += (byte % 128) * scale;
    if (byte < 128) break;
  }
  return { value: from.toString("latin1", at, at + length), end: at + length };
}

function readModules(lines: string): FoundIdentity {
  const found: { -readonly [Key in keyof FoundIdentity]: FoundIdentity[Key] } = {};
  for (const line of lines.split("\n")) {
    const [kind, first = "", second] = line.split("\t");
    if (kind === "path") found.package = first;
    if (kind === "mod") {
      found.module = first;
      if (second !== undefined && second !== "") found.version = second;
    }
    const [, key, value = ""] = (kind === "build" && /^vcs\.(revision|modified)=(.+)$/.exec(first)) || [];
    if (key === "revision") found.revision = value;
    if (key === "modified" && /^(true|false)$/.test(value)) found.modified = value === "true";
  }
  return found;
}
