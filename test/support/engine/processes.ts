import { strict as assert } from "node:assert";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The engine's own process: the child of this one that runs `pulumi up`. */
export function cliProcess(): number {
  const found = processes().filter(({ parent, command }) => parent === process.pid && /pulumi\0.*\bup\b/.test(command));
  assert.equal(found.length, 1, "one pulumi runs");
  return found[0]?.pid ?? 0;
}

/** Provider processes of a stack's project. */
export function providers({ workDir }: { readonly workDir: string }): readonly number[] {
  return processes()
    .filter(({ command, directory }) => command.includes("dynamic-provider") && directory.startsWith(workDir))
    .map(({ pid }) => pid);
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly directory: string;
}

function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8");
        const parent = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${name}/status`, "utf8"))?.[1]);
        return [{ pid: Number(name), parent, command, directory: readlinkSync(`/proc/${name}/cwd`) }];
      } catch {
        // It ended in between, or is another user's.
        return [];
      }
    });
}
