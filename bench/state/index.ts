/** What a host costs in the state: bytes of the whole checkpoint for each host more in a pool. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { withStack } from "../../test/support/engine";
import { FakeHosts, pool, toolchain } from "../../test/engine/pool-program";
import { progress, report } from "../support";

const SIZES = [1, 101, 501] as const;

async function bytes(count: number): Promise<number> {
  const hosts = new FakeHosts();
  try {
    return await withStack(
      toolchain({ target: pool(count, { rollout: { parallel: 64 } }) }),
      { env: hosts.env },
      async (stack) => {
        await stack.up();
        const { size } = statSync(join(stack.workDir, "backend/.pulumi/stacks/gofleet-test/test.json"));
        progress(`${count} hosts: ${size} bytes`);
        return size;
      },
    );
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
