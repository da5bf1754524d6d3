import * as pulumi from "@pulumi/pulumi";
import { isFields } from "../model/check";
import type { Issue } from "../model/issues";
import { issue } from "../model/issues";
import { refusalsOf, refusedFor } from "../model/refused";
import { checkNetwork, resolveNetwork, type AllowedHost, type NetworkArgs } from "../model/sandbox/network";
import type { SandboxParts } from "../plan/sandbox/parts";
import { sandboxTexts, type SandboxTexts } from "../plan/sandbox/sandbox";
import { isMirror, mirrorRef } from "./mirror-ref";
import type { AllowedArg, BuildAgentSandboxArgs } from "./sandbox-args";

type Text = pulumi.Input<string>;

/**
 * The texts that depend on the network: at once where all of it is plain, else when it is known, and checked then. What is
 * wrong with it stands in a text's place.
 */
export function networkTexts(parts: SandboxParts, network: BuildAgentSandboxArgs["network"]): SandboxTexts<Text> {
  const { allow = [], resolver } = network ?? {};
  const given: NetworkArgs<Text, pulumi.Input<AllowedHost<Text> | string>> = {
    allow: allow.map(allowedHost),
    ...(resolver !== undefined && { resolver }),
  };
  if (isPlain(given)) return sandboxTexts(parts, resolveNetwork(given as NetworkArgs));
  const known = pulumi.output(given);
  const texts = pulumi.all([known, pulumi.isSecret(known)]).apply(([values, secret]): SandboxTexts<string> => {
    const refusal = hostsIn(values).find((host) => refusalsOf(host).length > 0);
    if (refusal !== undefined) return { config: refusal, egress: "" };
    const issues = secret ? [SECRET] : checkNetwork("network", values);
    return issues.length > 0
      ? { config: refusedFor(issues), egress: "" }
      : sandboxTexts(parts, resolveNetwork(values as NetworkArgs));
  });
  return { config: texts.apply(({ config }) => config), egress: texts.apply(({ egress }) => egress) };
}

const SECRET: Issue = issue("network", undefined, "plain values: the rules are readable on the host");

/** A mirror by its host and port; anything else as it is. */
function allowedHost(allowed: AllowedArg): pulumi.Input<AllowedHost<Text> | string> {
  if (!isMirror(allowed)) return allowed;
  return mirrorRef(allowed).apply(({ origin }) => {
    if (refusalsOf(origin).length > 0) return { host: origin };
    const { hostname, port, protocol } = new URL(origin);
    const standard = protocol === "http:" ? 80 : 443;
    return { host: hostname.replace(/^\[|\]$/g, ""), ports: [port === "" ? standard : Number(port)], modules: true };
  });
}

function hostsIn({ allow = [] }: { readonly allow?: readonly unknown[] }): string[] {
  return allow.flatMap((each) => {
    const host = isFields(each) ? each.host : each;
    return typeof host === "string" ? [host] : [];
  });
}

function isPlain(value: unknown): boolean {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return false;
  return isFields(value) || Array.isArray(value) ? Object.values(value).every(isPlain) : true;
}
