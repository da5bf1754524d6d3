/** The engine version that is installed where none fits; its Go module is pinned in `pulumi-cli/go.mod`. */
export const ENGINE_VERSION = "3.245.0";

/** What `pulumi version` may say, in words for errors. */
export const ACCEPTED = `>= ${ENGINE_VERSION}, < 4`;

/** Whether the answer of `pulumi version` (`v3.245.0`, `3.250.1-alpha.1+dirty`) is a version this package works with. */
export function accepted(answer: string): boolean {
  const version = /^v?(\d+)\.(\d+)\.(\d+)/.exec(answer.trim());
  if (!version) return false;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major === 3 && minor >= 245;
}
