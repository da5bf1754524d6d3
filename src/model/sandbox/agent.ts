import { at, isFields, type CheckOptions } from "../check";
import { byKind, type ValueCheck } from "../field-checks";
import { issue, type Issue } from "../issues";
import type { AbsolutePath } from "../names";
import { buildkiteFields, resolveBuildkite, type BuildkiteAgent } from "./agents/buildkite";
import { execFields, type ExecAgent } from "./agents/exec";
import type { ResolvedForge } from "./agents/forge";
import { githubFields, resolveGithub, type GithubAgent } from "./agents/github";
import { gitlabFields, resolveGitlab, type GitlabAgent } from "./agents/gitlab";
import { jenkinsFields, resolveJenkins, type JenkinsAgent } from "./agents/jenkins";
import { resolveStop, type ResolvedStop } from "./agents/stop";

/** What takes jobs in a slot. `Value` is the type of secrets. */
export type Agent<Value = string> = ExecAgent | ForgeAgent<Value>;

/** An agent that a forge must know before it gets jobs: it is registered for each job, and its program is downloaded. */
export type ForgeAgent<Value = string> =
  GithubAgent<Value> | GitlabAgent<Value> | BuildkiteAgent<Value> | JenkinsAgent<Value>;

/** An agent with every default in place. */
export interface ResolvedAgent extends ResolvedStop {
  /** Undefined: what is handed to a slot says how its agent starts. */
  readonly command?: readonly [AbsolutePath, ...string[]];
  /** Undefined: it is no forge's. */
  readonly forge?: ResolvedForge;
}

/** Puts the defaults in place. The agent must have passed {@link checkAgent}. */
export function resolveAgent(agent: Agent<unknown>): ResolvedAgent {
  switch (agent.kind) {
    case "exec":
      return { command: agent.command, ...resolveStop(agent.stop) };
    case "github":
      return { forge: resolveGithub(agent), ...resolveStop(agent.stop) };
    case "gitlab":
      // Its runner aborts the job when it gets SIGTERM.
      return { forge: resolveGitlab(agent), ...resolveStop(agent.stop, "SIGQUIT") };
    case "buildkite":
      return { forge: resolveBuildkite(agent), ...resolveStop(agent.stop) };
    case "jenkins":
      return { forge: resolveJenkins(agent), ...resolveStop(agent.stop) };
    default: {
      const never: never = agent;
      return never;
    }
  }
}

export function checkAgent(path: string, given: unknown, options: CheckOptions = {}): Issue[] {
  return agentCheck(options)(path, given);
}

function agentCheck({ isUnknown = () => false }: CheckOptions): ValueCheck {
  const fields = byKind(
    {
      exec: execFields(isUnknown),
      github: githubFields(isUnknown),
      gitlab: gitlabFields(isUnknown),
      buildkite: buildkiteFields(isUnknown),
      jenkins: jenkinsFields(isUnknown),
    },
    isUnknown,
  );
  return (path, given) => [
    ...fields(path, given),
    ...(isFields(given) && isUnknown(given["credential"])
      ? [issue(at(path, "credential"), undefined, "a plain object; the secrets in it may be known later")]
      : []),
  ];
}
