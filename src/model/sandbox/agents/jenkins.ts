import { parseSha256 } from "../../checksum";
import { checkFields, listOf, matching, parsed, required, secretLine, url, type FieldSpecs } from "../../field-checks";
import type { Duration } from "../../units";
import { checkCredential, withoutSlash, type ResolvedForge } from "./forge";
import { agentProgram, type Published } from "./release";
import { checkWithin } from "./stop";

/**
 * Inbound agents of Jenkins 2.440 or newer, by WebSocket: each is a node that is made for one job, and deleted after it.
 *
 * @see https://www.jenkins.io/doc/book/using/using-agents/
 */
export interface JenkinsAgent<Value = string> {
  readonly kind: "jenkins";
  /** Jenkins's own URL, https, with its path if it has one: `https://jenkins.corp.example/ci`. */
  readonly url: string;
  /**
   * A user by name, and an API token of theirs, with the permissions Overall/Read and Agent/Create, Connect, Disconnect
   * and Delete. It stays with root on the hosts; no job can read it.
   */
  readonly credential: JenkinsCredential<Value>;
  /** The agent's program, by default as this Jenkins has it. */
  readonly runner: JenkinsRelease;
  /** Labels by which jobs choose their agent; jobs that ask for none of them are not taken. */
  readonly labels: readonly string[];
  /**
   * Package of the distribution that has `/usr/bin/java`, in a version that this Jenkins supports.
   * @default "default-jre-headless"
   */
  readonly java?: string;
  /**
   * How long a job may go on when its slot is to stop.
   * @default { within: "2 min" }
   */
  readonly stop?: { readonly within?: Duration };
}

/** Whom Jenkins lets make agents. */
export interface JenkinsCredential<Value = string> {
  /** The user's name, without a colon. */
  readonly user: string;
  /** An API token of that user. */
  readonly token: Value;
}

/** A version of `agent.jar`, the same file for every architecture. */
export interface JenkinsRelease {
  /** As `java -jar agent.jar -version` says it, such as `3355.v388858a_47b_33`. */
  readonly version: string;
  /** sha256 of `agent.jar`, 64 hex digits. */
  readonly sha256: string;
  /**
   * Directory to download `agent.jar` from.
   * @default `jnlpJars` of `url`
   */
  readonly from?: string;
}

/** What Java ends with when it gets SIGTERM. */
const SIGTERM_OF_JAVA = 143;

export function resolveJenkins({ java = "default-jre-headless", ...agent }: JenkinsAgent<unknown>): ResolvedForge {
  const own = withoutSlash(agent.url);
  const { version, sha256, from } = agent.runner;
  const release = { version, sha256: { amd64: sha256, arm64: sha256 }, ...(from !== undefined && { from }) };
  const published: Published = {
    name: "jenkins-agent",
    format: "file",
    from: () => `${own}/jnlpJars`,
    file: () => "agent.jar",
  };
  return {
    kind: "jenkins",
    url: own,
    api: own,
    scope: "",
    labels: agent.labels,
    group: 0,
    app: "",
    installation: 0,
    program: { ...agentProgram(release, published), package: java, endsWith: SIGTERM_OF_JAVA },
    writesBeside: false,
  };
}

/** The credential as `gofleet-sandbox` reads it. */
export function jenkinsCredential({ user, token }: JenkinsCredential): string {
  return `${user}:${token}`;
}

const USER = "a user's name, without a colon";
const LABEL = "a label of letters, digits, dots, - and _";
const VERSION = 'a version such as "3355.v388858a_47b_33"';
const PACKAGE = 'a package\'s name, such as "openjdk-21-jre-headless"';

export function jenkinsFields(isUnknown: (value: unknown) => boolean): FieldSpecs {
  return {
    url: required(
      "the https URL of a Jenkins",
      url("the https URL of a Jenkins", ({ protocol, search, hash }) => protocol + search + hash === "https:"),
    ),
    credential: required(
      "what may make agents, { user, token }",
      checkCredential(
        {
          user: required(USER, matching(/^[^\s:\p{Cc}]+$/u, USER)),
          token: required("an API token", secretLine),
        },
        ["token"],
        isUnknown,
      ),
    ),
    runner: required('the version of its program, { version: "…", sha256: "…" }', (path, given) =>
      checkFields(
        path,
        given,
        {
          version: required(VERSION, matching(/^\d[0-9A-Za-z._-]{0,63}$/, VERSION)),
          sha256: required("the checksum of agent.jar", parsed(parseSha256)),
          from: url("the http or https URL of a directory", ({ search, hash }) => search === "" && hash === ""),
        },
        isUnknown,
      ),
    ),
    labels: required(
      "labels of the jobs that they take",
      listOf(matching(/^\w[\w.-]{0,127}$/, LABEL), 'labels, such as ["go"]', isUnknown),
    ),
    java: matching(/^[a-z0-9][a-z0-9.+-]+$/, PACKAGE),
    stop: checkWithin(isUnknown),
  };
}
