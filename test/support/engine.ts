import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import {
  type DestroyOptions,
  type EngineEvent,
  LocalWorkspace,
  type OutputMap,
  type PreviewOptions,
  type PulumiFn,
  type ProjectSettings,
  PulumiCommand,
  type RefreshOptions,
  type Stack as AutomationStack,
  type UpOptions,
} from "@pulumi/pulumi/automation";

import { runtime } from "@pulumi/pulumi";

import { type Engine, enginePath, findEngine } from "../../src/engine/find";
import { lockedReleases } from "../../src/engine/locked";
import { filesBelow, findSecret } from "./engine/leaks";
import { Operation } from "./engine/operation";
import { makeProject, REPOSITORY, type StubPackage } from "./engine/project";
import { removeTree } from "./remove-tree";

export type { Operation } from "./engine/operation";
export type { StubPackage } from "./engine/project";

const PROJECT = "gofleet-test";

// One test process meets hundreds of engines, and some get a port that an earlier one had. A connection kept from that
// one fails at once, and the SDK takes a program whose calls fail for an empty one: everything would be deleted.
const { grpcClientOptions } = runtime as unknown as { grpcClientOptions: Record<string, unknown> };
grpcClientOptions["grpc.use_local_subchannel_pool"] = 1;

const PASSPHRASE = "correct horse battery staple";

/** Fails the test when the operation's outcome is not the one that was expected. */
export interface Expectation {
  /** Default: `"success"`. */
  readonly expect?: "success" | "failure";
}

export interface StackSettings {
  /** Stack name; default `test`. */
  readonly name?: string;
  /** Project name; default `gofleet-test`. */
  readonly project?: string;
  /** An existing project directory, such as another stack's: then both share a backend. Kept afterwards. */
  readonly workDir?: string;
  /** Stands in for the package `gofleet` in the provider process. */
  readonly stub?: StubPackage;
  /** Stack configuration, `{ "aws:region": … }`. */
  readonly config?: Readonly<Record<string, string | { readonly secret: string }>>;
  /** More environment variables for the engine, and so for the provider. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs `body` with a stack of the real engine: a local file backend in a directory of its own, an inline program, no
 * update check and no plugin downloads. The stack is not destroyed afterwards, its directory is removed.
 */
export async function withStack<T>(
  program: PulumiFn,
  settings: StackSettings,
  body: (stack: TestStack) => Promise<T>,
): Promise<T> {
  const { workDir } = settings;
  if (workDir !== undefined) return body(await TestStack.open(program, workDir, settings));
  const stack = await TestStack.create(program, settings);
  try {
    return await body(stack);
  } finally {
    stack.remove();
  }
}

/** A stack under test, and a record of everything the engine said about it. */
export class TestStack {
  private readonly operations: Operation[] = [];
  private readonly texts = new Map<string, string>();

  private constructor(
    readonly workDir: string,
    /** The Automation API's own stack, for what has no helper here. */
    readonly automation: AutomationStack,
    private readonly project: ProjectSettings,
  ) {}

  /** A stack with a project directory of its own, until {@link remove}. For one test prefer {@link withStack}. */
  static async create(program: PulumiFn, settings: StackSettings = {}): Promise<TestStack> {
    const workDir = makeProject(settings.stub);
    try {
      return await TestStack.open(program, workDir, settings);
    } catch (error) {
      removeTree(workDir);
      throw error;
    }
  }

  /** A stack in an existing project directory, which the caller removes. */
  static async open(program: PulumiFn, workDir: string, settings: StackSettings = {}): Promise<TestStack> {
    const engine = await testEngine();
    const backend = join(workDir, "backend");
    for (const dir of [backend, join(workDir, "home")]) mkdirSync(dir, { recursive: true });
    const projectName = settings.project ?? PROJECT;
    const project: ProjectSettings = { name: projectName, runtime: "nodejs", backend: { url: `file://${backend}` } };
    const automation = await LocalWorkspace.createOrSelectStack(
      { stackName: settings.name ?? "test", projectName, program },
      {
        workDir,
        pulumiHome: join(workDir, "home"),
        pulumiCommand: await PulumiCommand.get({ root: engine.root }),
        projectSettings: project,
        envVars: {
          PATH: enginePath(engine, process.env["PATH"]),
          PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
          PULUMI_SKIP_UPDATE_CHECK: "true",
          PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
          PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
          ...settings.env,
        },
      },
    );
    for (const [key, value] of Object.entries(settings.config ?? {})) {
      await automation.setConfig(key, typeof value === "string" ? { value } : { value: value.secret, secret: true });
    }
    return new TestStack(workDir, automation, project);
  }

  /** Removes the project directory with the backend; what the stack has on hosts stays there. */
  remove(): void {
    removeTree(this.workDir);
  }

  /** Changes the program that the next operation runs. */
  set program(program: PulumiFn) {
    this.automation.workspace.program = program;
  }

  preview(options: PreviewOptions & Expectation = {}): Promise<Operation> {
    return this.operate("preview", options, (reported) => this.automation.preview(reported));
  }

  up(options: UpOptions & Expectation = {}): Promise<Operation> {
    return this.operate("up", options, (reported) => this.automation.up(reported));
  }

  refresh(options: RefreshOptions & Expectation = {}): Promise<Operation> {
    return this.operate("refresh", options, (reported) => this.automation.refresh(reported));
  }

  destroy(options: DestroyOptions & Expectation = {}): Promise<Operation> {
    return this.operate("destroy", options, (reported) => this.automation.destroy(reported));
  }

  /** `pulumi preview --diff` as a person sees it, without colours. */
  async previewText(options: PreviewOptions & Expectation = {}): Promise<string> {
    return (await this.preview({ diff: true, ...options })).stdout;
  }

  /** Outputs of the stack, as `up` left them. */
  async outputs(): Promise<OutputMap> {
    await this.automation.workspace.saveProjectSettings(this.project);
    return this.automation.outputs();
  }

  /** The stack's state as it lies in the backend: what `pulumi stack export` prints, secrets as ciphertext. */
  async state(): Promise<State> {
    const file = `${this.automation.name}.json`;
    const path = join(this.workDir, "backend", ".pulumi", "stacks", this.project.name, file);
    const stored = JSON.parse(await readFile(path, "utf8")) as { checkpoint: { latest?: State } };
    return stored.checkpoint.latest ?? {};
  }

  /** The state of the resource of that name. */
  async resource(name: string): Promise<StateResource | undefined> {
    const { resources = [] } = await this.state();
    return resources.find(({ urn }) => urn.endsWith(`::${name}`));
  }

  /**
   * Where a planted secret is found in clear, or in an encoding that anybody can undo: in anything the engine printed,
   * in events, in the state, in any file of the project directory and the backend with its history. Wanted: nowhere.
   *
   * @param more other texts to search, each under the name to report it by
   */
  async leaksOf(secret: string, more: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
    const texts = new Map([...this.texts, ...filesBelow(this.workDir, ["node_modules"]), ...Object.entries(more)]);
    texts.set("state", JSON.stringify(await this.state()));
    return findSecret(secret, texts);
  }

  private async operate<O extends PreviewOptions | UpOptions | RefreshOptions | DestroyOptions>(
    name: string,
    { expect = "success", ...options }: O & Expectation,
    run: (options: object) => Promise<{ stdout: string; stderr: string }>,
  ): Promise<Operation> {
    const events: EngineEvent[] = [];
    const printed = { out: "", err: "" };
    let error: Error | undefined;
    // Another stack of the same directory has left its own project there.
    await this.automation.workspace.saveProjectSettings(this.project);
    try {
      await run({
        color: "never",
        ...options,
        onEvent: (event: EngineEvent) => {
          if (!isDebug(event)) events.push(event);
          options.onEvent?.(event);
        },
        onOutput: (text: string) => {
          printed.out += text;
          options.onOutput?.(text);
        },
        onError: (text: string) => (printed.err += text),
      });
    } catch (caught) {
      if (!(caught instanceof Error)) throw caught;
      error = caught;
    }
    const operation = new Operation(events, printed.out, printed.err, error);
    this.operations.push(operation);
    const label = `${this.operations.length}. ${name}`;
    this.texts.set(`${label}: stdout`, printed.out);
    this.texts.set(`${label}: stderr`, printed.err);
    this.texts.set(`${label}: events`, JSON.stringify(events));
    this.texts.set(`${label}: error`, error?.message ?? "");
    if (error && expect === "success") throw error;
    if (!error && expect === "failure") throw new Error(`${name} was expected to fail:\n${printed.out}`);
    return operation;
  }
}

/** The SDK reports its own calls, secrets in clear, as diagnostics of a severity that its types do not list. */
function isDebug({ diagnosticEvent }: EngineEvent): boolean {
  const severity: string | undefined = diagnosticEvent?.severity;
  return severity === "debug";
}

/** The deployment in a checkpoint, as far as tests look at it. */
export interface State {
  readonly resources?: readonly StateResource[];
  readonly pending_operations?: readonly { readonly type: string; readonly resource: StateResource }[];
}

export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly parent?: string;
  readonly initErrors?: readonly string[];
}

let engine: Promise<Engine> | undefined;

/** The engine that all tests of this process use; building it takes some minutes, once per machine. */
export function testEngine(): Promise<Engine> {
  const progress = (text: string) => process.stderr.write(`engine: ${text}\n`);
  engine ??= findEngine({ env: process.env, projectDir: REPOSITORY, progress, releases: lockedReleases(REPOSITORY) });
  return engine;
}
