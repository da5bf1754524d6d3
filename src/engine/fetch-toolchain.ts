import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdir, rm } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

import { createWriteStream } from "node:fs";
import { extract } from "tar-stream";

import { OFFICIAL_URL, toolchainModule } from "../model/toolchain";
import type { Platform } from "../model/platform";
import type { Checksums, GoRelease } from "../model/toolchain";
import { download } from "./download";
import type { FindOptions } from "./find";
import { goProxies } from "./go-proxy";
import { unpackModuleZip } from "./module-zip";

/**
 * Fetches a Go tree into `dir` and verifies it by the lock file's checksums: as a module through the machine's Go
 * module proxies, else as the official archive.
 *
 * @throws {Error} with one line for each place that was tried.
 */
export async function fetchToolchain(
  release: GoRelease,
  platform: Platform,
  dir: string,
  options: FindOptions,
): Promise<void> {
  const { urls, direct } = await goProxies(options.env);
  const { h1, sha256 }: Checksums = release.checksums[platform] ?? {};
  const attempts = [
    ...(h1 ? urls.map((proxy) => () => fromProxy(proxy, h1, release.version, platform, dir, options)) : []),
    ...(sha256 && direct ? [() => fromArchive(sha256, release.version, platform, dir, options)] : []),
  ];
  const failures: string[] = [];
  for (const attempt of attempts) {
    try {
      return await attempt();
    } catch (error) {
      if (options.signal?.aborted) throw error;
      failures.push(error instanceof Error ? error.message : String(error));
      await empty(dir);
    }
  }
  throw new Error(
    failures.join("\n") || "GOPROXY names no module proxy, and no checksum of the official archive is locked",
  );
}

async function fromProxy(
  proxy: string,
  h1: string,
  version: string,
  platform: Platform,
  dir: string,
  options: FindOptions,
): Promise<void> {
  const moduleVersion = toolchainModule(version, platform);
  const url = `${proxy}/golang.org/toolchain/@v/${moduleVersion}.zip`;
  const zip = `${dir}.zip`;
  try {
    await download(url, zip, `Go ${version}`, options);
    options.progress(`verifying Go ${version}`);
    const found = await unpackModuleZip(zip, `golang.org/toolchain@${moduleVersion}`, dir);
    if (found !== h1) throw new Error(`golang.org/toolchain@${moduleVersion}: checksum is ${found}, locked is ${h1}`);
  } finally {
    await rm(zip, { force: true });
  }
}

async function fromArchive(
  sha256: string,
  version: string,
  platform: Platform,
  dir: string,
  options: FindOptions,
): Promise<void> {
  const url = `${OFFICIAL_URL}/go${version}.${platform}.tar.gz`;
  const archive = `${dir}.tar.gz`;
  try {
    await download(url, archive, `Go ${version}`, options);
    options.progress(`verifying Go ${version}`);
    const hash = createHash("sha256");
    await pipeline(createReadStream(archive), hash);
    const found = hash.digest("hex");
    if (found !== sha256) throw new Error(`${url}: sha256 is ${found}, locked is ${sha256}`);
    await unpackArchive(archive, dir);
  } finally {
    await rm(archive, { force: true });
  }
}

/** Unpacks a Go archive, which holds plain files below `go/`, without that leading directory. */
async function unpackArchive(archive: string, dir: string): Promise<void> {
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

async function empty(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir);
}
