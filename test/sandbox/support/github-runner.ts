import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GithubAgent } from "../../../src/index";
import { must } from "../../hosts/support/commands";
import { GITHUB_AGENT } from "../../support/agents";
import { FakeGithub } from "./fake-github";
import { PackageServer } from "./package-server";

/** A runner that waits for a job that never comes, until it is asked to end. */
const RUNNER = `#!/bin/sh
trap 'exit 0' TERM
while :; do sleep 0.1; done
`;

/** A GitHub with the runner it publishes, as a sandbox's agents find both. */
export class GithubSurroundings {
  private constructor(
    readonly github: FakeGithub,
    private readonly releases: PackageServer,
    private readonly sha256: string,
  ) {}

  static async start(address: string, token: string, folder: string): Promise<GithubSurroundings> {
    const [tree, published] = [join(folder, "runner"), join(folder, "published")];
    for (const each of [tree, published]) mkdirSync(each);
    writeFileSync(join(tree, "run.sh"), RUNNER);
    chmodSync(join(tree, "run.sh"), 0o755);
    const archive = join(published, `actions-runner-linux-x64-${GITHUB_AGENT.runner.version}.tar.gz`);
    await must("tar", ["-czf", archive, "-C", tree, "run.sh"]);
    await must("cp", [archive, archive.replace("-x64-", "-arm64-")]);
    const sha256 = createHash("sha256").update(readFileSync(archive)).digest("hex");
    return new GithubSurroundings(
      await new FakeGithub(token).listen(address, folder),
      await PackageServer.start(address, published),
      sha256,
    );
  }

  get agent(): GithubAgent {
    const { version } = GITHUB_AGENT.runner;
    const sha256 = { amd64: this.sha256, arm64: this.sha256 };
    return { ...GITHUB_AGENT, url: this.github.url, runner: { version, sha256, from: this.releases.url } };
  }

  async stop(): Promise<void> {
    await this.github.stop();
    await this.releases.stop();
  }
}
