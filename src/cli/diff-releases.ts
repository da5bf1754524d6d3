import { fork } from "node:child_process";
import { isDeepStrictEqual } from "node:util";
import { planInputs } from "../host/release";
import { SECRET, type Preview, type Properties, type ResourceChange } from "../report/change";
import { nameOf, typeOf } from "../report/urn";
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
  const olds = new Map(before.map((each) => [each.component, each]));
  const news = new Map(after.map((each) => [each.component, each]));
  const releases = [...new Set([...olds.keys(), ...news.keys()])].sort().map((name) => {
    const urn = `urn:pulumi:${stack.stack}::${stack.project}::${TYPE}::${name}`;
    return releaseOf(urn, name, olds.get(name), news.get(name));
  });
  const resources = [...owners(before, after), ...releases];
  return { stacks: [{ ...stack, resources, diagnostics: [], policies: [], packs: [], refreshed: [], complete: true }] };
}

type Maybe = ProgramRelease | undefined;

function releaseOf(urn: string, name: string, old: Maybe, next: Maybe): ResourceChange {
  const oldInputs = old === undefined ? {} : inputs(old);
  const newInputs = next === undefined ? {} : inputs(next);
  const op = operation(old, next);
  const same = op === "update" && isDeepStrictEqual(oldInputs, newInputs);
  const { parent = "" } = next ?? old ?? {};
  return { ...RESOURCE, urn, name, type: TYPE, parent, op: same ? "same" : op, oldInputs, newInputs, ...placeOf(next) };
}

/** The components of this package that releases belong to. */
function owners(before: readonly ProgramRelease[], after: readonly ProgramRelease[]): ResourceChange[] {
  const olds = new Map(before.map((each) => [each.parent, each]));
  const news = new Map(after.map((each) => [each.parent, each]));
  return [...new Set([...olds.keys(), ...news.keys()])].flatMap((urn) => {
    const type = typeOf(urn);
    if (!type.startsWith("gofleet:")) return [];
    const op = operation(olds.get(urn), news.get(urn));
    const place = placeOf(news.get(urn));
    return [{ ...RESOURCE, urn, name: nameOf(urn), type, op: op === "update" ? "same" : op, ...place }];
  });
}

const operation = (old: Maybe, next: Maybe): "create" | "delete" | "update" =>
  old === undefined ? "create" : next === undefined ? "delete" : "update";

/** What goes has no place in the program any more. */
function placeOf(next: Maybe): Pick<ResourceChange, "position"> {
  return next?.position === undefined ? {} : { position: next.position };
}

const RESOURCE = {
  protect: false,
  unprotected: false,
  retain: false,
  replaceKeys: [],
  detailed: {},
  oldInputs: {},
  newInputs: {},
  oldOutputs: {},
  newOutputs: {},
  failed: false,
} as const;

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
