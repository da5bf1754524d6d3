import { EMPTY_PLAN, type HostPlan } from "../plan/host-plan";
import { manifest, releaseId } from "../plan/manifest";
import { planOf, type ReleaseInputs } from "./release";
import { secretDigest } from "./secrets";
import { releaseEntries, type Entries } from "./upload";

/** A release made ready to send: the plan, its name, and what is sent to every host alike. */
export interface PreparedRelease {
  readonly plan: HostPlan;
  readonly id: string;
  readonly entries: Entries;
  /** Nothing is sent: the hosts keep it, and it passed its checks when it came. */
  readonly kept?: true;
}

/**
 * The program's release.
 * @param key of the secrets' digests, so that the release's name tells nothing of them
 */
export function prepare(inputs: ReleaseInputs, key: string): PreparedRelease {
  const plan = planOf(inputs, (name, secret) => secretDigest(key, name, secret));
  const manifestText = manifest(plan);
  const secrets = new Map(Object.entries(inputs.secrets ?? {}));
  return { plan, id: releaseId(manifestText), entries: releaseEntries(plan, manifestText, secrets) };
}

/** The release that the hosts are to have: the one they are pinned to, or the program's. */
export function wantedRelease(inputs: ReleaseInputs, key: string): PreparedRelease {
  if (inputs.pin === undefined) return prepare(inputs, key);
  return { plan: EMPTY_PLAN, id: inputs.pin.release, entries: new Map(), kept: true };
}
