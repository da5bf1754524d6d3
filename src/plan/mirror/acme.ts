import { CHALLENGE_PORT, type Acme } from "../../model/mirror/front-acme";
import type { Front } from "../../model/mirror/front-resolve";
import { acmeScript } from "../../render/mirror/acme-script";
import { acmeDirectories, acmeService, acmeTimer, type AcmeUnits } from "../../render/mirror/acme-units";
import type { HostPlan } from "../host-plan";
import { textFile } from "../text-file";
import { acmePaths } from "./acme-paths";
import { acmeProbe } from "./acme-probe";
import type { MirrorPlace } from "./place";

/**
 * What gets a front's certificate and renews it: certbot with directories, units and a script of ours, and none of its
 * package's. The last probe of a release fetches the first certificate, which stays whatever becomes of that release.
 *
 * @param ca the private ACME server's CA, where it has one
 */
export function acmePlan<Text>(
  front: Front,
  acme: Acme,
  place: MirrorPlace,
  ca: Text | undefined,
): Pick<HostPlan<Text | string>, "files" | "symlinks" | "units" | "probes" | "packages" | "listens"> {
  const paths = acmePaths(place, front.domain, acme);
  const { script, service, timer } = paths;
  const units: AcmeUnits = {
    component: place.component,
    ...{ script, service, timer },
    front: place.front.unit,
    // Its pairs are made by the command without a sandbox.
    writable: [paths.state],
  };
  const scriptText = acmeScript(acme, {
    domain: front.domain,
    client: paths.client,
    challenges: paths.challenges,
    certificate: paths.name,
    pairs: paths.pairs,
    request: paths.request,
    ca: paths.ca,
    front: place.front.unit,
  });
  const files = [
    textFile<Text | string>(script, scriptText),
    ...(ca === undefined ? [] : [textFile<Text | string>(paths.ca, ca)]),
    textFile(
      `/etc/tmpfiles.d/gofleet-${place.component}-acme.conf`,
      acmeDirectories(paths.state, paths.client, [paths.challenges, paths.certificates]),
    ),
    textFile(`/etc/systemd/system/${service}`, acmeService(units)),
    textFile(`/etc/systemd/system/${timer}`, acmeTimer(units)),
  ];
  return {
    files,
    symlinks: [
      { path: `/etc/systemd/system/timers.target.wants/${timer}`, target: `../${timer}`, switched: false },
      // The certificate has one path, wherever it comes from: the store's keeper reads its end from there.
      { path: place.front.certificate, target: paths.chain, switched: false },
    ],
    units: [{ name: timer, onChange: "restart", reads: files.map(({ path }) => path) }],
    probes: [acmeProbe(front, place, paths)],
    packages: ["certbot"],
    listens: front.addresses.map((address) => ({ address, port: CHALLENGE_PORT, unit: place.front.unit })),
  };
}
