import type { AbsolutePath } from "../names";

/** Where Athens finds its things on a host. */
export interface AthensPaths {
  readonly config: AbsolutePath;
  readonly downloadMode: AbsolutePath;
  readonly knownHosts: AbsolutePath;
  readonly robots: AbsolutePath;
  readonly homeTemplate: AbsolutePath;
  readonly socket: AbsolutePath;
  /** Where modules are fetched before they are stored: deleted at every start. */
  readonly fetch: AbsolutePath;
  /** Home of Athens and what it runs: in memory, deleted when it stops. */
  readonly home: AbsolutePath;
  /** Where systemd puts the unit's credentials. */
  readonly credentials: AbsolutePath;
}
