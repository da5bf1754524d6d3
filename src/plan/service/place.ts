import type { AbsolutePath, UnitName } from "../../model/names";
import { componentUser, nameDigest } from "../user-name";

/**
 * Where a service's things are on its host, from the component's directory name alone, so that its parts (unit, sockets,
 * health, watch) agree without knowing each other.
 */
export interface ServicePlace {
  /** The component's directory name. */
  readonly component: string;
  /** `/etc/gofleet/<component>`: settings and scripts. */
  readonly settings: AbsolutePath;
  /** `gofleet-<component>.service`. */
  readonly unit: UnitName;
  /** The user, where it is one of its own; with `DynamicUser=` the name that systemd gives it. */
  readonly user: string;
  /** The name of its directories below /var/lib, /var/cache, /var/log and /run. */
  readonly directory: string;
  /** Each release's program, below the name of its download. */
  readonly programs: AbsolutePath;
  /** A link to the directory of the current release's program, which switches with it. */
  readonly program: AbsolutePath;
  /** Variables of the service that are no secrets. */
  readonly environment: AbsolutePath;
  /** Probes the service and tells systemd, for a service that does not do so itself. */
  readonly notifier: AbsolutePath;
  /** Gives the service other variables for a time; for an operator on the host. */
  readonly diagnose: AbsolutePath;
  /** Credentials on the disk, by name; root's. */
  readonly secrets: AbsolutePath;
}

/** @param component the component's directory name under `/etc/gofleet` */
export function servicePlace(component: string): ServicePlace {
  const user = componentUser(component);
  const settings: AbsolutePath = `/etc/gofleet/${component}`;
  return {
    component,
    settings,
    unit: `gofleet-${component}.service`,
    user,
    directory: user,
    programs: `/usr/local/lib/gofleet/${component}`,
    program: `${settings}/program`,
    environment: `${settings}/environment`,
    notifier: `${settings}/notify`,
    diagnose: `${settings}/diagnose`,
    secrets: `${settings}/current/.gofleet/secrets`,
  };
}

/** The unit of one of its sockets: `gofleet-<component>-http.socket`. */
export function socketUnit({ component }: ServicePlace, name: string): UnitName {
  return `gofleet-${component}-${name}.socket`;
}

/** A journal namespace takes few letters, and its name is part of a unit's: a long one is cut and told apart. */
export function journalNamespace({ component }: ServicePlace): string {
  const plain = `gofleet-${component}`;
  return plain.length <= 40 ? plain : `${plain.slice(0, 33)}-${nameDigest(component)}`;
}
