import type { ResolvedRelease } from "../../model/service/release";
import type { Service } from "../../model/service/service";
import type { Watch } from "../../model/service/watch";
import type { ServicePlace } from "./place";

/** A service with every default filled in, and where its things are; only structure counts for a plan. */
export interface ServiceParts {
  readonly place: ServicePlace;
  readonly service: Service;
  /** Whether the program gives it variables. */
  readonly hasEnvironment: boolean;
  readonly release: ResolvedRelease;
  /** How the host looks after it by itself; undefined: not at all. */
  readonly watch: Watch | undefined;
  /** Older releases cannot live with what this one does. */
  readonly irreversible: boolean;
}

/** The texts of a service's files that depend on values. */
export interface ServiceTexts<Text> {
  /** By {@link environmentText}; where there are variables. */
  readonly environment: Text;
  /** By name, as given. */
  readonly files: Readonly<Record<string, Text>>;
  /** CA certificates of the syslog server, where they are given. */
  readonly logCa?: Text | undefined;
}
