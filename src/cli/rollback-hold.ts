import { createInterface } from "node:readline/promises";
import { cannotHold } from "../host/kept";
import { reasonOf } from "../host/reason";
import { UnreachableError } from "../host/transport";
import type { Deployed, Kept } from "./releases-deployed";
import { madeFrom, shortTime, table, type ReleaseRow } from "./releases-table";
import { StackConfig } from "./stack-config";
import type { EngineStack } from "./stack-engine";

/** A component that is to be held on a release. */
export interface Choice {
  readonly deployed: Deployed;
  readonly kept: Kept;
  readonly release: Pick<ReleaseRow, "id" | "time" | "operator" | "commit" | "snapshot">;
}

export interface HoldOptions {
  readonly reason?: string;
  /** Also to a release after which an irreversible one came on; only with a reason. */
  readonly force?: boolean;
  /** No question is asked. */
  readonly yes?: boolean;
  /** Options of `pulumi up`. */
  readonly engine: readonly string[];
}

/** Pins each component to its release and rolls that out; refused as a whole where a host cannot go back. */
export async function hold(stack: EngineStack, choices: readonly Choice[], options: HoldOptions): Promise<void> {
  const reason = reasonFor(choices, options);
  const refusals = choices.flatMap((choice) => refusalsOf(choice, options.force));
  if (refusals.length > 0) {
    throw new Error(`not every host can go back; nothing was changed\n${refusals.join("\n").replace(/^/gm, "  ")}`);
  }
  const rows = choices.map(({ deployed, release }) => [
    `  ${deployed.component}`,
    [...new Set(Object.values(deployed.actual))].join(", ") || "nothing",
    `→ ${release.id}`,
    `on ${Object.keys(deployed.hosts).sort().join(", ")}`,
    `of ${shortTime(release.time)}${release.operator === "" ? "" : ` by ${release.operator}`}`,
    madeFrom(release),
  ]);
  console.log(
    [`Stack ${stack.name}:`, ...table(rows), ...(reason === undefined ? [] : [`  because ${reason}`])].join("\n"),
  );
  const until = `until \`gofleet rollback ${choices.length === 1 ? `${choices[0]?.deployed.component} ` : ""}--undo\``;
  if (!(await agreed(`Hold ${choices.length === 1 ? "it" : "them"} there, ${until}?`, options.yes))) return;
  const config = new StackConfig(stack);
  for (const { deployed, release } of choices) {
    await config.pin(deployed.component, {
      release: release.id,
      ...(reason === undefined ? {} : { reason }),
      ...(options.force === true ? { force: true } : {}),
    });
  }
  await rollOut(
    stack,
    choices.map(({ deployed }) => deployed),
    options,
  );
}

/** `pulumi up` of these components and of nothing else that the program may have changed meanwhile. */
export async function rollOut(
  stack: EngineStack,
  components: readonly Deployed[],
  { engine }: Pick<HoldOptions, "engine">,
): Promise<void> {
  // The component and the stack as well: their outputs are to say what is true then.
  const targets = [...new Set(components.flatMap(({ urn, ancestors }) => [urn, ...ancestors]))];
  const code = await stack.show(
    "up",
    "--yes",
    "--skip-preview",
    ...targets.flatMap((urn) => ["--target", urn]),
    ...engine,
  );
  if (code === 0) return;
  const names = components.map(({ component }) => component).join(", ");
  throw new Error(
    `pulumi up of ${names} ended with code ${code}. The stack's configuration stays as it was just written: ` +
      "`pulumi up` tries again, `gofleet rollback` decides otherwise",
  );
}

/** @throws Error where nobody can be asked */
export async function agreed(question: string, yes = false): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) throw new Error("there is no terminal to ask on; give --yes");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const agreed = /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
    if (!agreed) console.log("nothing was changed");
    return agreed;
  } finally {
    terminal.close();
  }
}

function reasonFor(
  choices: readonly Choice[],
  { reason: given, force }: Pick<HoldOptions, "reason" | "force">,
): string | undefined {
  if (given !== undefined) return reasonOf("--reason", given);
  if (force === true) throw new Error('--force goes back across an irreversible release: it needs --reason "why"');
  const guarded = choices
    .filter(({ deployed }) => deployed.protect || deployed.reasons)
    .map(({ deployed }) => deployed.component);
  if (guarded.length === 0) return undefined;
  throw new Error(
    `${guarded.join(", ")}: a protected component (\`protect\` of its resource, or audit.reasons of its target) needs --reason "why"`,
  );
}

function refusalsOf({ deployed, kept, release }: Choice, force: boolean | undefined): string[] {
  const counted = new Map(
    // The rollout leaves such a host as it is, and says so.
    [...kept].filter(
      ([, outcome]) => outcome.ok || deployed.unreachable === "fail" || !(outcome.error instanceof UnreachableError),
    ),
  );
  return cannotHold(release.id, counted, force).map((line) => `${deployed.component} on ${line}`);
}
