import type { AbsolutePath } from "../../model/names";
import type { Service } from "../../model/service/service";
import type { HostPlan } from "../host-plan";
import type { ServicePlace } from "./place";

/** A service with every default filled in, and where its things are; only structure counts for a plan. */
export interface ServiceParts {
  readonly place: ServicePlace;
  readonly service: Service;
  /** Whether the program gives it variables. */
  readonly hasEnvironment: boolean;
  readonly release: ServiceProgram;
}

/** The program of a release: what a plan needs for it, and where it is then. */
export interface ServiceProgram {
  readonly plan: Partial<HostPlan>;
  /** The name of its download, which says what it is. */
  readonly download: string;
  /** Directory of the download. */
  readonly tree: AbsolutePath;
  /** The program that the unit starts, below it. */
  readonly program: AbsolutePath;
}

/** The texts of a service's files that depend on values. */
export interface ServiceTexts<Text> {
  /** By {@link environmentText}; where there are variables. */
  readonly environment: Text;
  /** By name, as given. */
  readonly files: Readonly<Record<string, Text>>;
}
