import { createHash } from "node:crypto";
import type { Acme } from "../../model/mirror/front-acme";
import type { AbsolutePath, UnitName } from "../../model/names";
import type { MirrorPlace } from "./place";

/** Where a front's ACME client and its certificates are on a host. */
export interface AcmePaths {
  /** Account, certificates, keys and challenges: survives releases, goes with the mirror unless it is kept. */
  readonly state: AbsolutePath;
  /** The client's own directory; root's alone. */
  readonly client: AbsolutePath;
  readonly challenges: AbsolutePath;
  /** A directory for each certificate: a release that comes back finds its own. */
  readonly certificates: AbsolutePath;
  /** The certificate's name, for people who look into the client's directory. */
  readonly name: string;
  readonly pairs: AbsolutePath;
  readonly chain: AbsolutePath;
  readonly key: AbsolutePath;
  /** A file that asks for a new certificate. */
  readonly request: AbsolutePath;
  readonly script: AbsolutePath;
  readonly ca: AbsolutePath;
  readonly service: UnitName;
  readonly timer: UnitName;
}

export function acmePaths({ component, settings, frontUser }: MirrorPlace, domain: string, acme: Acme): AcmePaths {
  const state: AbsolutePath = `/var/lib/${frontUser}`;
  const digest = createHash("sha256").update(`${acme.directory}\0${acme.keyType}`).digest("hex").slice(0, 8);
  const name = `${domain}-${digest}`;
  const certificates: AbsolutePath = `${state}/certificates`;
  const pairs: AbsolutePath = `${certificates}/${name}`;
  return {
    state,
    client: `${state}/certbot`,
    challenges: `${state}/challenges`,
    certificates,
    name,
    pairs,
    chain: `${pairs}/current/chain.pem`,
    key: `${pairs}/current/key.pem`,
    request: `${state}/renew`,
    script: `${settings}/acme`,
    ca: `${settings}/acme-ca.pem`,
    service: `gofleet-${component}-acme.service`,
    timer: `gofleet-${component}-acme.timer`,
  };
}
