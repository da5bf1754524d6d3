import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDir, fillOnce } from "../../src/engine/cache";
import { run } from "../../src/engine/run";
import { REPOSITORY } from "./engine/project";

/** A linter for nginx's configurations: https://pypi.org/project/gixy-ng/. */
const GIXY = "gixy-ng==0.2.59";

/** One finding. */
export interface Finding {
  /** Its kind. */
  readonly plugin: string;
  readonly severity: string;
  readonly reason: string;
  /** The blocks that it is about, and of each the directives. */
  readonly config: string;
}

/** What the linter has to say of a configuration. It is installed once per machine, into the user's cache folder. */
export async function lint(config: string): Promise<Finding[]> {
  const folder = join(cacheDir(process.env, REPOSITORY), GIXY.replace("==", "-"));
  const [env, timeout] = [process.env, 300_000];
  const complete = join(folder, "complete");
  await fillOnce(
    folder,
    () => existsSync(complete),
    (text) => process.stderr.write(`${GIXY}: ${text}\n`),
    async (staging) => {
      await run("python3", ["-m", "venv", staging], { env, timeout });
      await run(join(staging, "bin", "python"), ["-m", "pip", "install", "--quiet", GIXY], { env, timeout });
      writeFileSync(join(staging, "complete"), "");
    },
  );
  const program = "import sys; from gixy.cli.main import main; sys.exit(main())";
  // It ends with 1 where it has found something, and prints what in either case.
  const script = `"$0" -c "$1" --format json "$2" || [ $? -eq 1 ]`;
  const found = await run("sh", ["-c", script, join(folder, "bin", "python"), program, config], { env, timeout });
  return JSON.parse(found) as Finding[];
}
