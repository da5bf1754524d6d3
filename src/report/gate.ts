import type { Gate, GateKind, GateReason, Report, Risk } from "./report";
import { counted, joined, own, type Words } from "./words";

/** Every {@link GateKind}. */
export const GATE_KINDS = [
  "failure",
  "policy",
  "protected",
  "replace",
  "delete",
  "downtime",
  "drift",
  "unreachable",
  "disk",
  "changes",
] as const satisfies readonly GateKind[];

export interface GateOptions {
  /** @default failure, policy, protected */
  readonly failOn?: readonly GateKind[];
  /** The label or token that lets destructive changes pass. */
  readonly approval?: string;
  /** Labels or tokens the change carries. */
  readonly approvals?: readonly string[];
  readonly maxDeletes?: number;
  readonly maxReplaces?: number;
  readonly maxHosts?: number;
}

export const DEFAULT_FAIL_ON: readonly GateKind[] = ["failure", "policy", "protected"];
export const DEFAULT_APPROVAL = "gofleet/approve-destroy";

/** What an approval can let pass. A preview that failed, or a mandatory policy, it cannot. */
const APPROVABLE: readonly string[] = [
  "protected",
  "replace",
  "delete",
  "downtime",
  "drift",
  "unreachable",
  "disk",
  "limit",
];

export function decide(report: Pick<Report, "risks" | "verdict">, options: GateOptions = {}): Gate {
  const { failOn = DEFAULT_FAIL_ON, approval = DEFAULT_APPROVAL, approvals = [] } = options;
  const approved = approvals.includes(approval);
  const { counts, hosts } = report.verdict;
  const reason = (kind: GateReason["kind"], text: Words): GateReason => ({
    kind,
    text,
    approved: approved && APPROVABLE.includes(kind),
  });
  const reasons = report.risks
    .filter((risk) => stops(risk, failOn))
    .map(({ kind, text }) => reason(kind as GateKind, text));
  const changed = counts.create + counts.update + counts.replace + counts.delete;
  if (failOn.includes("changes") && changed > 0) reasons.push(reason("changes", counted(changed, "change")));
  const limits = [
    ["deleted", counts.delete, options.maxDeletes],
    ["replaced", counts.replace, options.maxReplaces],
    ["hosts visited", hosts, options.maxHosts],
  ] as const;
  for (const [what, found, most] of limits) {
    if (most !== undefined && found > most)
      reasons.push(reason("limit", own(`${what}: ${found}, at most ${most} allowed`)));
  }
  return { pass: reasons.every((each) => each.approved), approval, reasons };
}

/** Notices stop nothing. What is protected is also a deletion or a replacement. */
function stops({ kind, level }: Risk, failOn: readonly string[]): boolean {
  if (level === "notice") return false;
  return failOn.includes(kind) || (kind === "protected" && (failOn.includes("delete") || failOn.includes("replace")));
}

/** True: an approval is all that is missing. */
export function approvable({ reasons }: Gate): boolean {
  return reasons.every(({ kind, approved }) => approved || APPROVABLE.includes(kind));
}

/** The kinds of reasons, each once, and the limits that are passed; undefined where there are none. */
export function shortly({ reasons }: Gate): Words | undefined {
  if (reasons.length === 0) return undefined;
  const kinds = new Set(reasons.flatMap(({ kind }) => (kind === "limit" ? [] : [kind])));
  const limits = reasons.flatMap(({ kind, text }) => (kind === "limit" ? [text] : []));
  return joined([...[...kinds].map(own), ...limits], ", ");
}
