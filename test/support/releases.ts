import { createHash } from "node:crypto";
import type { GoRelease } from "../../src/model/toolchain";
import type { GoVersion } from "../../src/model/go-version";

/** A well-formed sha256 that belongs to nothing. */
export function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A well-formed h1 that belongs to nothing. */
export function h1Of(text: string): string {
  return `h1:${createHash("sha256").update(text).digest("base64")}`;
}

/** A release with both checksums on both platforms, made up from its version. */
export function release(version: GoVersion): GoRelease {
  const sums = (platform: string) => ({ sha256: sha256Of(version + platform), h1: h1Of(version + platform) });
  return { version, checksums: { "linux-amd64": sums("amd64"), "linux-arm64": sums("arm64") } };
}
