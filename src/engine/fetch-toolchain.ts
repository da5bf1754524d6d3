import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, rm } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

import { extract } from "tar-stream";

import type { Platform } from "../model/platform";
import { type GoRelease, OFFICIAL_URL, toolchainModule } from "../model/toolchain";
import { download } from "./download";
import type { FindOptions } from "./options";
import type { GoProxies } from "./go-proxy";
import { unpackModuleZip } from "./module-zip";
import { messageOf } from "../model/thrown";

/** One place that has a Go tree, and the locked checksum that it must have. */
export interface Place {
  /** A module zip from a proxy, or the official archive. */
  readonly kind: "module" | "archive";
  readonly url: string;
  /** `h1:…` of a module, sha256 of an archive. */
  readonly checksum: string;
}

/** Where a release can be fetched, given its locked checksums: the module proxies first; may be nowhere. */
export function placesOf(release: GoRelease, platform: Platform, { urls, direct }: GoProxies): readonly Place[] {
  const { h1, sha256 } = release.checksums[platform] ?? {};
  const zip = `golang.org/toolchain/@v/${toolchainModule(release.version, platform)}.zip`;
  const archive = `${OFFICIAL_URL}/go${release.version}.${platform}.tar.gz`;
  return [
    ...(h1 ? urls.map((proxy): Place => ({ kind: "module", url: `${proxy}/${zip}`, checksum: h1 })) : []),
    ...(sha256 && direct ? [{ kind: "archive", url: archive, checksum: sha256 } as const] : []),
  ];
}

/**
 * Fetches a Go tree into `dir` from the first place that has it, and verifies it by the locked checksum.
 *
 * @throws {Error} with one line for each place that was tried.
 */
export async function fetchToolchain(
  { version }: GoRelease,
  platform: Platform,
  places: readonly Place[],
  dir: string,
  options: FindOptions,
): Promise<void> {
  const file = `${dir}.download`;
  const failures: string[] = [];
  for (const { kind, url, checksum } of places) {
    try {
      await download(url, file, `Go ${version}`, options);
      options.progress(`verifying and unpacking Go ${version}`);
      const unpack = kind === "module" ? unpackModule : unpackArchive;
      return await unpack(file, checksum, toolchainModule(version, platform), dir);
    } catch (error) {
      if (options.signal?.aborted) throw error;
      failures.push(messageOf(error));
      await rm(dir, { recursive: true, force: true });
      await mkdir(dir);
    } finally {
      await rm(file, { force: true });
    }
  }
  throw new Error(failures.join("\n"));
}

async function unpackModule(zip: string, h1: string, version: string, dir: string): Promise<void> {
  const module = `golang.org/toolchain@${version}`;
  const found = await unpackModuleZip(zip, module, dir);
  if (found !== h1) throw new Error(`${module}: checksum is ${found}, locked is ${h1}`);
}

/** Unpacks a Go archive, which holds plain files below `go/`, without that leading directory. */
async function unpackArchive(archive: string, sha256: string, version: string, dir: string): Promise<void> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(archive), hash);
  const found = hash.digest("hex");
  if (found !== sha256) throw new Error(`archive of ${version}: sha256 is ${found}, locked is ${sha256}`);

  const unpacked = extract();
  const reading = pipeline(createReadStream(archive), createGunzip(), unpacked);
  for await (const entry of unpacked) {
    const path = normalize(entry.header.name).replace(/^go\//, "");
    if (entry.header.type !== "file" || path.startsWith("..") || path.startsWith("/")) {
      entry.resume();
      continue;
    }
    await mkdir(join(dir, dirname(path)), { recursive: true });
    await pipeline(entry, createWriteStream(join(dir, path)));
    await chmod(join(dir, path), entry.header.mode ?? 0o644);
  }
  await reading;
}
