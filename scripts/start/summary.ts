import { relative, resolve } from "node:path";

import { lock } from "../../src/model/lock-file";
import { platformOf } from "../../src/engine/toolchain";
import type { Outputs } from "./stack";
import type { Steps } from "./steps.cjs";

/** The directory that stands for a host, as the root program has it. */
const TARGET = ".gofleet/root";
/** The settings that most often surprise; the stack's output `goEnv` has them all. */
const SHOWN_SETTINGS = ["GOTOOLCHAIN", "GOPROXY", "GOSUMDB"];
const NAME = 13;
const COMMAND = 27;

/**
 * What was put where, how it was verified, and what to do next.
 *
 * @param module whether Go came as a module through a proxy, or else as the official archive
 */
export function installedSummary(root: string, steps: Steps, outputs: Outputs, module: boolean): string {
  const { goVersion, goRoot, goBinary, goEnv } = outputs;
  const onHost = (path: string) => `/${relative(resolve(root, TARGET), resolve(root, path))}`;
  const settings = SHOWN_SETTINGS.filter((key) => goEnv[key]).map((key) => `${key}=${goEnv[key]}`);
  const rows = [
    row(steps, "go command", onHost(goBinary)),
    row(steps, "tree", onHost(goRoot)),
    row(steps, "settings", ...(settings.length > 0 ? settings : ["Go's own"])),
    row(steps, "verified", checksum(goVersion, module), "as locked in gofleet.lock.json, before it was put in place"),
    row(steps, "state", ".gofleet/state"),
  ];
  return [
    "",
    `  ${steps.bold(`${goVersion} is in ${TARGET}`)}, a directory that stands for a host:`,
    "",
    ...rows,
    "",
    `  ${steps.bold("Next")}`,
    "",
    command(steps, "npm start", "once more: finds nothing to do"),
    command(steps, "npm start -- --preview", "after a change to quickstart.ts"),
    command(steps, "npm start -- --destroy", "take it off again"),
    command(steps, "README.md", "hosts over SSH, pools and rollouts"),
    "",
  ].join("\n");
}

/** What a destroy leaves. */
export function removedSummary(steps: Steps): string {
  const left = command(steps, "rm -r .gofleet", "also removes the stack's state and the caches");
  return ["", command(steps, "npm start", "put it back"), left, ""].join("\n");
}

function row(steps: Steps, name: string, ...lines: readonly string[]): string {
  const [first = "", ...more] = lines;
  return [`    ${steps.dim(name.padEnd(NAME))}${first}`, ...more.map((line) => `    ${" ".repeat(NAME)}${line}`)].join(
    "\n",
  );
}

function command(steps: Steps, text: string, what: string): string {
  return `    ${steps.paint(36, text.padEnd(COMMAND))}${what}`;
}

function checksum(goVersion: string, module: boolean): string {
  const platform = platformOf(process);
  const { h1, sha256 } = (platform && lock(goVersion.replace(/^go/, "")).checksums[platform]) ?? {};
  return module ? `${h1}` : `sha256 ${sha256}`;
}
