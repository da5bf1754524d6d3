import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import type { EngineMaker } from "./options";
import { run } from "./run";
import { ENGINE_VERSION } from "./version";

/** The release of the npm package `pulumi` that is used; which CLI it downloads is set by PULUMI_VERSION. */
const PACKAGE = "pulumi@3.250.0";
const INSTALL_WITHIN = 60_000;
const DOWNLOAD_WITHIN = 300_000;

/**
 * Downloads the official CLI with the npm package `pulumi`. The package itself is a few scripts: its `run.js` fetches
 * the CLI into `$PULUMI_HOME/versions/<version>` the first time it is run.
 *
 * @see https://www.npmjs.com/package/pulumi
 */
export const downloadEngine: EngineMaker = async (staging, { env, progress, signal }) => {
  const home = join(staging, "download");
  mkdirSync(home);
  progress(`downloading the Pulumi CLI ${ENGINE_VERSION}`);
  const quick = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"];
  const bare = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
  await run("npm", ["install", "--prefix", home, ...bare, ...quick, PACKAGE], {
    cwd: home,
    env,
    timeout: INSTALL_WITHIN,
    signal,
  });
  await run(process.execPath, [join(home, "node_modules", "pulumi", "run.js"), "version"], {
    cwd: home,
    env: { ...env, PULUMI_HOME: home, PULUMI_VERSION: ENGINE_VERSION, PULUMI_SKIP_UPDATE_CHECK: "true" },
    timeout: DOWNLOAD_WITHIN,
    signal,
    onLine: (line) => progress(line.trim()),
  });
  renameSync(join(home, "versions", ENGINE_VERSION, "bin"), join(staging, "bin"));
  rmSync(home, { recursive: true, force: true });
};
