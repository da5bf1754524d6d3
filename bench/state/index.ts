/** What a host costs in the state: bytes of the whole checkpoint for each host more in a pool. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { hostPool, ssh, type HostTarget } from "gofleet";
import { withStack } from "../../test/support/engine";
import { addresses, FakeHosts, toolchain } from "../../test/engine/pool-program";
import { progress, report } from "../support";

const SIZES = [1, 101, 501] as const;

/** A pool as it would be in earnest: a user, sudo, and the host's public key pinned. */
function pinned(count: number): HostTarget {
  const hosts = Object.fromEntries(
    addresses(count).map((host, i) => {
      const blob = Buffer.concat([field("ssh-ed25519"), field(Buffer.alloc(32, host))]).toString("base64");
      return [`rack-${i + 1}`, ssh({ host, user: "fleet", become: "sudo", hostKey: `ssh-ed25519 ${blob}` })];
    }),
  );
  return hostPool({ hosts, rollout: { parallel: 64 } });
}

/** A field of a public key: its length in four bytes, then its bytes. */
function field(content: string | Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, Buffer.from(content)]);
}

async function bytes(count: number): Promise<number> {
  const hosts = new FakeHosts();
  try {
    return await withStack(toolchain({ target: pinned(count) }), { env: hosts.env }, async (stack) => {
      await stack.up();
      const { size } = statSync(join(stack.workDir, "backend/.pulumi/stacks/gofleet-test/test.json"));
      progress(`${count} hosts: ${size} bytes`);
      return size;
    });
  } finally {
    hosts.remove();
  }
}

async function main(): Promise<void> {
  const [one, hundred, more] = [await bytes(SIZES[0]), await bytes(SIZES[1]), await bytes(SIZES[2])];
  report("state", {
    bytes_per_host: (more - one) / (SIZES[2] - SIZES[0]),
    bytes_per_host_first_100: (hundred - one) / (SIZES[1] - SIZES[0]),
    bytes_of_one_host: one,
  });
}

void main();
