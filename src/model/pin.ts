import { at, hasControlCharacter, isFields, unknownKeys, type Parsed } from "./check";
import { issue, type Issue } from "./issues";

/** A component held on a release that its hosts keep, whatever the program says. */
export interface Pin {
  /** 16 hex digits. */
  readonly release: string;
  /** Why, for the one who reads the preview. */
  readonly reason?: string;
  /** Also where an irreversible release came on since; only with a reason. */
  readonly force?: true;
}

/** Where pins are in a stack's configuration: a map of component directory to release, or to release and reason. */
export const PIN_KEY = "gofleet:pin";

const RELEASE = /^[0-9a-f]{16}$/;
const REASON = 200;

/** A release's id, as `gofleet releases` prints it. */
export function isReleaseId(given: unknown): given is string {
  return typeof given === "string" && RELEASE.test(given);
}

/** A reason: one line of at most 200 characters. */
export function parseReason(path: string, given: unknown): Parsed<string> {
  const right = typeof given === "string" && given.trim() !== "" && given.length <= REASON;
  if (!right || hasControlCharacter(given))
    return { issue: issue(path, given, `one line of at most ${REASON} characters that says why`) };
  return { value: given.trim() };
}

/** The pins of a stack's configuration, sorted by component; what is wrong with them is listed beside. */
export function parsePins(given: unknown): { readonly pins: ReadonlyMap<string, Pin>; readonly issues: Issue[] } {
  const pins = new Map<string, Pin>();
  if (given === undefined) return { pins, issues: [] };
  if (!isFields(given)) {
    return { pins, issues: [issue(PIN_KEY, given, 'releases by component directory: { "fleet-go": "<release id>" }')] };
  }
  const issues: Issue[] = [];
  for (const [component, value] of Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const path = at(PIN_KEY, component);
    const fields = isFields(value) ? value : { release: value };
    issues.push(...unknownKeys(path, fields, ["release", "reason", "force"]));
    const release = fields["release"];
    if (!isReleaseId(release)) {
      const where = isFields(value) ? `${path}.release` : path;
      // Without quotes YAML takes an id of digits for a number.
      issues.push(issue(where, release, "a release id: 16 hex digits, in quotes, as `gofleet releases` prints it"));
      continue;
    }
    const reason = fields["reason"] === undefined ? undefined : parseReason(`${path}.reason`, fields["reason"]);
    if (reason?.issue !== undefined) issues.push(reason.issue);
    // The command line writes text.
    const force = fields["force"] === "true" ? true : fields["force"];
    if (force !== undefined && (force !== true || reason?.value === undefined)) {
      issues.push(issue(`${path}.force`, force, "true, with a reason beside it"));
    }
    pins.set(component, {
      release,
      ...(reason?.value === undefined ? {} : { reason: reason.value }),
      ...(force === true ? { force } : {}),
    });
  }
  return { pins, issues };
}
