import { messageOf } from "../model/thrown";
import { text, parseLine, resultOf, type AgentEvent, type AgentResult } from "./agent-output";
import { Backoff, Deadline } from "./deadline";
import { hostError, STAYS } from "./errors";
import { asCause } from "./reason";
import { refusal } from "./ssh-refusal";
import { UnreachableError, type Transport } from "./transport";
import { upload, type AgentRequest, type Entries } from "./upload";

/** What came back from one operation. */
export interface Answer {
  readonly result: AgentResult;
  readonly events: readonly AgentEvent[];
}

export interface SessionOptions {
  /** Seconds for the whole operation. */
  readonly deadline: number;
  /** Seconds to try for a first connection. */
  readonly connect: number;
  readonly onEvent?: (event: AgentEvent) => void;
}

/** Seconds between the end of the confirmation window and the question what became of it. */
const AFTER_REVERT = 3;
const CONFIRM_TIMEOUT = 20;
/** Seconds between two questions to a host that is going back. */
const SETTLING = 0.5;
/** How often an agent that died is started again; more often it dies of something that stays. */
const DEATHS = 2;

/** Exit codes of the agent that the session gives a host it has put back, see docs/host-protocol.md. */
const REVERTED = 20;
const TAKEN_OFF = 21;
const DEGRADED = 22;

/**
 * One operation on one host, whatever the connection does meanwhile: the agent goes on by itself, and the operator
 * follows, and follows again after a cut, until there is a result or the deadline.
 */
export class HostSession {
  readonly #deadline: Deadline;
  readonly #connectBy: Deadline;

  constructor(
    readonly key: string,
    readonly transport: Transport,
    private readonly options: SessionOptions,
  ) {
    this.#deadline = new Deadline(options.deadline);
    this.#connectBy = new Deadline(Math.min(options.connect, options.deadline));
  }

  /** Seconds left of the deadline. */
  get left(): number {
    return Math.floor(this.#deadline.left);
  }

  /** What the host has, once no switch is under way there any more, or at the deadline. */
  async settled(request: AgentRequest): Promise<Answer> {
    for (;;) {
      const answer = await this.ask("state", request);
      const state = answer.events.find(({ ev }) => ev === "state");
      if (text(state, "txn") === "" || this.#deadline.over) return answer;
      await new Promise((resolve) => setTimeout(resolve, SETTLING * 1000));
    }
  }

  /** A verb that answers in one go and may be asked again: `read`, `state`, `remove`, `put`. */
  async ask(verb: string, request: AgentRequest, entries?: Entries): Promise<Answer> {
    const body = await upload(request, entries);
    const backoff = new Backoff();
    for (;;) {
      const attempt = await this.#exec(verb, body);
      if (attempt.result !== undefined) return { result: attempt.result, events: attempt.events };
      this.#giveUp(attempt, this.#connectBy);
      await backoff.wait(this.#deadline);
    }
  }

  /**
   * `run`: the release on, through cuts; throws a {@link HostError} unless the host has it. `beforeConfirm` runs while
   * the host still waits for a confirmation; if it throws, the host goes back.
   */
  async run(
    request: AgentRequest & { readonly tx: string },
    entries: Entries,
    beforeConfirm?: () => Promise<void>,
  ): Promise<Answer> {
    const answer = await this.#runToResult(request, entries);
    if (answer.result.status === "ok") return this.#judge(answer, beforeConfirm);
    if (answer.result.status !== "unconfirmed") return this.expectSuccess(answer);
    try {
      await beforeConfirm?.();
    } catch (error) {
      return this.expectSuccess(await this.#revert(request, answer, error));
    }
    return this.expectSuccess(await this.#confirm(request, answer));
  }

  /** The host did not wait for the check, for it cannot go back: what the check finds is an error all the same. */
  async #judge(answer: Answer, check?: () => Promise<void>): Promise<Answer> {
    this.expectSuccess(answer);
    try {
      await check?.();
    } catch (error) {
      const result = { ...answer.result, status: "failed", rc: STAYS, msg: messageOf(error) };
      throw hostError(this.key, this.transport.place, result, answer.events);
    }
    return answer;
  }

  /** The answer, or the error that its code stands for. */
  expectSuccess(answer: Answer): Answer {
    if (answer.result.rc !== 0) throw hostError(this.key, this.transport.place, answer.result, answer.events);
    return answer;
  }

  async #runToResult(request: AgentRequest & { readonly tx: string }, entries: Entries): Promise<Answer> {
    const events: AgentEvent[] = [];
    const backoff = new Backoff();
    let launched = false;
    let deaths = 0;
    for (;;) {
      const attempt = launched
        ? await this.#exec("follow", await upload({ ...common(request), tx: request.tx, from: 1 }))
        : await this.#exec("run", await upload({ ...request, lockwait: this.left, deadline: this.left }, entries));
      // A follower prints the log from its beginning, so that nothing said during a cut is lost.
      if (launched) events.splice(0, events.length, ...events.filter(({ ev }) => ev === "facts"));
      events.push(...attempt.events);
      if (attempt.result !== undefined && ![66, 75].includes(attempt.result.rc)) {
        return { result: attempt.result, events };
      }
      if (attempt.result === undefined) {
        // Without a single word from the agent nothing was sent either: only the time for connecting is spent.
        launched ||= events.some(({ ev }) => ev === "facts");
        // Ended on the host rather than cut off: a follower finds out what is left, and the run begins again.
        if (launched && attempt.code !== 255 && deaths < DEATHS) deaths += 1;
        else this.#giveUp(attempt, launched ? this.#deadline : this.#connectBy, launched);
      } else {
        // Never launched, or the agent died: the same transaction again converges from wherever it stands.
        deaths += 1;
        if (this.#deadline.over || deaths > DEATHS) return { result: attempt.result, events };
        launched = false;
        events.length = 0;
      }
      await backoff.wait(this.#deadline);
    }
  }

  /** Confirms over a NEW connection, which alone proves that the way in still works. */
  async #confirm(request: AgentRequest & { readonly tx: string }, answer: Answer): Promise<Answer> {
    const window = new Deadline(
      Number(
        text(
          answer.events.find(({ ev }) => ev === "armed"),
          "msg",
        ),
      ) || CONFIRM_TIMEOUT,
    );
    const body = await upload({ ...common(request), tx: request.tx });
    const backoff = new Backoff();
    while (!window.over) {
      const attempt = await this.#exec("confirm", body, Math.min(CONFIRM_TIMEOUT, window.left + 1));
      if (attempt.result?.rc === 0) {
        return { result: { ...answer.result, status: "ok" }, events: [...answer.events, ...attempt.events] };
      }
      if (attempt.result !== undefined) break;
      await backoff.wait(window);
    }
    await new Promise((resolve) => setTimeout(resolve, AFTER_REVERT * 1000));
    const { result, events } = await this.settled(common(request));
    return {
      result: {
        ...answer.result,
        status: "reverted",
        rc: result.current === "" ? TAKEN_OFF : REVERTED,
        current: result.current,
        msg: "not reachable over a new connection in time; the host went back by itself",
      },
      events: [...answer.events, ...events],
    };
  }

  /** The check before the confirmation failed: back to the release before, now rather than by the timer. */
  async #revert(request: AgentRequest & { readonly tx: string }, answer: Answer, error: unknown): Promise<Answer> {
    const msg = messageOf(error);
    const { result, events } = await this.ask("revert", {
      ...common(request),
      tx: request.tx,
      cause: asCause(msg),
    });
    const back = result.current === "" ? TAKEN_OFF : REVERTED;
    return {
      result: {
        ...answer.result,
        status: "reverted",
        rc: result.current === request.release ? DEGRADED : back,
        current: result.current,
        msg,
      },
      events: [...answer.events, ...events],
    };
  }

  async #exec(verb: string, body: readonly Buffer[], timeout = Math.max(1, this.#deadline.left)): Promise<Attempt> {
    const events: AgentEvent[] = [];
    const results: AgentResult[] = [];
    const { code, stderr } = await this.transport.exec({
      verb,
      upload: body,
      timeout,
      newConnection: verb === "confirm",
      onLine: (line) => {
        const event = parseLine(line);
        events.push(event);
        if (event.ev === "result") results.push(resultOf(event));
        else this.options.onEvent?.(event);
      },
    });
    return { code, stderr, events, result: results.at(-1) };
  }

  /** Throws if trying again is pointless or the time is over. */
  #giveUp({ code, stderr, events }: Attempt, until: Deadline, started = false): void {
    const place = `${this.key} (${this.transport.place})`;
    if (code !== 255 && events.some(({ ev }) => ev === "facts")) {
      const message = `${place}: the agent was ended before it was done (exit code ${code}); run it again`;
      // The host answers: what is meant for hosts that cannot be reached is not meant for this one.
      throw started ? new UnreachableError(message, started) : new Error(message);
    }
    const final = refusal(code, stderr);
    if (final !== undefined) throw new UnreachableError(`${place}: ${final}`, started);
    if (!until.over && code === 255) return;
    const said = stderr.trim() || events.map((event) => text(event, "msg")).join("; ") || `exit code ${code}`;
    throw new UnreachableError(`${place}: no answer: ${said}`, started);
  }
}

interface Attempt {
  readonly code: number;
  readonly stderr: string;
  readonly events: readonly AgentEvent[];
  readonly result: AgentResult | undefined;
}

/** What every verb needs of a request. */
function common({ component, root, instance, stack, urn, machine }: AgentRequest): AgentRequest {
  return { component, root, instance, stack, urn, machine };
}
