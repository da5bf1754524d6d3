import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import type * as Pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import type { Rollout } from "../model/rollout";
import type { HostPlan } from "../plan/host-plan";
import type { Position } from "../report/change";
import { observe, type DeclaredRelease } from "../targets/observer";
import { declaredAt } from "./declared-at";

/** What stands for a text that is a secret: never its bytes. */
export const SECRET = "[secret]\n";

/** A release of a program with everything resolved. */
export interface ProgramRelease {
  readonly name: string;
  readonly component: string;
  /** URN of the component it belongs to. */
  readonly parent: string;
  readonly plan: HostPlan;
  /** Connection lines by host key. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly rollout: Rollout;
  /** Where the program declares it; undefined where no file of the project does. */
  readonly position?: Position;
}

export interface ProgramOptions {
  /** The Pulumi project's directory. */
  readonly project: string;
  readonly stack: string;
  /** Stack configuration: `key=value`. */
  readonly config: readonly string[];
}

/**
 * Runs a Pulumi program without an engine and without credentials, and gives back the releases it declares. Resources
 * of other packages answer with their own inputs.
 */
export async function runProgram({ project, stack, config }: ProgramOptions): Promise<ProgramRelease[]> {
  const root = resolve(project);
  const { name, main } = projectSettings(root);
  // The program's own SDK: releases made by another copy of it would never be seen by this one.
  const programRequire = createRequire(join(root, "package.json"));
  const pulumi = programRequire("@pulumi/pulumi") as typeof Pulumi;
  pulumi.runtime.setAllConfig(Object.fromEntries(config.map((entry) => configEntry(name, entry))));
  await pulumi.runtime.setMocks(
    {
      newResource: ({ inputs, name: id }) => ({ id, state: inputs as Record<string, unknown> }),
      call: ({ inputs }) => inputs as Record<string, unknown>,
    },
    name,
    stack,
    false,
    "organization",
  );
  const declared: Declared[] = [];
  const real = realpathSync(root);
  observe((release) => declared.push({ ...release, position: declaredAt(real) }));
  if (/\.[cm]?ts$/.test(main)) loadTypeScript(programRequire, main);
  try {
    const exported: unknown = programRequire(main);
    if (typeof exported === "function") await (exported as () => unknown)();
  } catch (error) {
    throw meant(error);
  }
  return Promise.all(declared.map((release) => resolved(release, pulumi)));
}

/** What Pulumi marks as said to a person is plain, with what would do here; any other error keeps its stack. */
function meant(error: unknown): unknown {
  if (!(error instanceof Error) || !("__pulumiRunError" in error)) return error;
  const hint = "key" in error ? `\n  → here by --config ${String(error.key)}=VALUE` : "";
  return new Error(`${error.message}${hint}`);
}

type Declared = DeclaredRelease & { readonly position: Position | undefined };

async function resolved(
  { name, component, plan, target, parent, position }: Declared,
  pulumi: typeof Pulumi,
): Promise<ProgramRelease> {
  const value = (input: Pulumi.Input<string>, secret: string): Promise<string> =>
    new Promise((settle, reject) => {
      const output = pulumi.output(input);
      output.apply(async (text) => settle((await pulumi.isSecret(output)) ? secret : text));
      // An output that fails never calls apply; its promise tells.
      (output as unknown as { promise(): Promise<unknown> }).promise().catch(reject);
    });
  return {
    name,
    component,
    parent: await value(parent.urn, ""),
    plan: {
      ...plan,
      files: await Promise.all(plan.files.map(async (file) => ({ ...file, text: await value(file.text, SECRET) }))),
    },
    hosts: Object.fromEntries(
      await Promise.all(
        Object.entries(target.hosts).map(async ([key, { line }]) => [key, await value(line, "")] as const),
      ),
    ),
    rollout: target.rollout,
    ...(position === undefined ? {} : { position }),
  };
}

/** Name and entry point of the project, as Pulumi finds them. See https://www.pulumi.com/docs/iac/concepts/projects/project-file/. */
function projectSettings(root: string): { name: string; main: string } {
  const file = ["Pulumi.yaml", "Pulumi.yml"].map((each) => join(root, each)).find(existsSync);
  if (file === undefined) throw new Error(`no Pulumi.yaml in ${root}: give the project's directory by --project`);
  const { name, main = "." } = parse(readFileSync(file, "utf8")) as { name: string; main?: string };
  const entry = resolve(dirname(file), main);
  const manifest = join(entry, "package.json");
  const named = existsSync(manifest)
    ? (JSON.parse(readFileSync(manifest, "utf8")) as { main?: string }).main
    : undefined;
  const candidates = [
    entry,
    ...(named === undefined ? [] : [join(entry, named)]),
    join(entry, "index.ts"),
    join(entry, "index.js"),
  ];
  const found = candidates.find((path) => /\.[cm]?[jt]s$/.test(path) && existsSync(path));
  if (found === undefined) throw new Error(`no program found for ${file}: looked for ${candidates.join(", ")}`);
  return { name, main: found };
}

function loadTypeScript(programRequire: NodeJS.Require, main: string): void {
  try {
    programRequire("tsx/cjs");
  } catch {
    throw new Error(
      `${main} is TypeScript: add tsx to the project's devDependencies, or point "main" at compiled JavaScript`,
    );
  }
}

function configEntry(project: string, entry: string): [string, string] {
  const [key = "", ...value] = entry.split("=");
  return [key.includes(":") ? key : `${project}:${key}`, value.join("=")];
}
