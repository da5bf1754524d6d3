import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { factsLine, noticeText, progressText, text, type AgentEvent, type AgentResult } from "./agent-output";
import type { Connect } from "./connect";
import { parseConnection } from "./connection";
import { HostError, MovedError } from "./errors";
import { keptReleases, type KeptRelease } from "./kept";
import { HostSession, type Answer } from "./host-session";
import type { Progress } from "./progress";
import { pushEntries } from "./push";
import { originOf } from "./origin";
import type { Actual, ReleaseInputs } from "./release";
import { asCause, asReason, reasonGiven } from "./reason";
import { ReleaseHooks } from "./release-hooks";
import type { PreparedRelease } from "./prepared-release";
import { transactionId, type AgentRequest } from "./upload";

/** What one host has after an operation. */
export interface HostState {
  readonly actual: Actual;
  /** Output of each probe. */
  readonly readings: Readonly<Record<string, string>>;
}

export interface HostComponentOptions {
  readonly inputs: ReleaseInputs;
  readonly instance: string;
  readonly connect: Connect;
  readonly progress: Progress;
}

/** Exit code of the agent for a download it could not get; pushing the file from here may help. */
const NO_DOWNLOAD = 15;
/** Not where the sources were there and their build failed. */
const pushHelps = ({ rc, msg }: AgentResult): boolean => rc === NO_DOWNLOAD && !msg.includes(" could not be built");
/** More seconds than the hook itself has, for the confirmation that follows it. */
const CONFIRM_MARGIN = 30;

/** One component on one host: puts releases on, takes them off, reads them. */
export class HostComponent {
  readonly #session: HostSession;
  readonly #hooks: ReleaseHooks;

  constructor(
    readonly host: string,
    private readonly options: HostComponentOptions,
  ) {
    const { inputs, progress, connect } = options;
    const line = inputs.hosts[host];
    if (line === undefined) throw new Error(`no connection for host ${host}`);
    this.#session = new HostSession(host, connect(line, inputs.passwords?.[host]), {
      deadline: inputs.policy.deadline,
      connect: inputs.policy.connect,
      onEvent: (event) => {
        const message = progressText(event);
        if (message !== undefined) progress.status(`${host}: ${message}`);
        const notice = noticeText(event);
        if (notice !== undefined) progress.warn(`${host}: ${notice}`);
      },
    });
    this.#hooks = new ReleaseHooks(inputs.hooks ?? {}, {
      host,
      component: inputs.component,
      progress,
      onHost: (entries, timeout) =>
        this.#session.ask("hook", { ...this.#request(undefined), deadline: timeout }, entries),
    });
  }

  /** Puts the release on. `before` is what the state says the host has. */
  async apply(release: PreparedRelease, before: Actual | undefined): Promise<HostState> {
    const { hooks, policy } = this.options.inputs;
    const request: AgentRequest & { tx: string } = {
      ...this.#request(before),
      release: release.id,
      tx: transactionId(release.id, randomBytes(16).toString("hex")),
      // `unknown` stands for a host that was lost in the middle: whatever it has, it is ours to decide.
      expect: before?.release === "unknown" ? "any" : before?.release,
      newmachine: policy.onNewMachine,
      adopt: policy.adopt,
      replaces: policy.replaces,
      keep: policy.keep,
      protected: policy.protected?.join(","),
      unsupported: policy.unsupported,
      operator: operator(),
      reason: this.options.inputs.pin?.reason ?? reasonGiven(),
      ...(release.kept === true ? this.#takenBack() : originOf(process.cwd(), process.env)),
      confirm: hooks?.afterHealthy === undefined ? undefined : hooks.afterHealthy.timeout + CONFIRM_MARGIN,
    };
    const told = { from: before?.release ?? "", to: release.id };
    try {
      if (hooks?.beforeSwitch !== undefined) {
        await this.#run({ ...request, stageonly: 1 }, release);
        await this.#hooks.run("beforeSwitch", told);
      }
      const answer = await this.#run(request, release, () => this.#hooks.run("afterHealthy", told));
      return this.#stateOf(answer, before);
    } catch (error) {
      await this.#hooks.afterFailure(error, told);
      throw error;
    }
  }

  /**
   * Puts back what the host had after a failure elsewhere: nothing, or the release before; without `release` the host's
   * own copy of that serves.
   * @param why what the hook after it is told, and the cause that the evidence names
   * @returns where the host keeps the evidence of the release it had, if it has gathered any
   */
  async goBack(
    before: Actual | undefined,
    release: PreparedRelease | undefined,
    failed: string,
    why = "the rollout failed on another host",
  ): Promise<string | undefined> {
    const { policy } = this.options.inputs;
    let answer: Answer;
    if (before === undefined) {
      answer = await this.#remove(undefined, {
        tx: transactionId(failed, randomBytes(16).toString("hex")),
        cause: asCause(why),
        reason: asReason(why),
      });
    } else {
      const request = {
        ...this.#request(before),
        release: before.release,
        tx: transactionId(before.release, randomBytes(16).toString("hex")),
        expect: [failed, before.release].join(","),
        // It passed them when it came, and going back must not wait.
        skipchecks: 1,
        keep: policy.keep,
        protected: policy.protected?.join(","),
        adopt: policy.adopt,
        unsupported: policy.unsupported,
        operator: operator(),
        reason: asReason(why),
        cause: asCause(why),
      };
      answer = await this.#session.run(request, release?.entries ?? new Map());
    }
    await this.#hooks.afterRollback({
      from: before?.release ?? "",
      to: failed,
      reason: why,
    });
    return text(
      answer.events.find(({ ev }) => ev === "summary"),
      "path",
    );
  }

  /**
   * Asks whether the host still has a release that it took; waits for one that is just going back.
   * @throws MovedError that says why not
   */
  async expectStill(release: string, before: Actual | undefined): Promise<void> {
    const answer = this.#session.expectSuccess(await this.#session.settled(this.#request(before)));
    const found = text(
      answer.events.find(({ ev }) => ev === "state"),
      "release",
    );
    if (found === release) return;
    const decision = answer.events.find(({ ev, from }) => ev === "decision" && from === release);
    const why =
      (decision && noticeText(decision)) ?? `is on ${found || "nothing"} now, and not by a decision of its own`;
    throw new MovedError(`${this.host} (${this.#session.transport.place}): no longer on ${release}: ${why}`, found);
  }

  /** Tells the hooks of a release that failed on this host after the host had taken it. */
  async afterFailure(error: unknown, release: string, before: Actual | undefined): Promise<void> {
    await this.#hooks.afterFailure(error, { from: before?.release ?? "", to: release });
  }

  /** Takes the component off; what stood there before comes back. False: the host belongs to someone else now. */
  async remove(before: Actual | undefined): Promise<boolean> {
    const { result } = await this.#remove(before, { reason: reasonGiven() });
    if (result.status !== "notours") return true;
    this.options.progress.info(`${this.host}: left alone: ${result.msg}`);
    return false;
  }

  async #remove(before: Actual | undefined, more: AgentRequest): Promise<Answer> {
    return this.#session.expectSuccess(
      await this.#session.ask("remove", {
        ...this.#request(before),
        keepdata: this.options.inputs.policy.keepData?.join(","),
        operator: operator(),
        lockwait: this.#session.left,
        deadline: this.#session.left,
        ...more,
      }),
    );
  }

  /** What the host has now, as the agent reads it. */
  async read(before: Actual | undefined): Promise<Answer> {
    return this.#session.ask("read", this.#request(before));
  }

  /** The releases the host keeps, the newest first. */
  async kept(before: Actual | undefined): Promise<KeptRelease[]> {
    return keptReleases(this.#session.expectSuccess(await this.#session.ask("releases", this.#request(before))));
  }

  /** Back to a release that the host keeps: it passed its checks when it came. */
  #takenBack(): AgentRequest {
    return { skipchecks: 1, cause: asCause(this.options.inputs.pin?.reason ?? "taken back by the operator") };
  }

  #request(before: Actual | undefined): AgentRequest {
    const { inputs, instance } = this.options;
    const connection = parseConnection(inputs.hosts[this.host] ?? "");
    const root = connection.kind === "local" && connection.root !== "/" ? connection.root : undefined;
    return {
      component: inputs.component,
      root,
      stack: inputs.stack,
      urn: inputs.resourceUrn,
      instance,
      machine: before?.machine,
      audit: inputs.policy.audit ?? "journal",
      // Fault tests stop the agent at a step; see docs/host-protocol.md.
      pause: process.env["GOFLEET_PAUSE"],
    };
  }

  async #run(
    request: AgentRequest & { tx: string },
    release: PreparedRelease,
    beforeConfirm?: () => Promise<void>,
  ): Promise<Answer> {
    try {
      return await this.#session.run(request, release.entries, beforeConfirm);
    } catch (error) {
      if (!(error instanceof HostError) || !pushHelps(error.result) || !(await this.#push(release, error))) throw error;
      return this.#session.run(request, release.entries, beforeConfirm);
    }
  }

  /** Sends the downloads that the host lacks and this machine has a file of; true if there was one. */
  async #push({ plan }: PreparedRelease, { events }: HostError): Promise<boolean> {
    const facts = events.find(({ ev }) => ev === "facts");
    const arch = text(facts, "arch");
    const kept = new Set(
      events.filter(({ ev, msg }) => ev === "download" && msg === "kept").map((event) => text(event, "name")),
    );
    let pushed = false;
    for (const download of plan.downloads.filter(({ name }) => !kept.has(name))) {
      const variants = download.variants.filter(({ file }) => file !== undefined);
      const variant = variants.find((each) => each.arch === arch) ?? variants.find((each) => each.arch === "any");
      if (variant === undefined) continue;
      this.options.progress.status(`${this.host}: sending ${download.name}`);
      const entries = await pushEntries(download, variant);
      this.#session.expectSuccess(await this.#session.ask("put", this.#request(undefined), entries));
      pushed = true;
    }
    return pushed;
  }

  #stateOf({ result, events }: Answer, before: Actual | undefined): HostState {
    const facts = events.find(({ ev }) => ev === "facts");
    return {
      actual: {
        release: result.current,
        machine: result.machine || text(facts, "machine") || (before?.machine ?? ""),
        facts: facts === undefined ? (before?.facts ?? "") : factsLine(facts),
      },
      readings: readings(events),
    };
  }
}

function readings(events: readonly AgentEvent[]): Record<string, string> {
  return Object.fromEntries(
    events
      .filter(({ ev, ok }) => ev === "probe" && ok === true)
      .map((event) => [text(event, "name"), text(event, "out").trim()]),
  );
}

/** Who and where from, for the one who finds the host moved. */
function operator(): string {
  return `${userInfo().username}@${hostname()}`.replace(/\s/g, "_");
}
