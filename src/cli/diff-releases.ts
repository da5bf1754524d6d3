import { fork } from "node:child_process";
import { isDeepStrictEqual } from "node:util";
import { planInputs } from "../host/release";
import { SECRET, type Preview, type Properties, type ResourceChange } from "../report/change";
import { SECRET as SECRET_TEXT, type ProgramOptions, type ProgramRelease } from "./program";

/** The releases a program declares, from a process of its own; what the program prints goes to standard error. */
export function releasesOf(options: ProgramOptions): Promise<ProgramRelease[]> {
  return new Promise((resolve, reject) => {
    const child = fork(require.resolve("./diff-program"), { stdio: ["ignore", 2, 2, "ipc"], cwd: options.project });
    child.once("message", (answer: { releases?: ProgramRelease[]; error?: string }) => {
      if (answer.releases === undefined) reject(new Error(answer.error));
      else resolve(answer.releases);
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the program ended with code ${code} before it declared anything`)));
    child.send(options);
  });
}

const TYPE = "pulumi-nodejs:gofleet:HostRelease";

/** Two renderings as a preview. They know no state: nothing of drift, and of secrets only that they are there. */
export function compareReleases(
  stack: { readonly project: string; readonly stack: string },
  before: readonly ProgramRelease[],
  after: readonly ProgramRelease[],
): Preview {
  const olds = new Map(before.map((each) => [each.component, inputs(each)]));
  const news = new Map(after.map((each) => [each.component, inputs(each)]));
  const resources = [...new Set([...olds.keys(), ...news.keys()])].sort().map((name): ResourceChange => {
    const old = olds.get(name);
    const next = news.get(name);
    const op =
      old === undefined ? "create" : next === undefined ? "delete" : isDeepStrictEqual(old, next) ? "same" : "update";
    return {
      urn: `urn:pulumi:${stack.stack}::${stack.project}::${TYPE}::${name}`,
      type: TYPE,
      name,
      op,
      protect: false,
      retain: false,
      replaceKeys: [],
      detailed: {},
      oldInputs: old ?? {},
      newInputs: next ?? {},
      oldOutputs: {},
      newOutputs: {},
      failed: false,
    };
  });
  return { stacks: [{ ...stack, resources, diagnostics: [], policies: [], refreshed: [], complete: true }] };
}

function inputs({ component, plan, hosts, rollout }: ProgramRelease): Properties {
  const text = (value: string): string => (value === SECRET_TEXT ? SECRET : value);
  return {
    component,
    files: Object.fromEntries(plan.files.map((file) => [file.path, text(file.text)])),
    plan: planInputs(plan),
    hosts,
    rollout,
  };
}
