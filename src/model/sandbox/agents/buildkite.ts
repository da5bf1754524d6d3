import { matching, required, secretLine, type FieldSpecs } from "../../field-checks";
import type { Duration } from "../../units";
import { checkCredential, checkLabels, type ResolvedForge } from "./forge";
import { agentProgram, checkRelease, RELEASE_WANTED, type AgentRelease } from "./release";
import { checkWithin } from "./stop";

/**
 * Agents of Buildkite, in a cluster: each connects by a token that expires within minutes, takes one job and disconnects.
 *
 * @see https://buildkite.com/docs/agent
 */
export interface BuildkiteAgent<Value = string> {
  readonly kind: "buildkite";
  /** The organization's slug. */
  readonly organization: string;
  /** The cluster's ID, a UUID. Whoever can run a job on these hosts may come to take others of this cluster. */
  readonly cluster: string;
  /**
   * An API access token with the scopes `read_clusters` and `write_clusters`. It stays with root on the hosts; no job can
   * read it.
   */
  readonly credential: { readonly token: Value };
  /** https://github.com/buildkite/agent/releases, with the checksums in `SHA256SUMS`. */
  readonly runner: AgentRelease;
  /**
   * Tags by which jobs choose their agent.
   * @default ["queue=default"]
   */
  readonly tags?: readonly string[];
  /**
   * How long a job may go on when its slot is to stop.
   * @default { within: "2 min" }
   */
  readonly stop?: { readonly within?: Duration };
}

export function resolveBuildkite(agent: BuildkiteAgent<unknown>): ResolvedForge {
  return {
    kind: "buildkite",
    url: "https://agent.buildkite.com",
    api: "https://api.buildkite.com/v2",
    scope: `${agent.organization}/${agent.cluster}`,
    labels: agent.tags ?? ["queue=default"],
    group: 0,
    app: "",
    installation: 0,
    program: agentProgram(agent.runner, {
      name: "buildkite-agent",
      format: "tar.gz",
      from: (version) => `https://github.com/buildkite/agent/releases/download/v${version}`,
      file: (version, arch) => `buildkite-agent-linux-${arch}-${version}.tar.gz`,
    }),
    writesBeside: false,
  };
}

const SLUG = 'an organization\'s slug, such as "corp"';
const UUID = "a cluster's ID, a UUID";

export function buildkiteFields(isUnknown: (value: unknown) => boolean): FieldSpecs {
  return {
    organization: required(SLUG, matching(/^[a-z0-9][a-z0-9-]*$/, SLUG)),
    cluster: required(UUID, matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, UUID)),
    credential: required(
      "what may make agent tokens, { token }",
      checkCredential({ token: required("a token", secretLine) }, ["token"], isUnknown),
    ),
    runner: required(RELEASE_WANTED, checkRelease(isUnknown)),
    tags: checkLabels('tags, such as ["queue=go"]', isUnknown),
    stop: checkWithin(isUnknown),
  };
}
