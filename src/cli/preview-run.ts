import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SavedFile } from "../report/read-preview";

/** How one stack is previewed. */
export interface EngineRun {
  /** The `pulumi` command. */
  readonly command: string;
  /** The Pulumi project. */
  readonly project: string;
  /** @default the selected stack */
  readonly stack?: string;
  /** The engine's own options, such as `--refresh` or `--policy-pack`. */
  readonly options?: readonly string[];
  /** Writes the plan, so that `pulumi up --plan` runs what was reviewed. */
  readonly savePlan?: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Runs `pulumi preview` once, and gives back both of its records: the events (policy results, failed steps) and the
 * digest (source positions). A preview that fails is a result too: its events say why.
 * @throws Error with what the engine printed, where it made neither record
 */
export async function runEngine({
  command,
  project,
  stack,
  options = [],
  savePlan,
  env,
}: EngineRun): Promise<SavedFile[]> {
  // Events pass through a file of this user only. They are gone before anything else happens.
  const folder = mkdtempSync(join(tmpdir(), "gofleet-preview-"));
  try {
    const log = join(folder, "events.ndjson");
    const args = ["preview", "--json", "--non-interactive", "--color", "never", "--event-log", log];
    if (stack !== undefined) args.push("--stack", stack);
    if (savePlan !== undefined) args.push("--save-plan", savePlan);
    const { code, out, err } = await run(command, [...args, ...options], project, {
      ...env,
      // The engine hides --event-log without it; the streaming form of --json would take the digest's place.
      PULUMI_DEBUG_COMMANDS: "true",
      PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "false",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    });
    const events = existsSync(log) ? readFileSync(log, "utf8") : "";
    const name = stack ?? "preview";
    const files = [
      ...(events.trim() === "" ? [] : [{ name: `${name}.ndjson`, text: events }]),
      ...(isDigest(out) ? [{ name: `${name}.json`, text: out }] : []),
    ];
    if (files.length === 0) {
      throw new Error(
        `pulumi preview${stack === undefined ? "" : ` of ${stack}`} ended with code ${code}:\n${`${err}${out}`.trim()}`,
      );
    }
    return files;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function isDigest(text: string): boolean {
  return text.trimStart().startsWith("{");
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const text = { out: [] as Buffer[], err: [] as Buffer[] };
    child.stdout.on("data", (data: Buffer) => text.out.push(data));
    child.stderr.on("data", (data: Buffer) => text.err.push(data));
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, out: Buffer.concat(text.out).toString("utf8"), err: Buffer.concat(text.err).toString("utf8") });
    });
  });
}
