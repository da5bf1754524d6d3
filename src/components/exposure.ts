import * as pulumi from "@pulumi/pulumi";
import type { HostRelease } from "../targets/host-release";
import { hasEngine } from "../targets/provider-resolution";

/** What the probe of a unit's exposure printed on the hosts. With mocks there are no hosts to read: NaN. */
export function exposureOf({ readings }: HostRelease): pulumi.Output<number> {
  return readings.apply((all) => parseExposure(all?.["exposure"]));
}

function parseExposure(text: string | undefined): number {
  if (text === undefined && !hasEngine()) return NaN;
  if (text === undefined) throw new Error("the hosts gave no reading of their unit; run `pulumi up --refresh`");
  return (JSON.parse(text) as { readonly exposure: number }).exposure;
}
