import { isFields } from "../../check";
import {
  hidden,
  line,
  matching,
  required,
  secretLine,
  url,
  whole,
  type FieldSpecs,
  type ValueCheck,
} from "../../field-checks";
import type { Duration } from "../../units";
import { checkCredential, checkLabels, isServer, withoutSlash, type ResolvedForge } from "./forge";
import { agentProgram, checkRelease, RELEASE_WANTED, type AgentRelease } from "./release";
import { checkWithin } from "./stop";

/**
 * Runners of GitHub Actions, just in time: each is made known for one job, and forgotten after it.
 *
 * @see https://docs.github.com/en/actions/concepts/runners/self-hosted-runners
 */
export interface GithubAgent<Value = string> {
  readonly kind: "github";
  /** Whose jobs they take: an organization, `corp`, or one repository, `corp/app`. */
  readonly scope: string;
  /** What may manage the scope's runners. It stays with root on the hosts; no job can read it. */
  readonly credential: GithubCredential<Value>;
  /** https://github.com/actions/runner/releases, with the checksums in its notes. */
  readonly runner: AgentRelease;
  /**
   * All labels of the runners; GitHub adds none to them.
   * @default ["self-hosted", "linux"]
   */
  readonly labels?: readonly string[];
  /**
   * Number of the runner group.
   * @default 1, the default group
   */
  readonly group?: number;
  /**
   * A GitHub Enterprise Server.
   * @default "https://github.com"
   */
  readonly url?: string;
  /**
   * How long a job may go on when its slot is to stop.
   * @default { within: "2 min" }
   */
  readonly stop?: { readonly within?: Duration };
}

/**
 * A GitHub App that is installed in the scope, by its client or app ID, the installation's number and its private key
 * (PEM); or a token. The permission is "Self-hosted runners: write" of an organization, "Administration: write" of a
 * repository.
 */
export type GithubCredential<Value = string> =
  { readonly app: string; readonly installation: number; readonly privateKey: Value } | { readonly token: Value };

const GITHUB = "https://github.com";

const ARCHITECTURE_NAMES = { amd64: "x64", arm64: "arm64" } as const;

export function resolveGithub({ url: given = GITHUB, ...agent }: GithubAgent<unknown>): ResolvedForge {
  const { credential } = agent;
  const url = withoutSlash(given);
  return {
    kind: "github",
    url,
    api: url === GITHUB ? "https://api.github.com" : `${url}/api/v3`,
    scope: agent.scope,
    labels: agent.labels ?? ["self-hosted", "linux"],
    group: agent.group ?? 1,
    app: "app" in credential ? credential.app : "",
    installation: "app" in credential ? credential.installation : 0,
    program: agentProgram(agent.runner, {
      name: "actions-runner",
      format: "tar.gz",
      from: (version) => `https://github.com/actions/runner/releases/download/v${version}`,
      file: (version, arch) => `actions-runner-linux-${ARCHITECTURE_NAMES[arch]}-${version}.tar.gz`,
    }),
    writesBeside: true,
  };
}

export function githubFields(isUnknown: (value: unknown) => boolean): FieldSpecs {
  return {
    scope: required(
      'an organization, "corp", or a repository, "corp/app"',
      matching(
        /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\/[A-Za-z0-9._-]+)?$/,
        'an organization, "corp", or a repository, "corp/app"',
      ),
    ),
    credential: required(
      "what may manage runners, { app, installation, privateKey } or { token }",
      checkEither(isUnknown),
    ),
    runner: required(RELEASE_WANTED, checkRelease(isUnknown)),
    labels: checkLabels('labels, such as ["self-hosted", "linux"]', isUnknown),
    group: whole(1, Number.MAX_SAFE_INTEGER, "a runner group's number"),
    url: url("the https URL of a GitHub Enterprise Server, without a path", isServer),
    stop: checkWithin(isUnknown),
  };
}

const privateKey = hidden("the App's private key, a PEM as GitHub gave it out", (text) =>
  /^-----BEGIN (RSA )?PRIVATE KEY-----\s[\s\S]*-----END (RSA )?PRIVATE KEY-----\s*$/.test(text),
);

function checkEither(isUnknown: (value: unknown) => boolean): ValueCheck {
  const token = checkCredential({ token: secretLine }, ["token"], isUnknown);
  const app = checkCredential(
    {
      app: required("the App's client or app ID", line("the App's client or app ID")),
      installation: required(
        "the installation's number",
        whole(1, Number.MAX_SAFE_INTEGER, "the installation's number"),
      ),
      privateKey: required("the App's private key", privateKey),
    },
    ["privateKey"],
    isUnknown,
  );
  return (path, given) => (isFields(given) && given["token"] !== undefined ? token : app)(path, given);
}
