/** Where a Go release can run, spelt as in the names of Go's archives. */
export const PLATFORMS = ["linux-amd64", "linux-arm64"] as const;

/** An operating system and architecture: `linux-amd64` or `linux-arm64`. */
export type Platform = (typeof PLATFORMS)[number];

export function isPlatform(text: string): text is Platform {
  return PLATFORMS.some((each) => each === text);
}

/** What to write instead of an unsupported platform's name. */
export function platformName(given: string): string {
  const spelled = given
    .replace(/x86[-_]64/, "amd64")
    .replace("aarch64", "arm64")
    .replace(/[/_]/, "-");
  const hint = isPlatform(spelled) ? `; here "${spelled}"` : "";
  return `a supported platform, ${PLATFORMS.join(" or ")}${hint}`;
}
