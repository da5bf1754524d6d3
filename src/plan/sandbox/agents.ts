import { createHash } from "node:crypto";
import type { AbsolutePath } from "../../model/names";
import type { HostPlan } from "../host-plan";
import type { SandboxParts } from "./parts";

/** The secret that a forge trusts: a token, or an App's key. Only root reads it, to register a slot's agent. */
export const AGENT_CREDENTIAL = "agent-credential";

/** The download of the agent's program, and what talking to its forge takes. */
export function agentsPlan({ sandbox }: SandboxParts): Partial<HostPlan> {
  const { forge } = sandbox.agent;
  if (forge === undefined) return {};
  const { name, format, files, package: needed } = forge.program;
  const variants = files.map(({ arch, sha256, url }) => ({ arch, checksum: sha256, urls: [url] }));
  return {
    downloads: [{ name, format, variants }],
    packages: ["ca-certificates", ...(needed === undefined ? [] : [needed])],
  };
}

/** Undefined: the agent is no forge's. */
export function agentPlaces({ place, agentTree }: SandboxParts) {
  if (agentTree === undefined) return undefined;
  const credential: AbsolutePath = `/etc/gofleet/${place.component}/current/.gofleet/secrets/${AGENT_CREDENTIAL}`;
  return { tree: agentTree, credential };
}

/**
 * A digest of all that the slots' agents are told of their forge. A new credential is none of that: it is read with the
 * next registration, and ends no job.
 */
export function registration({ sandbox }: SandboxParts): string | undefined {
  const { forge, stopWithin } = sandbox.agent;
  if (forge === undefined) return undefined;
  const text = JSON.stringify([forge, stopWithin]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
