/** What the programs of these tests are made of: the test hosts as targets, and what the state says of them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { GoToolchainHost, lock, ssh, type GoToolchainHostArgs, type HostTarget, type SshArgs } from "../../src/index";
import type { TestStack } from "../support/engine";
import { REPOSITORY } from "../support/engine/project";
import type { RemoteHost } from "./support/hosts";

const LOCK = join(REPOSITORY, "gofleet.lock.json");

/** One test host as a target: root's login, its host key pinned. */
export function target(host: RemoteHost, more: Partial<SshArgs> = {}): HostTarget {
  return ssh({ host: host.address, user: "root", hostKey: host.hostKey, identity: host.identityFile, ...more });
}

/** A locked release of Go. */
export const release = (version: string) => lock(version, LOCK);

/** A program with one toolchain from a module proxy. */
export function toolchain(
  proxy: string,
  args: Pick<GoToolchainHostArgs, "target" | "go"> & Partial<GoToolchainHostArgs>,
  name = "go",
) {
  return async () => {
    const go = new GoToolchainHost(name, { source: { kind: "module", proxy }, ...args });
    return { goVersion: go.goVersion, goBinary: go.goBinary, goEnv: go.goEnv, hosts: go.hosts };
  };
}

/** The release that the state says each host has. */
export async function stateReleases(stack: TestStack, resource = "go-release"): Promise<Record<string, string>> {
  const found = await stack.resource(resource);
  assert.ok(found, `no resource ${resource} in the state`);
  const { actual } = found.outputs as { actual: Record<string, string> };
  return Object.fromEntries(Object.entries(actual).map(([host, line]) => [host, line.split(" ")[0] ?? ""]));
}

/** The release that is current on a host; empty where there is none. */
export async function hostRelease(host: RemoteHost, component: string): Promise<string> {
  const { stdout } = await host.run(`readlink /etc/gofleet/${component}/current`);
  return stdout.trim().replace("releases/", "");
}

/** What a wrong line would be lost in: everything an operation said. */
export const said = (operation: { readonly errors: readonly string[] }): string => operation.errors.join("\n");
