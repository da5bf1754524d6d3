/** Programs that put a plan on hosts as it is, without a component that makes it. */
import * as pulumi from "@pulumi/pulumi";
import type { PlanFile, HostPlan } from "../../src/plan/host-plan";
import { EMPTY_PLAN } from "../../src/plan/host-plan";
import { HostRelease, type HostReleaseArgs } from "../../src/targets/host-release";

export interface RawArgs extends Pick<HostReleaseArgs, "target" | "secrets"> {
  readonly plan: Partial<HostPlan>;
  /** Default: the component's name. */
  readonly directory?: string;
  /** Default: `refuse`. */
  readonly adopt?: HostReleaseArgs["policy"]["adopt"];
}

/** A component with one release and nothing else. */
export class Raw extends pulumi.ComponentResource {
  readonly release: HostRelease;

  constructor(name: string, args: RawArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gofleet:test:Raw", name, {}, opts);
    const { target, secrets, directory = name, adopt = "refuse" } = args;
    const plan = { ...EMPTY_PLAN, ...args.plan };
    this.release = new HostRelease(
      `${name}-release`,
      { component: directory, plan, target, secrets, policy: { adopt, keep: 3 } },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

export function raw(args: RawArgs, name = "raw", opts?: pulumi.ComponentResourceOptions) {
  return async () => ({ actual: new Raw(name, args, opts).release.actual });
}

export function file(path: string, text: string, more: Partial<PlanFile> = {}): PlanFile {
  return { path, text, mode: "0644", owner: "root", group: "root", place: "link", ...more };
}
