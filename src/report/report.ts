import type { Diagnostic, Operation, PolicyResult, Position } from "./change";
import type { PropertyChange } from "./compare";
import type { TextDiff } from "./text-diff";
import type { Words } from "./words";

/** A preview as a person reviews it; what every format is made from. As JSON: src/report/report.schema.json. */
export interface Report {
  /** Version of this shape; a new one may take away or change fields, never the same one. */
  readonly version: 1;
  readonly verdict: Verdict;
  readonly gate: Gate;
  readonly stacks: readonly StackSummary[];
  /** The worst first. */
  readonly risks: readonly Risk[];
  readonly components: readonly ComponentChange[];
  readonly policies: readonly PolicyRow[];
  readonly diagnostics: readonly DiagnosticRow[];
  readonly details: readonly Detail[];
}

/** `none`: nothing changes. `attention`: a risk to look at. `danger`: something is lost or cut. `failed`: no preview. */
export type Level = "none" | "change" | "attention" | "danger" | "failed";

export interface Verdict {
  readonly level: Level;
  readonly title: Words;
  readonly counts: Counts;
  /** Distinct hosts an update visits. */
  readonly hosts: number;
}

export type Counts = Readonly<Record<"create" | "update" | "replace" | "delete" | "same", number>>;

export interface StackSummary {
  readonly project: string;
  readonly stack: string;
  readonly counts: Counts;
  /** Names of the policy packs that ran, where that is known. */
  readonly packs: readonly string[];
  readonly complete: boolean;
}

export interface Risk {
  readonly level: "danger" | "attention" | "notice";
  readonly kind: RiskKind;
  readonly text: Words;
  readonly stack: string;
  readonly position?: Position;
}

export type RiskKind =
  | "failure"
  | "policy"
  | "protected"
  | "replace"
  | "delete"
  | "unreachable"
  | "disk"
  | "downtime"
  | "at-once"
  | "irreversible"
  | "drift"
  | "pin"
  | "connection";

/** The machine's verdict: may this be merged, or applied. */
export interface Gate {
  readonly pass: boolean;
  /** The label or token that would let pass what an approval can. */
  readonly approval: string;
  /** Why not; or, with `approved`, what an approval lets through. */
  readonly reasons: readonly GateReason[];
}

export interface GateReason {
  readonly kind: GateKind | "limit";
  readonly text: Words;
  /** True: it would stop the change, and the approval given lets it pass. */
  readonly approved: boolean;
}

/** What can stop a change; `changes`: any change at all. */
export type GateKind =
  "failure" | "policy" | "protected" | "replace" | "delete" | "downtime" | "drift" | "unreachable" | "disk" | "changes";

/** A gofleet component with all that belongs to it, or a resource that belongs to none. */
export interface ComponentChange {
  readonly urn: string;
  readonly stack: string;
  readonly name: string;
  /** `GoToolchainHost`, or the resource's whole type token. */
  readonly type: string;
  readonly op: Operation;
  /** The change in one line: `Go 1.26.7 → 1.26.8`. */
  readonly headline: Words;
  /** `on 12 hosts`; empty where it visits none. */
  readonly where: Words;
  /** Canaries and batches, where it goes in waves. */
  readonly rollout?: Words;
  readonly sentences: readonly Words[];
  readonly downtime: "none" | "reload" | "restart";
  /** Hosts it is on, and how many of them are visited. */
  readonly hosts: number;
  readonly visited: number;
  readonly position?: Position;
}

export interface PolicyRow extends PolicyResult {
  readonly stack: string;
  readonly resource?: string;
  readonly position?: Position;
}

export interface DiagnosticRow extends Diagnostic {
  readonly stack: string;
  readonly resource?: string;
  readonly position?: Position;
}

/** A difference shown once, however many places have the same. */
export interface Detail {
  readonly places: readonly Place[];
  /** Hosts of all places together. */
  readonly hosts: number;
  readonly file?: TextDiff;
  readonly properties?: readonly PropertyChange[];
}

export interface Place {
  readonly stack: string;
  readonly name: string;
  readonly type: string;
  readonly hosts: number;
}
