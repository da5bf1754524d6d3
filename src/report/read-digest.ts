import { posix } from "node:path";
import type { Diagnostic, Position, ResourceChange, StackPreview } from "./change";
import { stackOf } from "./urn";
import { stepOf, type StepState } from "./read-events";

/** What `pulumi preview --json` prints at its end, as far as it is read. */
export interface Digest {
  readonly steps?: readonly DigestStep[];
  readonly diagnostics?: readonly { urn?: string; message?: string; severity?: string }[];
  readonly changeSummary?: unknown;
}

interface DigestStep {
  readonly op?: string;
  readonly urn?: string;
  readonly oldState?: DigestState | null;
  readonly newState?: DigestState | null;
  readonly replaceReasons?: readonly string[] | null;
  readonly detailedDiff?: Readonly<Record<string, { kind?: string }>> | null;
}

interface DigestState extends StepState {
  readonly type?: string;
  readonly sourcePosition?: string;
  readonly stackTrace?: readonly { sourcePosition?: string }[];
}

/** Reads a stack's preview from a digest. It has no policy results, and failed steps only as diagnostics. */
export function readDigest({ steps = [], diagnostics = [] }: Digest): StackPreview | undefined {
  const stack = stackOf(steps[0]?.urn);
  if (stack === undefined) return undefined;
  const said = diagnostics.flatMap(({ severity, message = "", urn }): Diagnostic[] =>
    severity === "error" || severity === "warning" || severity === "info"
      ? [{ severity, message: message.trimEnd(), ...(urn === undefined ? {} : { urn }) }]
      : [],
  );
  const resources = steps.map(resourceOf).filter(({ type }) => type !== "pulumi:pulumi:Stack");
  const complete = !said.some(({ severity }) => severity === "error");
  return { ...stack, resources, diagnostics: said, policies: [], packs: [], refreshed: [], complete };
}

/** Where the program declares each resource, by URN. */
export function positions({ steps = [] }: Digest): ReadonlyMap<string, Position> {
  return new Map(
    steps.flatMap(({ urn, oldState, newState }) => {
      const position = positionOf(newState ?? oldState ?? {});
      return urn === undefined || position === undefined ? [] : [[urn, position] as const];
    }),
  );
}

function resourceOf(step: DigestStep): ResourceChange {
  const { op, urn, oldState, newState, replaceReasons: keys, detailedDiff } = step;
  const type = (newState ?? oldState)?.type;
  const position = positionOf(newState ?? oldState ?? {});
  const change = stepOf({ op, urn, type, old: oldState, new: newState, keys, detailedDiff });
  return position === undefined ? change : { ...change, position };
}

/** The innermost place in the user's own code: packages declare resources on their behalf. */
function positionOf({ sourcePosition, stackTrace = [] }: DigestState): Position | undefined {
  return [sourcePosition, ...stackTrace.map((frame) => frame.sourcePosition)].map(parsePosition).find(isOwn);
}

/** `project:///index.ts#12,7`, relative to the project's directory. */
function parsePosition(text = ""): Position | undefined {
  const match = /^project:\/\/\/(.+)#(\d+)(?:,\d+)?$/.exec(text);
  if (match?.[1] === undefined) return undefined;
  return { file: posix.normalize(decode(match[1])), line: Number(match[2]) };
}

function isOwn(position: Position | undefined): position is Position {
  return position !== undefined && !/(^|\/)node_modules\//.test(position.file);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
