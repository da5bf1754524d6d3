import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isFields } from "../model/check";
import { parseH1 } from "../model/checksum";

/** A Go program of this package that is built on hosts: its sources as a module zip. */
export interface HostTool {
  /** The zip, on this machine. */
  readonly file: string;
  /** Its `h1:`. */
  readonly checksum: string;
}

/** The build puts the zips here; the second one is where they are while the package runs from its sources. */
const FOLDERS = [join(__dirname, "..", "hosttools"), join(__dirname, "..", "..", "dist", "hosttools")];

/** `gofleet-sandbox`, which keeps a build sandbox's slots and, as `gofleet-cache`, their build caches. */
export function sandboxTool(): HostTool {
  return hostTool("sandbox");
}

/** `gofleet-store`, which keeps a mirror's store. */
export function storeTool(): HostTool {
  return hostTool("store");
}

function hostTool(name: string): HostTool {
  const folder = FOLDERS.find((each) => existsSync(join(each, `${name}.json`)));
  if (folder === undefined) throw new Error(`the package is incomplete: hosttools/${name}.json is missing; build it`);
  const facts: unknown = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
  const parsed = parseH1("h1", isFields(facts) ? facts.h1 : undefined);
  if (parsed.issue) throw new Error(`${folder}/${name}.json: ${parsed.issue.wanted}`);
  return { file: join(folder, `${name}.zip`), checksum: parsed.value };
}
