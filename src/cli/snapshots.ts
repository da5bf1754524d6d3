import { Command } from "commander";
import { originOf } from "../host/origin";
import { parseSnapshotName, type SnapshotSet } from "../model/snapshot-set";
import { sentence as said } from "../model/issues";
import { askKept, deployedReleases, type Deployed, type Kept } from "./releases-deployed";
import { table } from "./releases-table";
import { releaseTo } from "./rollback-choice";
import { hold, type HoldOptions } from "./rollback-hold";
import { StackConfig } from "./stack-config";
import { openStack, stackOptions, type StackArgs } from "./stack-engine";

/** `gofleet snapshots`: what a stack runs under a name, kept on the hosts until that is given up. */
export function snapshotsCommand(): Command {
  return new Command("snapshots")
    .summary("name what a stack runs, keep it on the hosts, go back to it")
    .description(
      "A snapshot is the release of each component under one name, in the stack's configuration (gofleet:snapshots). Its " +
        "releases stay on the hosts however many come after, so that all of them can be restored together.",
    )
    .addCommand(
      sub("list", "list the snapshots, and whether every host can still go back to them", list).option(
        "--json",
        "print them as JSON",
      ),
    )
    .addCommand(
      sub("protect", "keep what runs now under a name", protect).argument(
        "[name]",
        "default: version, time and CI run of the project's commit",
      ),
    )
    .addCommand(
      sub("unprotect", "give a snapshot up; later updates may remove its releases", unprotect).argument("<name>"),
    )
    .addCommand(
      sub("restore", "take every component back to its release of a snapshot, as by `gofleet rollback`", restore)
        .usage("[options] <name> [-- options of `pulumi up`]")
        .argument("<name>")
        .argument("[engine...]", "after --: options of `pulumi up`")
        .option("--reason <text>", "why; needed for components with `protect`, and where a target says audit.reasons")
        .option("--force", "also across releases that are declared irreversible; needs --reason")
        .option("--yes", "ask no question"),
    );
}

function sub<Args extends unknown[]>(name: string, summary: string, action: (...args: Args) => Promise<void>): Command {
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return stackOptions(new Command(name).summary(summary).description(sentence))
    .helpOption("-h, --help", "print help")
    .showHelpAfterError(`(gofleet snapshots ${name} --help says more)`)
    .exitOverride()
    .action((...args: unknown[]) => action(...(args as Args)));
}

async function list({ json = false, ...args }: StackArgs & { readonly json?: boolean }): Promise<void> {
  const stack = await openStack(args);
  const snapshots = await new StackConfig(stack).snapshots();
  if (json) {
    console.log(JSON.stringify({ stack: stack.name, snapshots: Object.fromEntries(snapshots) }, null, 2));
    return;
  }
  if (snapshots.size === 0) {
    console.log(`stack ${stack.name} has no snapshot; \`gofleet snapshots protect\` makes one of what runs now`);
    return;
  }
  const found = new Map<string, readonly [Deployed, Kept]>();
  for (const each of await deployedReleases(stack)) found.set(each.component, [each, await askKept(each)]);
  const rows = [...snapshots].flatMap(([name, set]) =>
    Object.entries(set).map(([component, release], index) => [
      index === 0 ? name : "",
      component,
      release,
      holds(found.get(component), release),
    ]),
  );
  console.log(table([["snapshot", "component", "release", "hosts"], ...rows]).join("\n"));
}

/** Whether the hosts can still go back. */
function holds(found: readonly [Deployed, Kept] | undefined, release: string): string {
  if (found === undefined) return "not in the stack any more";
  const [{ actual }, kept] = found;
  const without = [...kept].flatMap(([host, outcome]) =>
    outcome.ok && outcome.value.some(({ id, whole }) => id === release && whole) ? [] : [host],
  );
  if (without.length > 0) return `not on ${without.join(", ")}`;
  return Object.values(actual).every((each) => each === release) ? "runs on all" : "kept on all";
}

async function protect(given: string | undefined, args: StackArgs): Promise<void> {
  const stack = await openStack(args);
  const name = given ?? originOf(stack.project, process.env).snapshot;
  if (name === undefined) {
    throw new Error(`${stack.project} is no clean commit of a git repository to take a name from; give one`);
  }
  const { issue } = parseSnapshotName("name", name);
  if (issue !== undefined) throw new Error(`name: ${said(issue)}`);
  const config = new StackConfig(stack);
  if ((await config.snapshots()).has(name)) throw new Error(`there is a snapshot ${name} already; unprotect it first`);
  const set = Object.fromEntries((await deployedReleases(stack)).map((each) => [each.component, running(each)]));
  await config.protect(name, set);
  console.log(`${name} holds\n${text(set)}\nTheir releases stay on the hosts, from the next \`pulumi up\` on.`);
}

/** The one release that all hosts run. */
function running({ component, actual }: Deployed): string {
  const [release, ...others] = [...new Set(Object.values(actual))];
  if (release !== undefined && others.length === 0) return release;
  const found = Object.entries(actual).map(([host, each]) => `${host} ${each}`);
  throw new Error(`the hosts of ${component} do not run one release: ${found.join(", ")}`);
}

async function unprotect(name: string, args: StackArgs): Promise<void> {
  const config = new StackConfig(await openStack(args));
  named(await config.snapshots(), name);
  await config.unprotect(name);
  console.log(`${name} is given up; its releases may go with later updates`);
}

async function restore(
  name: string,
  engine: readonly string[],
  { reason, force, yes, ...args }: StackArgs & Omit<HoldOptions, "engine">,
): Promise<void> {
  const stack = await openStack(args);
  const set = named(await new StackConfig(stack).snapshots(), name);
  const deployed = await deployedReleases(stack);
  const missing = Object.keys(set).filter((component) => !deployed.some((each) => each.component === component));
  if (missing.length > 0)
    throw new Error(`${name} holds ${missing.join(", ")}, which the stack does not have any more`);
  const choices = [];
  for (const each of deployed) {
    const release = set[each.component];
    if (release === undefined) continue;
    const kept = await askKept(each);
    choices.push({ deployed: each, kept, release: releaseTo(release, each, kept) });
  }
  const options = {
    engine,
    ...(reason === undefined ? {} : { reason }),
    ...(force === undefined ? {} : { force }),
    ...(yes === undefined ? {} : { yes }),
  };
  await hold(stack, choices, options);
}

function named(snapshots: ReadonlyMap<string, SnapshotSet>, name: string): SnapshotSet {
  const found = snapshots.get(name);
  if (found !== undefined) return found;
  const names = [...snapshots.keys()].join(", ");
  throw new Error(`no snapshot ${name}; ${names === "" ? "there is none" : `there are ${names}`}`);
}

function text(set: SnapshotSet): string {
  return table(Object.entries(set).map(([component, release]) => [`  ${component}`, release])).join("\n");
}
