import { SECRET, UNKNOWN, type Properties } from "./change";

/** The key that marks special values in states and events. See pulumi/pulumi sdk/go/common/resource/sig. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

/** What the engine writes for values it does not know yet: text, number, list, map and others. */
const UNKNOWNS = new Set([
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** Properties without secrets in any of the engine's forms, and without the code of dynamic providers. */
export function properties(value: unknown): Properties {
  const cleaned = clean(value);
  return typeof cleaned === "object" && cleaned !== null && !Array.isArray(cleaned) ? (cleaned as Properties) : {};
}

/** Property of the Node SDK's dynamic providers: serialised code, never of interest to a reader. */
const PROVIDER_CODE = "__provider";

function clean(value: unknown): unknown {
  if (typeof value === "string") return UNKNOWNS.has(value) ? UNKNOWN : value;
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== "object" || value === null) return value;
  if ((value as Record<string, unknown>)[SIGNATURE] === SECRET_SIGNATURE) return SECRET;
  const entries = Object.entries(value).filter(([key]) => key !== PROVIDER_CODE && key !== SIGNATURE);
  return Object.fromEntries(entries.map(([key, each]) => [key, clean(each)]));
}
