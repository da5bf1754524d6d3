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

/** `gofleet-store`, which keeps a mirror's store. */
export function storeTool(): HostTool {
  const folder = FOLDERS.find((each) => existsSync(join(each, "store.json")));
  if (folder === undefined) throw new Error("the package is incomplete: hosttools/store.json is missing; build it");
  const facts: unknown = JSON.parse(readFileSync(join(folder, "store.json"), "utf8"));
  const parsed = parseH1("h1", isFields(facts) ? facts.h1 : undefined);
  if (parsed.issue) throw new Error(`${folder}/store.json: ${parsed.issue.wanted}`);
  return { file: join(folder, "store.zip"), checksum: parsed.value };
}
