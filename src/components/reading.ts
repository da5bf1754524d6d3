import * as pulumi from "@pulumi/pulumi";
import type { HostRelease } from "../targets/host-release";
import { hasEngine } from "../targets/provider-resolution";

/**
 * What a probe read on the hosts, as JSON; the first host by its key speaks for all.
 *
 * @param mocked what it is with Pulumi's mocks, where there are no hosts to read
 */
export function readingOf<T>({ readings }: HostRelease, probe: string, mocked: T): pulumi.Output<T> {
  return readings.apply((all): T => {
    const text = all?.[probe];
    if (text !== undefined) return JSON.parse(text) as T;
    if (!hasEngine()) return mocked;
    throw new Error(`the hosts gave no reading of "${probe}"; run \`pulumi up --refresh\``);
  });
}

/** How exposed a unit is as systemd on the hosts reckons it, from 0 (not at all) to 10; NaN with mocks. */
export function exposureOf(release: HostRelease): pulumi.Output<number> {
  return readingOf(release, "exposure", { exposure: NaN }).apply(({ exposure }) => exposure);
}
