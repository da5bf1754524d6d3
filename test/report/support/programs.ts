import * as pulumi from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation";
import { GoToolchainHost, hostPool, lock, ssh, type HostPoolArgs } from "gofleet";
import { EMPTY_PLAN, type HostPlan } from "../../../src/plan/host-plan";
import { HostRelease } from "../../../src/targets/host-release";
import { addresses, LOCK } from "../../engine/pool-program";

/**
 * A pool of simulated hosts, keys padded so that they stay in order: rack-001 …
 * @param net pools of another number have other machines
 */
export function racks(count: number, more: Omit<HostPoolArgs, "hosts"> = {}, net = 0): ReturnType<typeof hostPool> {
  const key = (index: number): string => `rack-${String(index + 1).padStart(3, "0")}`;
  return hostPool({
    hosts: Object.fromEntries(
      addresses(count).map((host, i) => [key(i), ssh({ host: host.replace("10.0", `10.${net}`), user: "root" })]),
    ),
    ...more,
  });
}

export interface ToolchainSettings {
  readonly target: ReturnType<typeof hostPool>;
  readonly version: "1.26.7" | "1.26.8";
  readonly env?: Readonly<Record<string, string>>;
  readonly protect?: boolean;
  readonly directory?: string;
}

/** The component as users declare it. */
export function declareToolchain(
  name: string,
  { target, version, protect, ...more }: ToolchainSettings,
): GoToolchainHost {
  const source = { kind: "module", proxy: "https://goproxy.corp.example" } as const;
  return new GoToolchainHost(name, { target, go: lock(version, LOCK), source, ...more }, { protect });
}

export function toolchains(all: Readonly<Record<string, ToolchainSettings>>): PulumiFn {
  return async () => {
    for (const [name, settings] of Object.entries(all)) declareToolchain(name, settings);
  };
}

/** A component made for these tests, in the shape of the package's own: files, units that read them, a secret. */
export class Service extends pulumi.ComponentResource {
  constructor(name: string, { target, files, units = {}, secrets, protect }: ServiceArgs) {
    super("gofleet:index:GoServiceUnit", name, {}, { protect });
    const plan: HostPlan<pulumi.Input<string>> = {
      ...EMPTY_PLAN,
      files: Object.entries(files).map(([path, text]) => ({
        path,
        text,
        mode: "0644",
        owner: "root",
        group: "root",
        place: "link",
      })),
      units: Object.entries(units).map(([unit, onChange]) => ({
        name: unit,
        onChange,
        reads: [...Object.keys(files), ...Object.keys(secrets ?? {})],
      })),
      secrets: Object.keys(secrets ?? {}).map((secret) => ({ name: secret, hmac: "" })),
    };
    const policy = { adopt: "refuse", keep: 3 } as const;
    new HostRelease(
      `${name}-release`,
      { component: name, plan, target, policy, ...(secrets && { secrets }) },
      { parent: this },
    );
    this.registerOutputs();
  }
}

export interface ServiceArgs {
  readonly target: ReturnType<typeof hostPool>;
  readonly files: Readonly<Record<string, pulumi.Input<string>>>;
  readonly units?: Readonly<Record<string, "restart" | "reload" | "start" | "none">>;
  readonly secrets?: Readonly<Record<string, pulumi.Input<string>>>;
  readonly protect?: boolean;
}

/** A resource of another package as far as an engine and a policy pack can tell, without that package's provider. */
export class Foreign extends pulumi.ComponentResource {
  constructor(type: string, name: string, props: pulumi.Inputs) {
    super(type, name, props);
    this.registerOutputs();
  }
}

/** A resource of no component, by a dynamic provider; another value of `identity` replaces it. */
export class Record_ extends pulumi.dynamic.Resource {
  constructor(
    name: string,
    props: Readonly<Record<string, pulumi.Input<unknown>>>,
    opts?: pulumi.CustomResourceOptions,
  ) {
    super(
      {
        async create(inputs) {
          return { id: "record", outs: inputs };
        },
        async update(_id, _olds, news) {
          return { outs: news };
        },
        async diff(_id, olds, news) {
          const replaces = olds.identity === news.identity ? [] : ["identity"];
          return { changes: JSON.stringify(olds) !== JSON.stringify(news), replaces, deleteBeforeReplace: true };
        },
      },
      name,
      props,
      opts,
      "corp",
      "DnsRecord",
    );
  }
}
