import { parseActual } from "../host/release";
import type { Pin } from "../model/pin";
import type { Diagnostic, ResourceChange } from "./change";
import { isMap } from "./compare";
import { own, words, type Words } from "./words";

/** How the pin of a release changes; the same on both sides where it only goes on. */
export interface PinChange {
  readonly before?: Pin;
  readonly after?: Pin;
}

/** The release that a release resource's inputs hold their hosts on. */
function pinOf(inputs: Readonly<Record<string, unknown>>): Pin | undefined {
  const { pin } = inputs;
  if (!isMap(pin) || typeof pin["release"] !== "string") return undefined;
  return { release: pin["release"], ...(typeof pin["reason"] === "string" ? { reason: pin["reason"] } : {}) };
}

/** What changes of the pin; undefined where none is or was set. */
export function pinChange({ op, oldInputs, newInputs }: ResourceChange): PinChange | undefined {
  if (op === "delete") return undefined;
  const before = pinOf(oldInputs);
  const after = pinOf(newInputs);
  if (before === undefined && after === undefined) return undefined;
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

/** Hosts that switch because of the pin: those that are not on its release, or all when it goes. */
export function switched(
  { before, after }: PinChange,
  hosts: readonly string[],
  { oldOutputs }: ResourceChange,
): readonly string[] {
  const found = oldOutputs["actual"];
  const actual = isMap(found) ? found : {};
  const on = (host: string): string | undefined => parseActual(String(actual[host] ?? ""))?.release;
  if (after !== undefined) return hosts.filter((host) => on(host) !== after.release);
  return before === undefined ? [] : hosts;
}

/** What a component's change is, where a pin comes, goes or stays. */
export function pinHeadline({ before, after }: PinChange): Words {
  if (after === undefined) return words`no longer held on release ${before?.release ?? ""}: the program's goes on`;
  if (before?.release === after.release) return words`stays held on release ${after.release}`;
  return words`goes back to release ${after.release} and is held there`;
}

/** What the provider says at every preview of a pinned release; {@link pinRisk} says it with the component's name. */
const TOLD = /^pinned to release [0-9a-f]{16}\b/;

export function tellsPin({ message }: Diagnostic): boolean {
  return TOLD.test(message);
}

/** The line of a release that is pinned, changed or not; what the provider said names the program's release. */
export function pinRisk(
  name: string,
  { urn, op, newInputs }: ResourceChange,
  diagnostics: readonly Diagnostic[],
): Words | undefined {
  const pin = op === "delete" ? undefined : pinOf(newInputs);
  if (pin === undefined) return undefined;
  const told = diagnostics.find((each) => each.urn === urn && tellsPin(each))?.message ?? "";
  const program = /the program's release ([0-9a-f]{16}) is not rolled out/.exec(told)?.[1];
  const component = String(newInputs["component"] ?? name);
  const waits = / as well, until /.test(told)
    ? own("which is the program's as well")
    : words`the program's release${program === undefined ? own("") : words` ${program}`} is not rolled out`;
  const why = pin.reason === undefined ? own("") : words` (${pin.reason})`;
  return words`${name} is pinned to release ${pin.release}${why}: ${waits}, until ${`gofleet rollback ${component} --undo`}`;
}
