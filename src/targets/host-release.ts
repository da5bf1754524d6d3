import * as pulumi from "@pulumi/pulumi";
import type { Hooks } from "../host/hooks";
import { parseActual, planInputs, type ReleasePolicy } from "../host/release";
import type { HostPlan } from "../plan/host-plan";
import { claim } from "./claims";
import { declare } from "./observer";
import { heldReleases, pinOf } from "./pin";
import { requireProvider } from "./provider-resolution";
import type { HostTarget } from "./target";

/** The provider, as the SDK's dynamic-provider process loads it: one constant line, so that no code enters the state. */
const PROVIDER = 'exports.handler=()=>require("gofleet/provider").provider';

const TYPE = "pulumi-nodejs:gofleet:HostRelease";

export interface HostReleaseArgs {
  /** Directory name under `/etc/gofleet`. */
  readonly component: string;
  readonly plan: HostPlan<pulumi.Input<string>>;
  readonly target: HostTarget;
  /** Secret bytes by name, for the plan's secrets. */
  readonly secrets?: Readonly<Record<string, pulumi.Input<string>>>;
  readonly hooks?: Hooks;
  readonly policy: Omit<ReleasePolicy, keyof HostTarget["policy"]>;
}

/** What is true of one host, as it was read there. */
export interface HostFacts {
  /** The release it has, 16 hex digits. */
  readonly release: string;
  /** `/etc/machine-id`. */
  readonly machine: string;
  /** Operating system, architecture and systemd: `debian-12 amd64 systemd-252`. */
  readonly facts: string;
}

/**
 * All that one component puts on one target: one content-addressed release, switched on as a whole, probed, and rolled
 * back where it is not healthy. An update is the whole rollout.
 */
export class HostRelease extends pulumi.CustomResource {
  /** What the probes printed on the hosts, by probe. */
  declare readonly readings: pulumi.Output<Record<string, string>>;
  /** What each host has. */
  declare readonly actual: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: HostReleaseArgs, opts: pulumi.CustomResourceOptions & { parent: pulumi.Resource }) {
    requireProvider();
    const { component, plan, target } = args;
    declare({ name, component, plan, target, parent: opts.parent });
    const lines = Object.fromEntries(Object.entries(target.hosts).map(([key, { line }]) => [key, line]));
    const passwords = Object.entries(target.hosts).flatMap(([key, { password }]) =>
      password === undefined ? [] : [[key, pulumi.secret(password)]],
    );
    const inputs = {
      __provider: PROVIDER,
      component,
      stack: `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`,
      resourceUrn: pulumi.createUrn(name, TYPE, opts.parent),
      files: Object.fromEntries(plan.files.map(({ path, text }) => [path, text])),
      plan: planInputs(plan),
      secrets: secretInputs(args.secrets),
      hosts: claim(`${opts.parent.constructor.name} "${component}"`, component, paths(plan), lines),
      passwords: passwords.length === 0 ? undefined : Object.fromEntries(passwords),
      policy: { ...target.policy, ...args.policy, ...heldReleases(component) },
      rollout: target.rollout,
      gateSecrets: secretInputs(target.gateSecrets),
      hooks: args.hooks,
      pin: pinOf(component),
      // Outputs: declared here so that they resolve to unknown in a preview.
      actual: undefined,
      readings: undefined,
    };
    super(
      TYPE,
      name,
      inputs,
      pulumi.mergeOptions(opts, { additionalSecretOutputs: ["key", "secrets", "passwords", "gateSecrets"] }),
    );
  }

  /** What each host has, by host key. */
  hostFacts(): pulumi.Output<Record<string, HostFacts>> {
    return this.actual.apply((lines) =>
      Object.fromEntries(
        Object.entries(lines ?? {}).flatMap(([host, line]: [string, string]): [string, HostFacts][] => {
          const actual = parseActual(line);
          return actual === undefined ? [] : [[host, actual]];
        }),
      ),
    );
  }
}

function secretInputs(
  secrets: Readonly<Record<string, pulumi.Input<string>>> = {},
): Record<string, pulumi.Output<string>> | undefined {
  const entries = Object.entries(secrets).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0
    ? undefined
    : Object.fromEntries(entries.map(([name, value]) => [name, pulumi.secret(value)]));
}

function paths({ files, symlinks }: HostPlan<unknown>): string[] {
  return [...files, ...symlinks].map(({ path }) => path);
}
