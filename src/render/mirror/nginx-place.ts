import type { AbsolutePath } from "../../model/names";

/** What nginx.conf must know of the host; a `MirrorPlace` with the front's own secrets. */
export interface NginxPlace {
  readonly component: string;
  readonly frontUser: string;
  /** Made by the unit, writable for the master alone: the pid file and the copied password file. */
  readonly run: AbsolutePath;
  /** The passwords' file, readable for the workers, who open it on every request. */
  readonly passwords: AbsolutePath;
  readonly certificate: AbsolutePath;
  readonly key: AbsolutePath;
  readonly clientCa: AbsolutePath;
  readonly cache: AbsolutePath;
  readonly generation: AbsolutePath;
  readonly socket: AbsolutePath;
  readonly readOnlyFlag: AbsolutePath;
  readonly metrics: AbsolutePath;
}
