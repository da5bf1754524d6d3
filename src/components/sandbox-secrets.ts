import * as pulumi from "@pulumi/pulumi";
import { refusedFor } from "../model/refused";
import { checkAgent, type Agent, type ForgeAgent } from "../model/sandbox/agent";
import { jenkinsCredential } from "../model/sandbox/agents/jenkins";
import { AGENT_CREDENTIAL } from "../plan/sandbox/agents";

type Text = pulumi.Input<string>;

/**
 * The secrets of a sandbox, by name. What is wrong with one that becomes known later stands in its place: where it is and
 * what would do, never what it was.
 */
export function sandboxSecrets(agent: Agent<Text>): Record<string, Text> {
  if (agent.kind === "exec") return {};
  const text = pulumi.secret(pulumi.output(agent.credential)).apply((credential) => {
    const issues = checkAgent("agent", { ...agent, credential }, { isUnknown: pulumi.Output.isInstance });
    return issues.length > 0 ? refusedFor(issues) : secretOf(credential as ForgeAgent["credential"]);
  });
  return { [AGENT_CREDENTIAL]: text };
}

function secretOf(credential: ForgeAgent["credential"]): string {
  if ("privateKey" in credential) return credential.privateKey;
  return "user" in credential ? jenkinsCredential(credential) : credential.token;
}
