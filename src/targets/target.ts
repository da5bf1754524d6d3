import type { Input } from "@pulumi/pulumi";
import type { ReleasePolicy } from "../host/release";
import type { AuditArgs } from "../model/audit";
import type { Issue } from "../model/issues";
import type { Rollout } from "../model/rollout";
import type { Duration } from "../model/units";

/** One or many hosts that take a component's release. Made by `local`, `ssh` or `hostPool`. */
export interface HostTarget {
  readonly kind: "hosts";
  /** By their keys. */
  readonly hosts: Readonly<Record<string, TargetHost>>;
  /** How a release goes through them. */
  readonly rollout: Rollout;
  /** Tokens and passwords of the rollout's gates by their names; secrets. */
  readonly gateSecrets?: Readonly<Record<string, Input<string>>>;
  /** The settings, with every default in place. */
  readonly policy: TargetPolicy;
  /** What is wrong with the arguments it was made from; a component reports them with its own, below `target`. */
  readonly issues: readonly Issue[];
}

/** One host of a target. */
export interface TargetHost {
  /** The connection as one line, see `src/host/connection.ts`. */
  readonly line: Input<string>;
  /** sudo's password; a secret. */
  readonly password?: Input<string>;
}

/** What is decided per target; the rest of the policy is a component's. */
export type TargetPolicy = Pick<
  ReleasePolicy,
  "unreachable" | "onNewMachine" | "deadline" | "connect" | "unsupported" | "audit" | "reasons"
>;

/** Settings that every target takes. */
export interface TargetSettings {
  /**
   * A host that cannot be reached: `fail` stops with an error; `keep` leaves it as it is, says so, and the next update
   * tries again; `gone` is `keep`, and destroy gives the host up, for machines that no longer exist.
   * @default "fail"
   */
  readonly unreachable?: "fail" | "keep" | "gone";
  /**
   * Another machine (another `/etc/machine-id`) under a known key: an error naming both, or an installation.
   * @default "fail"
   */
  readonly onNewMachine?: "fail" | "install";
  /**
   * One host's operation, everything included: downloads, locks, probes, reconnects.
   * @default "15 min"
   */
  readonly deadline?: Duration;
  /**
   * How long to try for the first connection, with growing pauses. A machine made in the same run has to boot first.
   * @default "30 s"
   */
  readonly connect?: Duration;
  /**
   * Hosts outside the supported list (Debian 12 and 13, Ubuntu 22.04 and 24.04, systemd 249 or newer, SELinux not
   * enforcing): refused before anything is touched, or tried.
   * @default "refuse"
   */
  readonly unsupported?: "refuse" | "allow";
  /**
   * Where the hosts keep who changed what, and whether they must be told why.
   * @default { journal: true }
   */
  readonly audit?: AuditArgs;
}
