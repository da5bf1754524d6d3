import type { IncomingMessage } from "node:http";
import { FakeForge, type Reply } from "./fake-forge";

interface Runner {
  readonly id: number;
  readonly name: string;
  busy: boolean;
}

const RUNNERS = "/api/v3/orgs/corp/actions/runners";

/** As much of a GitHub Enterprise Server's API as just-in-time runners need, for the organization `corp`. */
export class FakeGithub extends FakeForge {
  readonly runners = new Map<string, Runner>();
  private made = 0;

  /** The runner of a slot that is known now, if there is one. */
  of(slot: number): Runner | undefined {
    return [...this.runners.values()].find(({ name }) => name.includes(`-ci-${slot}-`));
  }

  /** GitHub forgets a just-in-time runner when its job has ended. */
  jobEnded(slot: number): void {
    const runner = this.of(slot);
    if (runner) this.runners.delete(runner.name);
  }

  protected reply({ method, url = "", headers }: IncomingMessage, body: string): Reply {
    if (headers.authorization !== `Bearer ${this.token}`) return { status: 401, body: { message: "Bad credentials" } };
    const { pathname, searchParams } = new URL(url, this.url);
    if (method === "POST" && pathname === `${RUNNERS}/generate-jitconfig`) {
      const { name } = JSON.parse(body) as { name: string };
      if (this.runners.has(name)) return { status: 409, body: { message: "Already exists" } };
      const runner = { id: (this.made += 1), name, busy: false };
      this.runners.set(name, runner);
      return { status: 201, body: { runner, encoded_jit_config: `jit-config-of-${name}` } };
    }
    if (method === "GET" && pathname === RUNNERS) {
      const found = [this.runners.get(searchParams.get("name") ?? "")].filter((each) => each !== undefined);
      return { status: 200, body: { total_count: found.length, runners: found } };
    }
    const found = [...this.runners.values()].find(({ id }) => pathname === `${RUNNERS}/${id}`);
    if (method !== "DELETE" || found === undefined) return { status: 404, body: { message: "Not Found" } };
    if (found.busy) return { status: 422, body: { message: "Runner is still running a job" } };
    this.runners.delete(found.name);
    return { status: 204 };
  }
}
