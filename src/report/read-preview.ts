import type { Position, Preview, StackPreview } from "./change";
import { positions, readDigest, type Digest } from "./read-digest";
import { readEvents, type EngineEvent } from "./read-events";

/** A saved file: its name, for messages, and its text. */
export interface SavedFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Reads saved previews: engine events (one JSON object a line, or an array) and digests of `pulumi preview --json`, one
 * stack a file. Two files of one stack are one preview: what events say wins, and the digest adds positions.
 * @throws Error naming the file that is neither
 */
export function readPreview(files: readonly SavedFile[]): Preview {
  const events = new Map<string, StackPreview>();
  const digests = new Map<string, StackPreview>();
  const places = new Map<string, Position>();
  for (const file of files) {
    const parsed = parse(file);
    const found = Array.isArray(parsed) ? readEvents(parsed) : readDigest(parsed);
    const stack = found ?? unnamed(file, parsed);
    const key = `${stack.project}/${stack.stack}`;
    (Array.isArray(parsed) ? events : digests).set(key, stack);
    if (!Array.isArray(parsed)) for (const [urn, position] of positions(parsed)) places.set(urn, position);
  }
  const stacks = [...new Map([...digests, ...events]).values()];
  return {
    stacks: stacks.map((stack) => ({ ...stack, resources: stack.resources.map((each) => placed(each, places)) })),
  };
}

function placed<T extends { readonly urn: string }>(resource: T, places: ReadonlyMap<string, Position>): T {
  const position = places.get(resource.urn);
  return position === undefined ? resource : { ...resource, position };
}

/** A preview that ended before its first resource; it takes its name from the file. */
function unnamed({ name }: SavedFile, parsed: EngineEvent[] | Digest): StackPreview {
  const said = Array.isArray(parsed)
    ? parsed.map(({ diagnosticEvent }) => diagnosticEvent ?? {})
    : (parsed.diagnostics ?? []);
  const diagnostics = said.flatMap(({ severity, message = "" }) =>
    severity === "error" || severity === "warning" ? [{ severity, message: message.trimEnd() } as const] : [],
  );
  const complete = !Array.isArray(parsed) && !diagnostics.some(({ severity }) => severity === "error");
  const stack = name.replace(/^.*[\\/]/, "").replace(/\.(nd)?jsonl?$/, "");
  return { project: "", stack, resources: [], diagnostics, policies: [], packs: [], refreshed: [], complete };
}

function parse({ name, text }: SavedFile): EngineEvent[] | Digest {
  const whole = attempt(text);
  if (Array.isArray(whole)) return whole as EngineEvent[];
  if (typeof whole === "object" && whole !== null && !("sequence" in whole) && !("verdict" in whole)) {
    if ("steps" in whole || "changeSummary" in whole || "diagnostics" in whole) return whole as Digest;
  }
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const events = lines.map((line, index) => {
    const event = attempt(line);
    if (typeof event === "object" && event !== null) return event as EngineEvent;
    // The engine was cut off while it wrote its last line: what came before it still counts.
    if (index === lines.length - 1 && index > 0) return {};
    throw new Error(
      `${name}, line ${index + 1}: not an engine event; wanted what \`pulumi preview --json\` wrote, or engine events`,
    );
  });
  if (events.length === 0)
    throw new Error(`${name}: empty; wanted what \`pulumi preview --json\` wrote, or engine events`);
  return events;
}

function attempt(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
