import type { AbsolutePath } from "../../model/names";

/** What nginx.conf must know of the host; a `MirrorPlace` with the front's own secrets. */
export interface NginxPlace {
  readonly component: string;
  readonly frontUser: string;
  /** Made by the unit, writable for the master alone: the pid file and the copied password file. */
  readonly run: AbsolutePath;
  /** The passwords' file, readable for the workers, who open it on every request. */
  readonly passwords: AbsolutePath;
  /** The served chain and its key, wherever they come from. */
  readonly certificate: AbsolutePath;
  readonly key: AbsolutePath;
  /** Below it are the answers to ACME's challenges; undefined where certificates come from elsewhere. */
  readonly challenges: AbsolutePath | undefined;
  readonly clientCa: AbsolutePath;
  readonly cache: AbsolutePath;
  readonly generation: AbsolutePath;
  readonly socket: AbsolutePath;
  readonly readOnlyFlag: AbsolutePath;
  readonly metrics: AbsolutePath;
}
