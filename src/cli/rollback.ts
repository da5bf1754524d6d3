import { Command, Option } from "commander";
import { reasonVariable } from "../host/reason";
import { askKept, deployedReleases, oneOf } from "./releases-deployed";
import { previousRelease, releaseTo } from "./rollback-choice";
import { agreed, hold, rollOut, type HoldOptions } from "./rollback-hold";
import { StackConfig } from "./stack-config";
import { openStack, stackOptions, type EngineStack, type StackArgs } from "./stack-engine";

interface RollbackArgs extends StackArgs, Omit<HoldOptions, "engine"> {
  readonly to?: string;
  readonly previous?: boolean;
  readonly undo?: boolean;
}

/** `gofleet rollback`: a component back on a release that its hosts keep, until that is undone. */
export function rollbackCommand(): Command {
  const command = new Command("rollback")
    .summary("take a component back to a release that its hosts keep")
    .description(
      "Pins a component to a release (stack configuration gofleet:pin) and rolls it out by `pulumi up` of that component " +
        "alone, with the canaries, batches and gates of every update. Refused before anything is touched where a host no " +
        "longer holds the release. Every preview says that it is pinned, until --undo rolls the program's release out " +
        "again. What follows -- goes to `pulumi up` as it is.",
    )
    .usage("[options] [component] [-- options of `pulumi up`]")
    .argument("[component]", "its directory under /etc/gofleet; needed where the stack has several")
    .argument("[engine...]", "after --: options of `pulumi up`")
    .addOption(
      new Option("--to <id>", "the release, or the first 8 or more digits of it").conflicts(["previous", "undo"]),
    )
    .addOption(
      new Option("--previous", "the newest one that every host keeps and none runs (the default)").conflicts("undo"),
    )
    .option("--undo", "take the pin off, of every component where none is named")
    .option(
      "--reason <text>",
      "why; shown in every preview, and written into the hosts' events. Needed for a component with `protect`, and where " +
        "its target says audit.reasons; not for --undo",
    )
    .option("--force", "also across a release that is declared irreversible (rollback.revert: false); needs --reason")
    .option("--yes", "ask no question");
  return stackOptions(command).action(rollback);
}

async function rollback(
  first: string | undefined,
  rest: readonly string[],
  { to, undo = false, reason, force, yes, ...args }: RollbackArgs,
): Promise<void> {
  // Without a component the first word after -- comes in its place.
  const [component, engine] = first?.startsWith("-") === true ? [undefined, [first, ...rest]] : [first, rest];
  const stack = await openStack(args, reasonVariable(reason));
  if (undo) return takeOff(stack, component, { engine, ...(yes === undefined ? {} : { yes }) });
  const deployed = oneOf(await deployedReleases(stack), component);
  const kept = await askKept(deployed);
  const release = to === undefined ? previousRelease(deployed, kept) : releaseTo(to, deployed, kept);
  await hold(stack, [{ deployed, kept, release }], {
    engine,
    ...(reason === undefined ? {} : { reason }),
    ...(force === undefined ? {} : { force }),
    ...(yes === undefined ? {} : { yes }),
  });
}

async function takeOff(
  stack: EngineStack,
  component: string | undefined,
  options: Pick<HoldOptions, "engine" | "yes">,
): Promise<void> {
  const config = new StackConfig(stack);
  const pins = await config.pins();
  if (pins.size === 0) throw new Error(`nothing is pinned in stack ${stack.name}`);
  if (component !== undefined && !pins.has(component)) {
    throw new Error(`${component} is not pinned in stack ${stack.name}; pinned: ${[...pins.keys()].join(", ")}`);
  }
  const names = component === undefined ? [...pins.keys()] : [component];
  console.log(
    [`Stack ${stack.name}:`, ...names.map((name) => `  ${name} is held on ${pins.get(name)?.release}`)].join("\n"),
  );
  if (!(await agreed("Roll the program's release out again?", options.yes))) return;
  for (const name of names) await config.unpin(name);
  const deployed = (await deployedReleases(stack)).filter((each) => names.includes(each.component));
  // A pin may name a component that is no more.
  if (deployed.length > 0) await rollOut(stack, deployed, options);
}
