/**
 * What our step on a host costs beside the same work done by raw `tar | ssh`, by Ansible and by pyinfra. Each contender
 * has a real host of its own, all on this machine.
 */
import { must } from "../../test/hosts/support/commands";
import { hosts, unavailable, type Host } from "../../test/hosts/support/hosts";
import { median, paired, progress, ratio, report } from "../support";
import { Ours } from "./ours";
import { ansible, pyinfra, raw, type Contender } from "./others";

const ROUNDS = 9;
/** For tools whose one run takes longer than all of ours together. */
const SLOW_ROUNDS = 2;

async function main(): Promise<void> {
  const reason = unavailable();
  if (reason) throw new Error(reason);
  const ourHost = await hosts.boot("ours");
  const ours = new Ours(ourHost);
  const rawHost = await hosts.boot("raw");
  let generation = 0;

  progress("a change: 25 files, 2 units, 1 user, restart, probe");
  const change = await paired(ROUNDS, {
    ours: () => ours.apply(++generation),
    raw: () => raw(rawHost, ++generation),
  });

  progress("no change, beside `ssh HOST true`");
  await ours.apply(generation);
  const nothing = await paired(ROUNDS, {
    ours: () => ours.apply(generation),
    sshTrue: () => must("ssh", [...ourHost.sshArguments(), "true"]),
  });

  const beside = async (name: string, contender: Contender | undefined): Promise<number | null> => {
    if (!contender) {
      progress(`${name}: not installed`);
      return null;
    }
    const host: Host = await hosts.boot(name);
    progress(`the same change by ${name}`);
    const times = await paired(SLOW_ROUNDS, {
      ours: () => ours.apply(++generation),
      theirs: () => contender(host, ++generation),
    });
    await host.stop();
    return ratio(times.ours, times.theirs);
  };

  report("apply", {
    raw_seconds: median(change.raw),
    ours_seconds: median(change.ours),
    ratio_to_raw: ratio(change.ours, change.raw),
    noop_seconds: median(nothing.ours),
    ssh_true_seconds: median(nothing.sshTrue),
    noop_ratio_to_ssh_true: ratio(nothing.ours, nothing.sshTrue),
    ratio_to_ansible: await beside("ansible", ansible()),
    ratio_to_pyinfra: await beside("pyinfra", pyinfra()),
  });
  await hosts.stopAll();
}

main().catch((error: unknown) => {
  progress(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
});
