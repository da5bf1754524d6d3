import type { Input, Resource } from "@pulumi/pulumi";
import type { HostPlan } from "../plan/host-plan";
import type { HostTarget } from "./target";

/** A release that a program declares, before any engine sees it. */
export interface DeclaredRelease {
  readonly name: string;
  /** Directory under `/etc/gofleet`. */
  readonly component: string;
  readonly plan: HostPlan<Input<string>>;
  readonly target: HostTarget;
  /** The component it belongs to. */
  readonly parent: Resource;
}

/**
 * Who wants to know of every release a program declares: `gofleet render` and its like, which run the program without
 * an engine. On the global object, because the program may load another copy of this package than the command does.
 */
const OBSERVER = Symbol.for("gofleet.observer");

type Global = { [OBSERVER]?: (release: DeclaredRelease) => void };

export function observe(observer: (release: DeclaredRelease) => void): void {
  (globalThis as Global)[OBSERVER] = observer;
}

export function declare(release: DeclaredRelease): void {
  (globalThis as Global)[OBSERVER]?.(release);
}
