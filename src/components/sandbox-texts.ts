import * as pulumi from "@pulumi/pulumi";
import { isFields } from "../model/check";
import { issue, type Issue } from "../model/issues";
import { refusalsOf, refusedFor } from "../model/refused";
import { checkModuleEnv, type ModuleEnv } from "../model/sandbox/modules";
import { checkNetwork, resolveNetwork, type AllowedHost, type NetworkArgs } from "../model/sandbox/network";
import type { SandboxParts } from "../plan/sandbox/parts";
import { knownTexts, type SandboxTexts } from "../plan/sandbox/sandbox";
import { isMirror, mirrorRef } from "./mirror-ref";
import type { AllowedArg, BuildAgentSandboxArgs } from "./sandbox-args";

type Text = pulumi.Input<string>;

/**
 * The texts that depend on the network and on where modules come from: at once where all of it is plain, else when it is
 * known, and checked then. What is wrong with it stands in a text's place.
 */
export function sandboxTexts(
  parts: SandboxParts,
  { network = {}, modules = {} }: Pick<BuildAgentSandboxArgs, "network" | "modules">,
): SandboxTexts<Text> {
  const { allow = [], resolver } = network;
  const given: Late = {
    network: { allow: allow.map(allowedHost), ...(resolver !== undefined && { resolver }) },
    moduleEnv: modules.env ?? {},
  };
  if (isPlain(given)) return textsOf(parts, given as Known);
  const known = pulumi.output(given) as pulumi.Output<Known>;
  const texts = pulumi.all([known, pulumi.isSecret(known)]).apply(([values, secret]): SandboxTexts<string> => {
    const refusal = textsIn(values).find((text) => refusalsOf(text).length > 0);
    if (refusal !== undefined) return refused(refusal);
    const issues = secret
      ? [SECRET]
      : [...checkNetwork("network", values.network), ...checkModuleEnv("modules.env", values.moduleEnv)];
    return issues.length > 0 ? refused(refusedFor(issues)) : textsOf(parts, values);
  });
  return {
    config: texts.apply(({ config }) => config),
    egress: texts.apply(({ egress }) => egress),
    resolvConf: texts.apply(({ resolvConf }) => resolvConf),
  };
}

/** One refusal is enough to stop everything. */
function refused(config: string): SandboxTexts<string> {
  return { config, egress: "", resolvConf: "" };
}

interface Late {
  readonly network: NetworkArgs<Text, pulumi.Input<AllowedHost<Text> | string>>;
  readonly moduleEnv: ModuleEnv<Text>;
}

interface Known {
  readonly network: NetworkArgs;
  readonly moduleEnv: ModuleEnv;
}

function textsOf(parts: SandboxParts, { network, moduleEnv }: Known): SandboxTexts<string> {
  return knownTexts(parts, { network: resolveNetwork(network), moduleEnv });
}

const SECRET: Issue = issue("network and modules", undefined, "plain values: everybody on the host can read them");

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

function textsIn({ network: { allow = [] }, moduleEnv }: Known): string[] {
  const all = [...allow.map((each) => (isFields(each) ? each.host : each)), ...Object.values(moduleEnv)];
  return all.filter((each) => typeof each === "string");
}

function isPlain(value: unknown): boolean {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return false;
  return isFields(value) || Array.isArray(value) ? Object.values(value).every(isPlain) : true;
}
