import { createHash } from "node:crypto";
import type { BuildkiteAgent } from "../../src/model/sandbox/agents/buildkite";
import type { GithubAgent } from "../../src/model/sandbox/agents/github";
import type { GitlabAgent } from "../../src/model/sandbox/agents/gitlab";
import type { JenkinsAgent } from "../../src/model/sandbox/agents/jenkins";

/** Secrets that must be found nowhere. */
export const PLANTED_TOKEN = "planted-token";
export const PLANTED_KEY = "-----BEGIN PRIVATE KEY-----\nplanted-key\n-----END PRIVATE KEY-----\n";

/** The checksum of nothing that is published. */
export const SHA256 = createHash("sha256").update("a runner").digest("hex");

/** As little as an agent of GitHub's says. */
export const GITHUB_AGENT: GithubAgent = {
  kind: "github",
  scope: "corp",
  credential: { token: PLANTED_TOKEN },
  runner: { version: "2.336.0", sha256: { amd64: SHA256 } },
};

/** As little as an agent of GitLab's says. */
export const GITLAB_AGENT: GitlabAgent = {
  kind: "gitlab",
  scope: { group: 12 },
  credential: { token: PLANTED_TOKEN },
  runner: { version: "17.1.0", sha256: { amd64: SHA256 } },
  tags: ["go"],
};

/** As little as an agent of Buildkite's says. */
export const BUILDKITE_AGENT: BuildkiteAgent = {
  kind: "buildkite",
  organization: "corp",
  cluster: "e4f44564-d3ea-45eb-87c2-6506643b852a",
  credential: { token: PLANTED_TOKEN },
  runner: { version: "3.100.0", sha256: { amd64: SHA256 } },
};

/** As little as an agent of Jenkins's says. */
export const JENKINS_AGENT: JenkinsAgent = {
  kind: "jenkins",
  url: "https://jenkins.corp.example",
  credential: { user: "builder", token: PLANTED_TOKEN },
  runner: { version: "3355.v388858a_47b_33", sha256: SHA256 },
  labels: ["go"],
};
