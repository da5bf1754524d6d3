import { statSync } from "node:fs";
import { join } from "node:path";
import { cacheDir, fillOnce } from "../../src/engine/cache";
import { run } from "../../src/engine/run";
import { machineGo } from "./go";

const REPOSITORY = join(__dirname, "..", "..");

/** https://github.com/letsencrypt/pebble: an ACME server for tests, by those who run Let's Encrypt. */
const VERSION = "v2.10.0";
const MODULE = "github.com/letsencrypt/pebble/v2/cmd";

/** Minutes in which a machine of two cores builds it from nothing, several times over. */
const LIMIT = 10;

/** The ACME server, and the DNS server that tells it where names lead. */
export interface PebblePrograms {
  readonly pebble: string;
  readonly dns: string;
}

/**
 * Pebble's programs, built from its Go module once per machine into the user's cache folder. Throws where there is no go
 * command.
 */
export async function pebblePrograms(): Promise<PebblePrograms> {
  const go = machineGo();
  if (!go) throw new Error("building Pebble needs a go command");
  const folder = join(cacheDir(process.env, REPOSITORY), "pebble", `${VERSION}-go${go.version}`);
  const programs = { pebble: join(folder, "pebble"), dns: join(folder, "pebble-challtestsrv") };
  const present = () => Object.values(programs).every((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  const say = (text: string) => process.stderr.write(`pebble ${VERSION}: ${text}\n`);
  await fillOnce(folder, present, say, async (staging) => {
    say("building it from its Go module, once per machine");
    const env = { ...process.env, GOBIN: staging, GOFLAGS: "", GOWORK: "off", GOTOOLCHAIN: "local", CGO_ENABLED: "0" };
    const packages = ["pebble", "pebble-challtestsrv"].map((name) => `${MODULE}/${name}@${VERSION}`);
    await run(join(go.root, "bin", "go"), ["install", "-trimpath", ...packages], { env, timeout: LIMIT * 60_000 });
  });
  return programs;
}
