import type { Hook, HookPoint, Hooks } from "../host/hooks";
import { at, isFields, unknownKeys } from "../model/check";
import { issue, type Issue } from "../model/issues";
import { parseDuration, type Duration } from "../model/units";

/** A hook as a program writes it: exactly one of `host`, `operator` and `post`. */
export interface HookArgs {
  /** A command on the host, as root: program and arguments, no shell in between. */
  readonly host?: readonly string[];
  /** A command on the machine that runs Pulumi. */
  readonly operator?: readonly string[];
  /** A URL that gets the evidence as JSON by POST; any 2xx is good. */
  readonly post?: string;
  /**
   * Longest that it may take; then it has failed.
   * @default "60 s"
   */
  readonly timeout?: Duration;
  /**
   * What a failing hook means.
   * @default "fail" for `beforeSwitch` and `afterHealthy`, "warn" for the others
   */
  readonly failure?: "fail" | "warn";
}

/** Hooks run inside the transaction, on each host. See `Hooks` for what each point means and what a hook is told. */
export type HooksArgs = { readonly [Point in keyof Hooks]?: HookArgs };

const HOOK_TIMEOUT = 60;
const POINTS: readonly HookPoint[] = ["beforeSwitch", "afterHealthy", "onFailure", "afterRollback"];

/** What is wrong with the hooks. */
export function checkHooks(hooks: unknown): Issue[] {
  if (hooks === undefined) return [];
  if (!isFields(hooks)) return [issue("hooks", hooks, 'hooks by point: { afterHealthy: { operator: ["./smoke"] } }')];
  const issues = unknownKeys("hooks", hooks, POINTS);
  for (const point of POINTS) {
    const hook = hooks[point];
    const path = at("hooks", point);
    if (hook === undefined) continue;
    if (!isFields(hook)) {
      issues.push(issue(path, hook, '{ host: […] }, { operator: […] } or { post: "https://…" }'));
      continue;
    }
    issues.push(...unknownKeys(path, hook, ["host", "operator", "post", "timeout", "failure"]));
    const kinds = (["host", "operator", "post"] as const).filter((kind) => hook[kind] !== undefined);
    if (kinds.length !== 1) issues.push(issue(path, kinds, "exactly one of host, operator and post"));
    for (const kind of ["host", "operator"] as const) {
      const command = hook[kind];
      if (command === undefined) continue;
      const ok =
        Array.isArray(command) &&
        command.length > 0 &&
        command.every((word) => typeof word === "string" && !word.includes("\0"));
      if (!ok) issues.push(issue(at(path, kind), command, 'program and arguments: ["/usr/local/bin/drain", "--wait"]'));
    }
    if (hook["post"] !== undefined && !/^https?:\/\/[^\s@]+$/.test(String(hook["post"]))) {
      issues.push(issue(at(path, "post"), hook["post"], "an http or https URL without credentials in it"));
    }
    if (hook["timeout"] !== undefined) {
      const parsed = parseDuration(at(path, "timeout"), hook["timeout"]);
      if (parsed.issue !== undefined) issues.push(parsed.issue);
    }
    if (hook["failure"] !== undefined && hook["failure"] !== "fail" && hook["failure"] !== "warn") {
      issues.push(issue(at(path, "failure"), hook["failure"], '"fail" or "warn"'));
    }
  }
  return issues;
}

/** The hooks as the release resource takes them, defaults filled in. */
export function hooksOf(given: HooksArgs): Hooks {
  return Object.fromEntries(
    POINTS.flatMap((point) => {
      const hook = given[point];
      return hook === undefined ? [] : [[point, hookOf(point, hook)] as const];
    }),
  );
}

function hookOf(point: HookPoint, { host, operator, post, timeout, failure }: HookArgs): Hook {
  const parsed = timeout === undefined ? undefined : parseDuration("timeout", timeout);
  return {
    on: post !== undefined ? "http" : host !== undefined ? "host" : "operator",
    ...(post === undefined ? { command: host ?? operator ?? [] } : { url: post }),
    timeout: parsed === undefined || parsed.issue !== undefined ? HOOK_TIMEOUT : parsed.value,
    failure: failure ?? (point === "beforeSwitch" || point === "afterHealthy" ? "fail" : "warn"),
  };
}
