import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { run } from "../../src/engine/run";
import type { Outputs } from "./stack";

/**
 * Builds the program in `examples/quickstart/hello` with the installed go and nothing else: no setting of this
 * machine's own Go counts, and its caches are left alone.
 *
 * @returns what the program printed
 * @throws {Error} when the program was built by another Go than the one installed.
 */
export async function buildAndRun(
  root: string,
  { goBinary, goVersion }: Outputs,
  signal: AbortSignal,
): Promise<string> {
  const cache = join(root, ".gofleet", "cache");
  const program = join(root, ".gofleet", "bin", "hello");
  mkdirSync(cache, { recursive: true });
  const go = resolve(root, goBinary);
  const env = {
    PATH: `${dirname(go)}:/usr/bin:/bin`,
    HOME: cache,
    GOENV: "off",
    GOCACHE: join(cache, "go-build"),
    GOPATH: join(cache, "gopath"),
    CGO_ENABLED: "0",
  };
  const cwd = join(root, "examples", "quickstart", "hello");
  await run(go, ["build", "-buildvcs=false", "-o", program, "."], { cwd, env, signal });
  const said = (await run(program, [], { env, signal })).trim();
  if (!said.includes(` ${goVersion} `)) throw new Error(`hello was built by another Go than ${goVersion}: ${said}`);
  return said;
}
