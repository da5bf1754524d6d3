import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { writeBundle } from "./mirror-bundle";
import { downloadDirectory, fetchModules } from "./mirror-modules";
import { wantedVersions } from "./mirror-sums";

/** `gofleet mirror`: what a module mirror needs of the operator's machine. */
export function mirrorCommand(): Command {
  return new Command("mirror")
    .summary("modules for a mirror that cannot fetch them itself")
    .addCommand(bundleCommand());
}

function bundleCommand(): Command {
  return new Command("bundle")
    .summary("pack the modules of go.sum files into one file")
    .description(
      "Downloads exactly the modules that go.sum files name, with the go command and its own settings (GOPROXY, " +
        "GOPRIVATE, GOAUTH, netrc), compares each with its sum, and packs them into one tar. On the mirror's host " +
        "`gofleet-store import` puts it into the store. Versions that are only needed for their go.mod are in it too: " +
        "without them a mirror with no upstream could not resolve a build list.\n\n" +
        "Equal go.sum files make equal bundles, as long as the proxies tell the same about the versions.",
    )
    .argument("<go.sum...>", "go.sum files, or directories that hold one")
    .requiredOption("--out <file>", "the bundle; compressed where the name ends in .tar.gz or .tgz")
    .helpOption("-h, --help", "print help")
    .showHelpAfterError("(gofleet mirror bundle --help says more)")
    .exitOverride()
    .addHelpText("after", "\nExample:\n  gofleet mirror bundle --out modules.tar service-a/go.sum service-b/go.sum")
    .action(bundle);
}

async function bundle(sources: readonly string[], options: { readonly out: string }): Promise<void> {
  const out = resolve(options.out);
  if (!existsSync(dirname(out))) throw new Error(`--out: there is no directory ${dirname(out)}`);
  const wanted = wantedVersions(sources.map(readSums));
  if (wanted.length === 0) throw new Error(`nothing to pack: ${sources.join(", ")} names no module`);
  const root = await downloadDirectory();
  const { versions, problems } = await fetchModules(wanted, (done) => {
    console.error(`gofleet mirror bundle: ${done} of ${wanted.length} versions`);
  });
  if (problems.length > 0) {
    for (const problem of problems) console.error(`gofleet mirror bundle: ${problem}`);
    throw new Error(`${problems.length} of ${wanted.length} versions could not be had; nothing was written`);
  }
  const files = await writeBundle(out, versions, root);
  const modOnly = versions.filter(({ zipSum }) => zipSum === undefined).length;
  console.log(`wrote ${options.out}: ${versions.length} versions, ${modOnly} with a go.mod alone, ${files} files`);
}

function readSums(given: string): { name: string; text: string } {
  const name = statSync(given, { throwIfNoEntry: false })?.isDirectory()
    ? `${given.replace(/\/+$/, "")}/go.sum`
    : given;
  if (!existsSync(name)) throw new Error(`there is no ${name}`);
  return { name, text: readFileSync(name, "utf8") };
}
