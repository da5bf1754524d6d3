import { strict as assert } from "node:assert";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connect } from "../../../src/host/connect";
import type { Clock } from "../../../src/host/gates/clock";
import { HostQueue } from "../../../src/host/host-queue";
import { parseActual, planInputs, type ReleaseInputs, type ReleaseState } from "../../../src/host/release";
import { ReleaseManager } from "../../../src/host/release-manager";
import { PartialFailure } from "../../../src/host/release-outcome";
import type { CommandGate, GateAfter } from "../../../src/model/gates";
import { AT_ONCE, type Rollout } from "../../../src/model/rollout";
import { EMPTY_PLAN } from "../../../src/plan/host-plan";
import { addresses, FakeHosts } from "../../engine/pool-program";
import { removeTree } from "../../support/remove-tree";

/** The component whose releases these tests put on. */
export const COMPONENT = "motd";

/** Addresses of `rack-1` to `rack-6`. */
export const SIX = addresses(6);

/** Six simulated hosts, and gates that write down whom they judge. */
export class TestPool {
  readonly hosts = new FakeHosts();
  /** The gates' notes, a line each. */
  readonly notes = join(mkdtempSync(join(tmpdir(), "gofleet-gates-")), "notes");
  /** What was said on the resource's row. */
  readonly said: string[] = [];
  readonly #connect: Connect;
  #stop = new AbortController();

  constructor() {
    process.env["GOFLEET_FAKE_STATE"] = this.hosts.directory;
    const load = createRequire(__filename);
    const transport = load.resolve("../../support/fake-hosts.cjs");
    // It reads where the hosts are when it is loaded.
    Reflect.deleteProperty(load.cache, transport);
    this.#connect = (load(transport) as { connect: Connect }).connect;
  }

  remove(): void {
    delete process.env["GOFLEET_FAKE_STATE"];
    this.hosts.remove();
    removeTree(join(this.notes, ".."));
  }

  manager(clock?: Clock): ReleaseManager {
    const note = (text: string) => void this.said.push(text);
    return new ReleaseManager({
      ...(clock === undefined ? {} : { clock }),
      connect: this.#connect,
      progress: { status: note, info: note, warn: note },
      stop: this.#stop.signal,
      queue: new HostQueue(),
    });
  }

  /** Interrupts what the managers made so far are at. */
  interrupt(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
  }

  /** A gate that writes down whom it judges, runs the script, and refuses the given wave. */
  gate(after: GateAfter, bad = 0, script = "true"): CommandGate {
    const note = 'echo "$GOFLEET_GATE $GOFLEET_WAVE $GOFLEET_HOSTS" >>"$0"';
    const verdict = `[ "$GOFLEET_WAVE" != ${bad} ] || { echo broken; exit 1; }`;
    return {
      kind: "command",
      name: `contract-${after}`,
      after,
      command: ["sh", "-c", `${note}; ${script}; ${verdict}`, this.notes],
      timeout: 3600,
    };
  }

  /** The notes so far: gate, number of the wave, hosts. */
  judged(): string[] {
    return existsSync(this.notes) ? readFileSync(this.notes, "utf8").trim().split("\n") : [];
  }

  /** What each host has; empty where it has none. */
  releases(): string[] {
    return this.hosts.releases(SIX, COMPONENT);
  }
}

/** What the engine would hand the provider: a file with that text on six hosts, a canary and then two at a time. */
export function inputs(text: string, rollout: Partial<Rollout> = {}, more: Partial<ReleaseInputs> = {}): ReleaseInputs {
  const file = { path: "/etc/motd", mode: "0644", owner: "root", group: "root", place: "link", text } as const;
  return {
    component: COMPONENT,
    stack: "o/p/s",
    resourceUrn: "urn:pulumi:s::p::t::motd",
    files: { [file.path]: text },
    plan: planInputs({ ...EMPTY_PLAN, files: [file] }),
    hosts: Object.fromEntries(SIX.map((address, i) => [`rack-${i + 1}`, `ssh root@${address}`])),
    policy: {
      unreachable: "fail",
      adopt: "refuse",
      onNewMachine: "fail",
      keep: 3,
      deadline: 60,
      connect: 1,
      unsupported: "refuse",
    },
    rollout: { ...AT_ONCE, canary: 1, batch: 2, ...rollout },
    ...more,
  };
}

/** The release that the state says each host has. */
export function actual({ actual: lines }: ReleaseState): string[] {
  return SIX.map((_, i) => parseActual(lines[`rack-${i + 1}`])?.release ?? "");
}

/** The error with which it must end. */
export async function failure(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof Error);
    return error;
  }
  assert.fail("it went through");
}

/** The state that a failure leaves. */
export function stateOf(error: Error, before: ReleaseState): ReleaseState {
  return error instanceof PartialFailure ? error.properties : before;
}
