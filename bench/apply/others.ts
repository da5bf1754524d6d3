import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasCommand, must } from "../../test/hosts/support/commands";
import type { Host } from "../../test/hosts/support/hosts";
import { workload, writeTree, type Workload } from "./workload";

/** Does a generation's job on a host. */
export type Contender = (host: Host, generation: number) => Promise<void>;

/** Time limit of one run, milliseconds. */
const TIMEOUT = 10 * 60_000;

/** The floor, raw.sh. */
export const raw: Contender = withTree(async (host, tree, { probe, units }) => {
  await must("sh", [join(__dirname, "raw.sh"), tree, probe, units.join(" "), ...host.sshArguments()]);
});

/** `ansible-playbook`, or undefined where it is not installed. */
export function ansible(): Contender | undefined {
  if (!hasCommand("ansible-playbook")) return undefined;
  return withTree(async (host, tree, { probe, units }) => {
    const variables = {
      tree,
      units,
      probe,
      ansible_user: host.user,
      ansible_ssh_private_key_file: host.identityFile,
      ansible_ssh_common_args: `-o UserKnownHostsFile=${host.knownHostsFile}`,
      ansible_python_interpreter: "/usr/bin/python3",
    };
    const playbook = join(__dirname, "ansible", "playbook.yml");
    const args = ["--inventory", `${host.address},`, "--extra-vars", JSON.stringify(variables), playbook];
    await must("ansible-playbook", args, { timeout: TIMEOUT });
  });
}

/** `pyinfra`, or undefined where it is not installed. */
export function pyinfra(): Contender | undefined {
  if (!hasCommand("pyinfra")) return undefined;
  return withTree(async (host, tree, { probe, units }) => {
    const data = {
      tree,
      units: units.join(","),
      probe,
      ssh_user: host.user,
      ssh_key: host.identityFile,
      ssh_known_hosts_file: host.knownHostsFile,
      ssh_strict_host_key_checking: "yes",
    };
    const inventory = join(tmpdir(), `gofleet-bench-inventory-${process.pid}.py`);
    writeFileSync(inventory, `hosts = [(${JSON.stringify(host.address)}, ${JSON.stringify(data)})]\n`);
    try {
      const deploy = join(__dirname, "pyinfra", "deploy.py");
      await must("pyinfra", ["--yes", inventory, deploy], { timeout: TIMEOUT });
    } finally {
      rmSync(inventory);
    }
  });
}

function withTree(work: (host: Host, tree: string, load: Workload) => Promise<void>): Contender {
  return async (host, generation) => {
    const load = workload(generation);
    const tree = writeTree(load);
    try {
      await work(host, tree, load);
    } finally {
      rmSync(tree, { recursive: true });
    }
  };
}
