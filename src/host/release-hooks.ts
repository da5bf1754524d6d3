import { messageOf } from "../model/thrown";
import { HostError, MovedError } from "./errors";
import { runHook } from "./hook-runner";
import type { HookEvidence, HookPoint, Hooks } from "./hooks";
import type { Answer } from "./host-session";
import type { Progress } from "./progress";
import { UnreachableError } from "./transport";
import type { Entries } from "./upload";

export interface ReleaseHooksOptions {
  readonly host: string;
  readonly component: string;
  readonly progress: Progress;
  /** Runs a hook's script on the host. */
  readonly onHost: (entries: Entries, timeout: number) => Promise<Answer>;
}

/** What each hook is told of the release at hand. */
export type Told = Pick<HookEvidence, "from" | "to" | "reason">;

/** Exit codes of the agent for a host that is back where it was. */
const BACK = [20, 21];

/** The hooks of one release on one host. */
export class ReleaseHooks {
  constructor(
    private readonly hooks: Hooks,
    private readonly options: ReleaseHooksOptions,
  ) {}

  /** Runs a hook if there is one; throws where it fails and its failure is to stop the operation. */
  async run(point: HookPoint, told: Told): Promise<void> {
    const hook = this.hooks[point];
    if (hook === undefined) return;
    const { host, component, progress, onHost } = this.options;
    progress.status(`${host}: hook ${point}`);
    try {
      await runHook(hook, { hook: point, host, component, ...told }, (script) => onHost(script, hook.timeout));
    } catch (error) {
      const message = `${host}: hook ${point} failed: ${messageOf(error)}`;
      if (hook.failure === "fail") throw new Error(message);
      progress.warn(message);
    }
  }

  /** The hooks that follow a failure; they never hide the failure itself. */
  async afterFailure(error: unknown, told: Told): Promise<void> {
    if (error instanceof UnreachableError) return;
    const reason = messageOf(error);
    await this.#quietly("onFailure", { ...told, reason });
    const back = error instanceof HostError ? BACK.includes(error.result.rc) : error instanceof MovedError;
    if (back) await this.afterRollback({ ...told, reason });
  }

  /** The host is back on what it had before. */
  afterRollback(told: Told): Promise<void> {
    return this.#quietly("afterRollback", told);
  }

  async #quietly(point: HookPoint, told: Told): Promise<void> {
    try {
      await this.run(point, told);
    } catch (failure) {
      this.options.progress.warn(messageOf(failure));
    }
  }
}
