import { at, isFields, issuesOf, nearest, unknownKeys, type CheckOptions } from "../check";
import { issue, type Issue } from "../issues";
import { checkFields, flag, listOf, oneOf, type ValueCheck } from "../field-checks";
import { parsePath } from "../names";
import { checkAgent } from "./agent";
import { checkCommand } from "./agents/exec";
import { checkCache, resolveCache, type CacheArgs } from "./cache";
import { DIRECTIVE_NAMES } from "./directives";
import { checkHidden } from "./hidden";
import { checkLimits, checkRoom, type LimitsArgs } from "./limits";
import { checkModules } from "./modules";
import { checkNetwork } from "./network";
import { checkReach } from "./reach";
import { checkWatermarks } from "./watermarks";

/** Options of {@link checkSandbox}. */
export interface SandboxCheckOptions extends CheckOptions {
  /** Keys of the same args object that are not the sandbox's (`target`, `toolchain`, …). */
  readonly otherKeys?: readonly string[];
}

const MOST_SLOTS = 64;

const REQUIRED = {
  agent: 'an agent such as { kind: "exec", command: ["/usr/local/bin/runner", "--once"] }',
  cache: 'the build cache, such as { size: "24 GiB" }',
  limits: 'limits such as { memory: "48 GiB", cpus: 12 }',
} as const;

const KEYS = [
  ...Object.keys(REQUIRED),
  ...["slots", "modules", "network", "confinement", "userNamespaces", "inputs", "job", "watermarks", "hardening"],
];

/** Checks the args of a sandbox, whatever their types: every issue there is, in the order of the args. */
export function checkSandbox(args: unknown, options: SandboxCheckOptions = {}): Issue[] {
  const { isUnknown = () => false, otherKeys = [] } = options;
  if (!isFields(args)) return [issue("", args, "an object such as { target, toolchain, agent, cache, limits }")];
  const check = (key: string, checker: ValueCheck) => {
    const value = args[key];
    return value === undefined || isUnknown(value) ? [] : checker(key, value);
  };
  const needed = (key: keyof typeof REQUIRED, checker: ValueCheck) =>
    args[key] === undefined ? [issue(key, undefined, REQUIRED[key])] : check(key, checker);
  const within = { isUnknown };
  return [
    ...needed("agent", (path, agent) => checkAgent(path, agent, within)),
    ...check("slots", checkSlots),
    ...needed("cache", (path, cache) => checkCache(path, cache, within)),
    ...check("modules", (path, modules) => checkModules(path, modules, within)),
    ...needed("limits", (path, limits) => checkLimits(path, limits, within)),
    ...checkTogether(args, isUnknown),
    ...check("network", (path, network) => checkNetwork(path, network, within)),
    ...(args["agent"] === undefined ? [] : checkReach(args["agent"], args["network"], isUnknown)),
    ...check("confinement", oneOf("enforce", "complain", "off")),
    ...check("userNamespaces", flag),
    ...check("inputs", (path, inputs) => checkInputs(path, inputs, isUnknown)),
    ...check("job", (path, job) => checkFields(path, job, { before: checkCommand, after: checkCommand }, isUnknown)),
    ...check("watermarks", (path, marks) => checkWatermarks(path, marks, within)),
    ...check("hardening", (path, hardening) =>
      checkFields(path, hardening, { off: checkDirectives, canary: flag }, isUnknown),
    ),
    ...checkHidden(args, isUnknown),
    ...unknownKeys("", args, [...KEYS, ...otherKeys]),
  ];
}

const INPUT_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

function checkInputs(path: string, given: unknown, isUnknown: (value: unknown) => boolean): Issue[] {
  if (!isFields(given)) return [issue(path, given, 'paths by name, such as { testdata: "/srv/testdata" }')];
  return Object.entries(given).flatMap(([name, from]) => {
    const here = at(path, name);
    if (!INPUT_NAME.test(name)) return [issue(here, from, "a name of letters, digits, '.', '_' and '-', at most 64")];
    return isUnknown(from) ? [] : issuesOf(parsePath(here, from));
  });
}

function checkSlots(path: string, given: unknown): Issue[] {
  const fits = typeof given === "number" && Number.isInteger(given) && given >= 1 && given <= MOST_SLOTS;
  return fits ? [] : [issue(path, given, `a whole number from 1 to ${MOST_SLOTS}`)];
}

/** What only several arguments together say, where each of them is right and known. */
function checkTogether(args: Readonly<Record<string, unknown>>, isUnknown: (value: unknown) => boolean): Issue[] {
  const { slots = 1, cache, limits } = args;
  const isKnown = (value: unknown): boolean =>
    !isUnknown(value) && (!isFields(value) || Object.values(value).every(isKnown));
  if (![slots, cache, limits].every(isKnown)) return [];
  const wrong = [...checkSlots("", slots), ...checkCache("", cache), ...checkLimits("", limits)];
  if (wrong.length > 0) return [];
  return checkRoom("limits", limits as LimitsArgs, slots as number, resolveCache(cache as CacheArgs));
}

const checkDirectives = listOf((path, name) => {
  if (typeof name === "string" && DIRECTIVE_NAMES.includes(name)) return [];
  const near = typeof name === "string" ? nearest(name, DIRECTIVE_NAMES) : undefined;
  const hint = near === undefined ? "see the table in docs/build-agent-sandbox.md" : `did you mean "${near}"?`;
  return [issue(path, name, `the name of a directive that slots have; ${hint}`)];
}, 'directives to leave out, such as ["PrivateUsers"]');
