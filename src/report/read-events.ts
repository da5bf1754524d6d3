import type { DetailedKind, Diagnostic, Operation, PolicyResult, ResourceChange, StackPreview } from "./change";
import { properties } from "./values";
import { nameOf, stackOf } from "./urn";

/** One engine event, as far as it is read. See pulumi/pulumi sdk/go/common/apitype/events.go. */
export interface EngineEvent {
  readonly diagnosticEvent?: { urn?: string; message?: string; severity?: string; ephemeral?: boolean };
  readonly resourcePreEvent?: { metadata?: StepMetadata };
  readonly resOpFailedEvent?: { metadata?: StepMetadata };
  readonly resOutputsEvent?: { metadata?: StepMetadata };
  readonly policyEvent?: PolicyEvent;
  readonly policyRemediationEvent?: PolicyEvent;
  readonly summaryEvent?: { result?: string; PolicyPacks?: Readonly<Record<string, string>> };
  readonly errorEvent?: { error?: string };
}

interface PolicyEvent {
  readonly resourceUrn?: string;
  readonly message?: string;
  readonly policyName?: string;
  readonly policyPackName?: string;
  readonly enforcementLevel?: string;
  readonly severity?: string;
}

export interface StepMetadata {
  readonly op?: string;
  readonly urn?: string;
  readonly type?: string;
  readonly old?: StepState | null;
  readonly new?: StepState | null;
  readonly keys?: readonly string[] | null;
  readonly detailedDiff?: Readonly<Record<string, { diffKind?: string; kind?: string }>> | null;
}

export interface StepState {
  readonly parent?: string;
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
  readonly inputs?: unknown;
  readonly outputs?: unknown;
}

/** Reads a stack's preview from its engine events; undefined where they name no stack. */
export function readEvents(events: readonly EngineEvent[]): StackPreview | undefined {
  const steps = new Map<string, ResourceChange>();
  const refreshed = new Map<string, ResourceChange>();
  const diagnostics: Diagnostic[] = [];
  const policies: PolicyResult[] = [];
  let stack: ReturnType<typeof stackOf>;
  let result: string | undefined;
  let packs: string[] = [];
  for (const event of events) {
    const metadata = (event.resourcePreEvent ?? event.resOutputsEvent ?? event.resOpFailedEvent)?.metadata;
    stack ??= stackOf(metadata?.urn ?? event.policyEvent?.resourceUrn ?? event.diagnosticEvent?.urn);
    if (event.resourcePreEvent !== undefined && metadata !== undefined) add(steps, stepOf(metadata));
    if (event.resOutputsEvent !== undefined && metadata?.op === "refresh") add(refreshed, stepOf(metadata));
    if (event.resOpFailedEvent !== undefined && metadata !== undefined) {
      add(steps, { ...stepOf(metadata), failed: true });
    }
    if (event.diagnosticEvent !== undefined) diagnostics.push(...diagnosticOf(event.diagnosticEvent));
    if (event.errorEvent !== undefined) {
      diagnostics.push({ severity: "error", message: plain(event.errorEvent.error ?? "the engine failed") });
    }
    if (event.policyEvent !== undefined) policies.push(policyOf(event.policyEvent));
    if (event.policyRemediationEvent !== undefined) {
      policies.push({ ...policyOf(event.policyRemediationEvent), level: "remediate" });
    }
    if (event.summaryEvent !== undefined) {
      result = event.summaryEvent.result ?? "succeeded";
      packs = packsOf(event.summaryEvent.PolicyPacks);
    }
  }
  if (stack === undefined) return undefined;
  const failures = diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message);
  // A violated policy fails a preview at its end: all of it is there, and the engine's last word says no more.
  const violated = policies.some(({ level }) => level === "mandatory") && failures.every(saysNothing);
  const good = violated || (result !== "failed" && failures.length === 0);
  return {
    ...stack,
    resources: [...steps.values()].filter(({ op }) => op !== "refresh"),
    diagnostics,
    policies,
    refreshed: [...refreshed.values()],
    packs,
    complete: result !== undefined && good,
  };
}

/** The engine's last word, which only repeats that something failed. */
export function saysNothing(message: string): boolean {
  return /^(preview|update) failed$/.test(message);
}

/** Names of policy packs; the keys are `name|kind|place`. */
function packsOf(packs: Readonly<Record<string, string>> = {}): string[] {
  return [...new Set(Object.keys(packs).map((key) => key.split("|")[0] ?? key))].sort();
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  same: "same",
  create: "create",
  update: "update",
  delete: "delete",
  replace: "replace",
  "create-replacement": "replace",
  "delete-replaced": "replace",
  "discard-replaced": "replace",
  "remove-pending-replace": "replace",
  read: "read",
  "read-replacement": "read",
  "read-discard": "read",
  import: "import",
  "import-replacement": "replace",
  refresh: "refresh",
};

export function stepOf(metadata: StepMetadata): ResourceChange {
  const { old, new: next, urn = "" } = metadata;
  const detailed = Object.entries(metadata.detailedDiff ?? {}).map(
    ([path, each]) => [path, each.diffKind ?? each.kind ?? "update"] as [string, DetailedKind],
  );
  return {
    urn,
    type: metadata.type ?? "",
    name: nameOf(urn),
    op: OPERATIONS[metadata.op ?? ""] ?? "same",
    parent: next?.parent || old?.parent || undefined,
    protect: next?.protect === true || old?.protect === true,
    // The engine leaves out what is false.
    unprotected: old?.protect === true && next !== null && next !== undefined && next.protect !== true,
    retain: (next ?? old)?.retainOnDelete === true,
    replaceKeys: [...(metadata.keys ?? [])],
    detailed: Object.fromEntries(detailed),
    oldInputs: properties(old?.inputs),
    newInputs: properties(next?.inputs),
    oldOutputs: properties(old?.outputs),
    newOutputs: properties(next?.outputs),
    failed: false,
  };
}

/** A later step of the same resource adds what an earlier one lacks; a replacement stays one. */
function add(steps: Map<string, ResourceChange>, step: ResourceChange): void {
  if (step.type === "pulumi:pulumi:Stack") return;
  const known = steps.get(step.urn);
  if (known === undefined || known.op === "refresh" || known.op === "same") {
    steps.set(step.urn, step);
    return;
  }
  const either = <T extends object>(a: T, b: T): T => (Object.keys(a).length > 0 ? a : b);
  steps.set(step.urn, {
    ...known,
    op: known.op === "replace" || step.op === "replace" ? "replace" : known.op,
    protect: known.protect || step.protect,
    unprotected: known.unprotected || step.unprotected,
    replaceKeys: [...new Set([...known.replaceKeys, ...step.replaceKeys])],
    detailed: either(known.detailed, step.detailed),
    oldInputs: either(known.oldInputs, step.oldInputs),
    newInputs: either(known.newInputs, step.newInputs),
    failed: known.failed || step.failed,
  });
}

/** Debug lines are left out: the SDK writes its own calls into them, secrets in clear. */
function diagnosticOf(event: NonNullable<EngineEvent["diagnosticEvent"]>): Diagnostic[] {
  const { urn, ephemeral } = event;
  const message = plain(event.message ?? "");
  const severity = SEVERITIES[event.severity ?? ""];
  if (severity === undefined || ephemeral === true || message === "") return [];
  return [{ severity, message, ...(urn === undefined || urn === "" ? {} : { urn }) }];
}

const SEVERITIES: Readonly<Record<string, Diagnostic["severity"]>> = {
  error: "error",
  warning: "warning",
  info: "info",
  "info#err": "info",
};

function policyOf(event: PolicyEvent): PolicyResult {
  const level = event.enforcementLevel === "mandatory" ? "mandatory" : "advisory";
  return {
    pack: event.policyPackName ?? "",
    policy: event.policyName ?? "",
    message: plain(event.message ?? ""),
    level,
    ...(event.severity === undefined || event.severity === "" ? {} : { severity: event.severity }),
    ...(event.resourceUrn === undefined ? {} : { urn: event.resourceUrn }),
  };
}

/** Without the engine's colour marks and a terminal's escapes. */
function plain(text: string): string {
  return text
    .replace(/<\{%[^%]*%\}>/g, "")
    .replace(ANSI, "")
    .trimEnd();
}

const ANSI = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, "g");
