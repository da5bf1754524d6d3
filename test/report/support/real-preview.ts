import { mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { PulumiFn } from "@pulumi/pulumi/automation";
import { runEngine } from "../../../src/cli/preview-run";
import { enginePath } from "../../../src/engine/find";
import type { SavedFile } from "../../../src/report/read-preview";
import { PackProject } from "../../policy/pack-project";
import { testEngine, withStack, type StackSettings, type TestStack } from "../../support/engine";
import { REPOSITORY } from "../../support/engine/project";
import { removeTree } from "../../support/remove-tree";
import { served } from "./inline-program";

export interface Scenario extends StackSettings {
  /** What is up before the preview; undefined for a new stack. */
  readonly before?: PulumiFn;
  /** Happens between `up` and the preview: drift, faults. */
  readonly meanwhile?: (stack: TestStack) => void | Promise<void>;
  readonly program: PulumiFn;
  /** Options of the engine's preview. */
  readonly options?: readonly string[];
  /** Runs the policy pack of examples/policy. */
  readonly policies?: boolean;
}

export interface RealPreview {
  readonly files: readonly SavedFile[];
  /** The project's directory, relative to the repository. */
  readonly directory: string;
}

/**
 * A preview by the real engine, read as `gofleet preview` reads it. The project lies inside the checkout, so that
 * source positions lead to the same place on every machine.
 */
export async function realPreview({
  before,
  meanwhile,
  program,
  options = [],
  policies = false,
  ...settings
}: Scenario): Promise<RealPreview> {
  mkdirSync(join(REPOSITORY, ".gofleet"), { recursive: true });
  const workDir = mkdtempSync(join(REPOSITORY, ".gofleet/report-"));
  const pack = policies ? new PackProject() : undefined;
  try {
    mkdirSync(join(workDir, "node_modules"));
    symlinkSync(REPOSITORY, join(workDir, "node_modules/gofleet"));
    symlinkSync(
      dirname(dirname(require.resolve("@pulumi/pulumi/package.json"))),
      join(workDir, "node_modules/@pulumi"),
    );
    const files = await withStack(before ?? program, { ...settings, workDir }, async (stack) => {
      if (before !== undefined) await stack.up();
      await meanwhile?.(stack);
      const engine = await testEngine();
      const { envVars, pulumiHome } = stack.automation.workspace;
      const PATH = enginePath(engine, process.env["PATH"]);
      const env = { ...process.env, ...envVars, PATH, PULUMI_HOME: pulumiHome };
      const packs = pack === undefined ? [] : ["--policy-pack", pack.pack];
      const run = { command: engine.command, project: workDir, stack: settings.name ?? "test", env };
      return served(program, (client) => runEngine({ ...run, options: [...options, ...packs, client] }));
    });
    return { files, directory: relative(REPOSITORY, workDir) };
  } finally {
    pack?.remove();
    removeTree(workDir);
  }
}
