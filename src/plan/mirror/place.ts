import type { AbsolutePath, UnitName } from "../../model/names";
import { componentUser } from "../user-name";

/**
 * Where a mirror's things are on its host, from the component's directory name alone, so that its parts (Athens, the
 * front, the store's keeper) agree without knowing each other.
 */
export interface MirrorPlace {
  /** The component's directory name. */
  readonly component: string;
  /** `/etc/gofleet/<component>`: settings. */
  readonly settings: AbsolutePath;
  /** `/run/<user>`: the socket and the keeper's flags; 0750 of user and group, made by tmpfiles. */
  readonly runtime: AbsolutePath;
  /** `/var/lib/<user>`: what the keeper remembers of the store; 0750 of user and group. */
  readonly state: AbsolutePath;
  /** Runs Athens and owns the store; also the name of its group, of which `frontUser` is a member. */
  readonly user: string;
  /** Runs nginx's workers. */
  readonly frontUser: string;
  readonly athens: {
    readonly unit: UnitName;
    readonly config: AbsolutePath;
    readonly downloadMode: AbsolutePath;
    /** Athens listens here and nowhere else. */
    readonly socket: AbsolutePath;
    /** Settings that the keeper writes while the store must not grow: an EnvironmentFile, absent in normal times. */
    readonly readOnlyEnvironment: AbsolutePath;
  };
  readonly front: {
    readonly unit: UnitName;
    readonly config: AbsolutePath;
    /** The served chain, leaf first; public. */
    readonly certificate: AbsolutePath;
    /** Cached answers: lists and paths that nginx cannot read from the store. */
    readonly cache: AbsolutePath;
    /** Changes when the store was repaired, so that cached answers of before are forgotten: an nginx include. */
    readonly generation: AbsolutePath;
  };
  readonly keeper: {
    /** Checks, repairs, collects and watches the store. */
    readonly unit: UnitName;
    readonly timer: UnitName;
    /** Present while the store is read-only. */
    readonly readOnlyFlag: AbsolutePath;
    /** Prometheus text format, replaced by a rename. */
    readonly metrics: AbsolutePath;
  };
}

/** @param component the component's directory name under `/etc/gofleet` */
export function mirrorPlace(component: string): MirrorPlace {
  const user = componentUser(component);
  const settings: AbsolutePath = `/etc/gofleet/${component}`;
  const runtime: AbsolutePath = `/run/${user}`;
  const state: AbsolutePath = `/var/lib/${user}`;
  return {
    component,
    settings,
    runtime,
    state,
    user,
    frontUser: `${user}-www`,
    athens: {
      unit: `gofleet-${component}-athens.service`,
      config: `${settings}/athens.toml`,
      downloadMode: `${settings}/download-mode.hcl`,
      socket: `${runtime}/athens.sock`,
      readOnlyEnvironment: `${runtime}/read-only.env`,
    },
    front: {
      unit: `gofleet-${component}-nginx.service`,
      config: `${settings}/nginx.conf`,
      certificate: `${settings}/tls-chain.pem`,
      cache: `/var/cache/${user}`,
      generation: `${state}/generation.conf`,
    },
    keeper: {
      unit: `gofleet-${component}-store.service`,
      timer: `gofleet-${component}-store.timer`,
      readOnlyFlag: `${runtime}/read-only`,
      metrics: `${state}/metrics.prom`,
    },
  };
}

/** The stable path of a secret's bytes, root's alone. */
export function secretPath({ component }: MirrorPlace, name: string): AbsolutePath {
  return `/etc/gofleet/${component}/current/.gofleet/secrets/${name}`;
}
