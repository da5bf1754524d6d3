import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { type EngineEvent, LocalWorkspace, type OutputMap, PulumiCommand, Stack } from "@pulumi/pulumi/automation";

import { type Engine, enginePath } from "../../src/engine/find";

const STACK = "quickstart";
const PROXIES = "goProxies";

/** The outputs of the root program. */
export interface Outputs {
  readonly goRoot: string;
  readonly goVersion: string;
  readonly goBinary: string;
  readonly goEnv: Readonly<Record<string, string>>;
}

/** Runs the root program and returns what it exports. */
export type Program = () => Record<string, unknown>;

type Say = (text: string) => void;

/** An operation that the engine did not finish; `message` is what it said, one error a paragraph. */
export class EngineFailed extends Error {}

/**
 * The root `Pulumi.yaml` program as a stack on the file backend under `.gofleet/`. It runs inline, in this process:
 * the same program that `pulumi up` runs, without the need for a language host.
 */
export class QuickstartStack {
  private constructor(
    private readonly stack: Stack,
    private readonly signal: AbortSignal,
  ) {}

  static async open(root: string, engine: Engine, program: Program, signal: AbortSignal): Promise<QuickstartStack> {
    const own = join(root, ".gofleet");
    for (const dir of ["state", "config", "home"]) mkdirSync(join(own, dir), { recursive: true });
    const passphrase = join(own, "passphrase");
    if (!existsSync(passphrase))
      writeFileSync(passphrase, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600 });
    const workspace = await LocalWorkspace.create({
      workDir: root,
      program: async () => program(),
      pulumiHome: join(own, "home"),
      pulumiCommand: await PulumiCommand.get({ root: engine.root }),
      envVars: {
        PATH: enginePath(engine, process.env["PATH"]),
        PULUMI_BACKEND_URL: `file://${join(own, "state")}`,
        PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      },
    });
    return new QuickstartStack(await Stack.createOrSelect(STACK, workspace), signal);
  }

  /**
   * Sets which module proxies Go comes through; none means the official archives.
   *
   * @returns a note for the user, where something was left out
   */
  async configure(proxies: { readonly urls: readonly string[]; readonly withPassword: number }): Promise<string> {
    const wanted = proxies.urls.length > 0 ? JSON.stringify(proxies.urls) : undefined;
    const { [`gofleet-quickstart:${PROXIES}`]: current } = await this.stack.getAllConfig();
    if (wanted && current?.value !== wanted) await this.stack.setConfig(PROXIES, { value: wanted });
    if (!wanted && current) await this.stack.removeConfig(PROXIES);
    return proxies.withPassword > 0 ? "a proxy in GOPROXY with a password in its URL is left out of the stack" : "";
  }

  async up(say: Say): Promise<{ readonly changed: boolean; readonly outputs: Outputs }> {
    const { outputs, summary } = await this.operate(say, (options) => this.stack.up(options));
    return { changed: changes(summary.resourceChanges), outputs: values(outputs) };
  }

  async preview(colours: boolean, say: Say): Promise<{ readonly changed: boolean; readonly text: string }> {
    const color = colours ? "always" : "never";
    const { changeSummary, stdout } = await this.operate(say, (options) =>
      this.stack.preview({ ...options, diff: true, color }),
    );
    return { changed: changes(changeSummary), text: stdout };
  }

  async destroy(say: Say): Promise<{ readonly changed: boolean }> {
    const { summary } = await this.operate(say, (options) => this.stack.destroy(options));
    return { changed: changes(summary.resourceChanges) };
  }

  private async operate<T>(
    say: Say,
    run: (options: { onEvent: (event: EngineEvent) => void; signal: AbortSignal; color: "never" }) => Promise<T>,
  ): Promise<T> {
    const errors: string[] = [];
    const onEvent = ({ diagnosticEvent: said, resourcePreEvent: step }: EngineEvent) => {
      const message = said?.message.replace(/<\{%[^%]*%\}>/g, "").trim() ?? "";
      if (said?.severity === "error") errors.push(message);
      else if (said?.ephemeral && message) say(message);
      const verb = step && VERBS[step.metadata.op];
      if (verb) say(`${verb} ${step.metadata.urn.split("::").pop()}`);
    };
    try {
      return await run({ onEvent, signal: this.signal, color: "never" });
    } catch (error) {
      if (errors.length === 0) throw error;
      throw new EngineFailed(errors.join("\n\n"));
    }
  }
}

const VERBS: Readonly<Record<string, string>> = { create: "making", update: "changing", delete: "removing" };

function changes(summary: Readonly<Record<string, number | undefined>> | undefined): boolean {
  return Object.entries(summary ?? {}).some(([op, count]) => op !== "same" && (count ?? 0) > 0);
}

function values({ goRoot, goVersion, goBinary, goEnv }: OutputMap): Outputs {
  return { goRoot: goRoot?.value, goVersion: goVersion?.value, goBinary: goBinary?.value, goEnv: goEnv?.value };
}
