import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { manifest } from "../plan/manifest";
import { programOptions, type ProgramArgs } from "./program-options";
import { runProgram, type ProgramRelease } from "./program";

/** `gofleet render`: a program's plans as files, without engine and credentials; two folders compare by any diff. */
export function renderCommand(): Command {
  const command = new Command("render")
    .summary("write what a program puts on hosts into a folder")
    .description(
      "Runs the Pulumi program without an engine and without credentials, and writes what each component would put on " +
        "its hosts: <out>/<component>/files/<path>, the manifest, checks, probes and the hosts. Secrets are written as [secret].",
    )
    .requiredOption("--out <folder>", "folder to write; what it held of these components is replaced");
  return programOptions(command).action(render);
}

async function render({ out, ...args }: ProgramArgs & { readonly out: string }): Promise<void> {
  const releases = await runProgram(args);
  for (const release of releases) write(out, release);
  console.log(
    releases.length === 0
      ? "the program declares nothing that goes on hosts"
      : releases
          .map(
            ({ component, plan }) =>
              `${join(out, component)}: ${plan.files.length} files, ${plan.downloads.length} downloads`,
          )
          .join("\n"),
  );
}

function write(out: string, { component, plan, hosts }: ProgramRelease): void {
  const folder = join(out, component);
  rmSync(folder, { recursive: true, force: true });
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  for (const { path, text } of plan.files) put(join(folder, "files", path), text);
  for (const { name, script } of plan.checks) put(join(folder, "checks", name), script);
  for (const { name, script } of plan.probes) put(join(folder, "probes", name), script);
  put(join(folder, "manifest"), manifest(plan));
  put(
    join(folder, "hosts"),
    Object.entries(hosts)
      .map(([key, line]) => `${key}\t${line}\n`)
      .join(""),
  );
}
