import { createHash } from "node:crypto";
import type { GithubAgent } from "../../src/model/sandbox/agents/github";

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
