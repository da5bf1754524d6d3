import { resolveNetwork } from "../../../src/model/sandbox/network";
import { resolveSandbox, type SandboxArgs } from "../../../src/model/sandbox/sandbox";
import type { HostPlan } from "../../../src/plan/host-plan";
import { sandboxParts, type SandboxParts } from "../../../src/plan/sandbox/parts";
import { knownTexts, sandboxPlan } from "../../../src/plan/sandbox/sandbox";
import { h1Of } from "../../support/releases";

/** A sandbox that says little, and one way in which it differs. */
export function parts(more: Partial<SandboxArgs> = {}): SandboxParts {
  const args: SandboxArgs = {
    agent: { kind: "exec", command: ["/usr/local/bin/runner", "--once"] },
    slots: 2,
    cache: { kind: "tmpfs", size: "2 GiB" },
    limits: { memory: "8 GiB", cpus: 4 },
    ...more,
  };
  const toolchain = { goRoot: "/etc/gofleet/go/goroot", trees: "/usr/local/lib/gofleet/go" } as const;
  return sandboxParts("ci", resolveSandbox(args), toolchain, { file: "/operator/sandbox.zip", checksum: h1Of("tool") });
}

/** Its plan. */
export function plan(more: Partial<SandboxArgs> = {}): HostPlan {
  const made = parts(more);
  return sandboxPlan(
    made,
    knownTexts(made, { network: resolveNetwork(more.network ?? {}), moduleEnv: more.modules?.env ?? {} }),
  );
}

/** The text of one of its files. */
export function textOf(made: HostPlan, path: string): string {
  const found = made.files.find((file) => file.path === path);
  if (found === undefined)
    throw new Error(`the plan has no ${path}, but ${made.files.map((file) => file.path).join(", ")}`);
  return found.text;
}
