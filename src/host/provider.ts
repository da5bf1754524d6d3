/**
 * The provider of the release resource, as the dynamic-provider process of the Node SDK loads it by
 * `require("gofleet/provider").provider`. It is written against four plain functions, so that another binding can
 * call them as well.
 */
import { createRequire } from "node:module";
import { connect as connectReal, disconnectAll, type Connect } from "./connect";
import { watchEngine } from "./engine-watch";
import { HostQueue } from "./host-queue";
import { Idle } from "./idle";
import { engineProgress, progressSent } from "./progress";
import { checkRelease } from "./release-check";
import { diffRelease, pinnedText } from "./release-diff";
import { ReleaseManager } from "./release-manager";
import { readRelease } from "./release-read";
import type { ReleaseInputs, ReleaseState } from "./release";

const queue = new HostQueue();

/** Milliseconds for the engine, which closes its connection first, to end this process itself. */
const GRACE = 1000;

/** Tests replace the way to the hosts by naming a module that exports `connect`. */
const connect: Connect =
  process.env["GOFLEET_TRANSPORT"] === undefined
    ? connectReal
    : (createRequire(__filename)(process.env["GOFLEET_TRANSPORT"]) as { connect: Connect }).connect;

// A run that is cancelled, or whose engine was killed, settles the wave in progress and begins no other. The logins of
// this run are ended in any case.
const idle = new Idle(() => process.exit(0));
watchEngine({
  cancelled: () => idle.stop(),
  gone: () => {
    idle.stop();
    setTimeout(() => idle.leave(), GRACE);
  },
});
process.on("SIGINT", () => idle.leave());
process.on("exit", disconnectAll);

/** What the engine calls. Errors with an `id` carry what is true on the hosts after a half-failed rollout. */
export const provider = {
  async check(_olds: unknown, news: ReleaseInputs) {
    return { inputs: news, failures: checkRelease(news) };
  },

  async diff(_id: string, olds: ReleaseState, news: ReleaseInputs) {
    const pinned = pinnedText(olds, news);
    if (pinned !== undefined) engineProgress(news.resourceUrn).warn(pinned);
    return { ...diffRelease(olds, news), deleteBeforeReplace: false };
  },

  async create(inputs: ReleaseInputs) {
    const state = await told(() => manager(inputs.resourceUrn).create(clean(inputs)));
    return { id: state.component, outs: clean(state) };
  },

  async read(id: string, state: ReleaseState) {
    const options = { connect, progress: engineProgress(state.resourceUrn), queue };
    const found = await told(() => readRelease(clean(state), options));
    if (found.state === undefined) return { id: "", props: {} };
    return { id, props: clean(found.state), inputs: clean(found.inputs) };
  },

  async update(_id: string, olds: ReleaseState, news: ReleaseInputs) {
    return { outs: clean(await told(() => manager(news.resourceUrn).update(clean(olds), clean(news)))) };
  },

  async delete(_id: string, state: ReleaseState) {
    await told(() => manager(state.resourceUrn).delete(clean(state)));
  },
};

/** Does the work, and returns once the engine has all that was said of it. */
function told<T>(work: () => Promise<T>): Promise<T> {
  return idle.during(() => work().finally(progressSent));
}

function manager(urn: string): ReleaseManager {
  return new ReleaseManager({ connect, progress: engineProgress(urn), stop: idle.stopping, queue });
}

/** Without the SDK's own key and without `undefined`, which it refuses on the way back. */
function clean<T>(value: T): T {
  const { __provider: _, ...rest } = JSON.parse(JSON.stringify(value)) as { __provider?: string };
  return rest as T;
}
