import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { cacheDir, fillOnce } from "../../src/engine/cache";
import { run } from "../../src/engine/run";
import { NEWEST_ATHENS } from "../../src/model/mirror/athens-versions";
import { machineGo, temporaryDirectory } from "./go";

const REPOSITORY = join(__dirname, "..", "..");

/** Minutes in which a machine of two cores builds it from nothing, several times over. */
const LIMIT = 15;

let built: Promise<string> | undefined;

/**
 * Path of a real Athens, built from its Go module once per machine into the user's cache folder. The module brings its
 * own `go.sum`, so what it is built from is checked. Throws where there is no go command.
 */
export function athensBinary(): Promise<string> {
  built ??= build();
  return built;
}

async function build(): Promise<string> {
  const go = machineGo();
  if (!go) throw new Error("building Athens needs a go command");
  const folder = join(cacheDir(process.env, REPOSITORY), "athens", `${NEWEST_ATHENS}-go${go.version}`);
  const binary = join(folder, "athens");
  const say = (text: string) => process.stderr.write(`athens ${NEWEST_ATHENS}: ${text}\n`);
  await fillOnce(
    folder,
    () => statSync(binary, { throwIfNoEntry: false })?.isFile() ?? false,
    say,
    async (staging) => {
      say("building it from its Go module, once per machine: some minutes");
      await compile(join(go.root, "bin", "go"), join(staging, "athens"));
    },
  );
  return binary;
}

async function compile(go: string, output: string): Promise<void> {
  const env = { ...process.env, GOFLAGS: "", GOWORK: "off", GOTOOLCHAIN: "local", CGO_ENABLED: "0" };
  const timeout = LIMIT * 60_000;
  const source = await moduleDirectory(go);
  await run(go, ["build", "-trimpath", "-ldflags", "-s -w", "-o", output, "./cmd/proxy"], {
    cwd: source,
    env,
    timeout,
  });
}

/** Athens' sources in the user's module cache, checked as any module is. */
async function moduleDirectory(go: string): Promise<string> {
  const env = { ...process.env, GOFLAGS: "", GOWORK: "off", GOTOOLCHAIN: "local" };
  const cwd = temporaryDirectory();
  try {
    const args = ["mod", "download", "-json", `github.com/gomods/athens@v${NEWEST_ATHENS}`];
    const { Dir } = JSON.parse(await run(go, args, { cwd, env, timeout: LIMIT * 60_000 })) as { Dir: string };
    return Dir;
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}
