import { Command } from "commander";
import { protectedReleases } from "../model/snapshot-set";
import { askKept, deployedReleases, oneOf, type Deployed, type Kept } from "./releases-deployed";
import { releasesText } from "./releases-table";
import { StackConfig } from "./stack-config";
import { openStack, stackOptions, type StackArgs } from "./stack-engine";

interface ReleasesArgs extends StackArgs {
  readonly json?: boolean;
}

/** `gofleet releases`: what each host keeps, read from the hosts now. */
export function releasesCommand(): Command {
  const command = new Command("releases")
    .summary("list the releases that hosts keep, for going back")
    .description(
      "Asks the hosts of a stack which releases they keep: when each was switched to last, by whom, from which commit or " +
        "snapshot it was made, where it runs, and which is pinned or protected. Nothing is changed. Exit code 1 if a host " +
        "did not answer. A sudo password is read from GOFLEET_SUDO_PASSWORD.",
    )
    .argument("[component]", "its directory under /etc/gofleet (default: all)")
    .option("--json", "print it as JSON, by component and host");
  return stackOptions(command).action(releases);
}

async function releases(component: string | undefined, { json = false, ...args }: ReleasesArgs): Promise<void> {
  const stack = await openStack(args);
  const all = await deployedReleases(stack);
  const wanted = component === undefined ? all : [oneOf(all, component)];
  const snapshots = await new StackConfig(stack).snapshots();
  const answers: (readonly [Deployed, Kept])[] = [];
  for (const each of wanted) answers.push([each, await askKept(each)]);
  if (json) {
    const components = Object.fromEntries(
      answers.map(([each, kept]) => [each.component, data(each, kept, protectedReleases(snapshots, each.component))]),
    );
    console.log(JSON.stringify({ stack: stack.name, components }, null, 2));
  } else {
    const texts = answers.map(([each, kept]) => {
      const held = protectedReleases(snapshots, each.component);
      return releasesText(each, kept, (id) => (held.includes(id) ? "protected" : undefined));
    });
    console.log(texts.join("\n\n"));
  }
  if (answers.some(([, kept]) => [...kept.values()].some(({ ok }) => !ok))) process.exitCode = 1;
}

function data({ pin }: Deployed, kept: Kept, held: readonly string[]): object {
  const hosts = [...kept].map(([host, outcome]) => [
    host,
    outcome.ok ? { releases: outcome.value } : { error: outcome.error.message },
  ]);
  return { pin: pin ?? null, protected: held, hosts: Object.fromEntries(hosts) as object };
}
