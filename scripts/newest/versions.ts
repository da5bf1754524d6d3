import { run } from "../../src/engine/run";

/** The versions of an npm package that fit a range, the newest first; pre-releases only where the range names one. */
export async function published(name: string, range: string): Promise<readonly string[]> {
  const answer = await run("npm", ["view", `${name}@${range}`, "version", "--json"], { env: process.env });
  const found = JSON.parse(answer) as string | readonly string[];
  return [found].flat().sort((a, b) => compareVersions(b, a));
}

/** Orders `1.2.3`-like versions; negative where `a` is the older one. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (const [index, number] of (left ?? []).entries()) {
    const difference = number - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
