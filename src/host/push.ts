import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { messageOf } from "../model/thrown";
import type { PlanDownload, PlanVariant } from "../plan/host-plan";
import type { Entries } from "./upload";

/** By variant, so that a file is read and packed once for all the hosts of a rollout. */
const prepared = new WeakMap<PlanVariant, Promise<Entries>>();

/**
 * What the verb `put` sends for a download with a file on this machine.
 * @throws {Error} where the file is not what the plan says: it may have changed since the preview.
 */
export async function pushEntries({ name, format }: PlanDownload, variant: PlanVariant): Promise<Entries> {
  const { file, arch, checksum } = variant;
  if (file === undefined) throw new Error(`download ${name} has no file on this machine`);
  let entries = prepared.get(variant);
  if (entries === undefined) {
    entries = verify(file, format === "module" ? undefined : checksum).then(
      () => new Map([[`upload/${name}.${arch}`, { file }]]),
    );
    prepared.set(variant, entries);
  }
  return entries;
}

/** A module's checksum is over what is in it, and left to the host. */
async function verify(file: string, sha256: string | undefined): Promise<void> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    throw new Error(`${file} cannot be sent: ${messageOf(error)}`);
  }
  const found = hash.digest("hex");
  if (sha256 === undefined || found === sha256) return;
  throw new Error(`${file} is not what the preview saw: its sha256 is ${found}, wanted ${sha256}; run it again`);
}
