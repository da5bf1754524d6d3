import { describe, type Issue } from "../model/issues";
import { parsePins, PIN_KEY, type Pin } from "../model/pin";
import { parseSnapshots, SNAPSHOTS_KEY, type SnapshotSet } from "../model/snapshot-set";
import type { EngineStack } from "./stack-engine";

/** Pins and protected snapshots in a stack's configuration. */
export class StackConfig {
  constructor(private readonly stack: EngineStack) {}

  async pins(): Promise<ReadonlyMap<string, Pin>> {
    const { pins, issues } = parsePins((await this.#read(PIN_KEY)).value);
    refuse(issues);
    return pins;
  }

  async snapshots(): Promise<ReadonlyMap<string, SnapshotSet>> {
    const { snapshots, issues } = parseSnapshots((await this.#read(SNAPSHOTS_KEY)).value);
    refuse(issues);
    return snapshots;
  }

  async pin(component: string, { release, reason, force }: Pin): Promise<void> {
    await this.#clear(PIN_KEY, component);
    await this.#set([PIN_KEY, component, "release"], release);
    if (reason !== undefined) await this.#set([PIN_KEY, component, "reason"], reason);
    if (force === true) await this.#set([PIN_KEY, component, "force"], "true");
  }

  async unpin(component: string): Promise<void> {
    await this.#remove(PIN_KEY, component);
  }

  async protect(name: string, set: SnapshotSet): Promise<void> {
    await this.#clear(SNAPSHOTS_KEY, name);
    for (const [component, release] of Object.entries(set)) {
      await this.#set([SNAPSHOTS_KEY, name, component], release);
    }
  }

  async unprotect(name: string): Promise<void> {
    await this.#remove(SNAPSHOTS_KEY, name);
  }

  /** The value, and whether it is a map in the file; it may be a text that holds one. */
  async #read(key: string): Promise<{ readonly value: unknown; readonly map: boolean }> {
    type Entry = { readonly value?: string; readonly objectValue?: unknown };
    const all = JSON.parse(await this.stack.ask("config", "--json")) as Record<string, Entry>;
    const { value, objectValue } = all[key] ?? {};
    if (objectValue !== undefined) return { value: objectValue, map: true };
    if (value === undefined) return { value: undefined, map: false };
    try {
      return { value: JSON.parse(value), map: false };
    } catch {
      return { value, map: false };
    }
  }

  /** Makes room for an entry. A text that holds the map becomes a map first, for a path would replace it as a whole. */
  async #clear(key: string, name: string): Promise<void> {
    const { value, map } = await this.#read(key);
    if (value === undefined) return;
    if (map) return this.#removePath(key, name);
    await this.stack.ask("config", "rm", key);
    const pins = key === PIN_KEY ? parsePins(value).pins : new Map<string, Pin>();
    for (const [other, pin] of pins) if (other !== name) await this.pin(other, pin);
    const sets = key === SNAPSHOTS_KEY ? parseSnapshots(value).snapshots : new Map<string, SnapshotSet>();
    for (const [other, set] of sets) if (other !== name) await this.protect(other, set);
  }

  async #remove(key: string, name: string): Promise<void> {
    await this.#clear(key, name);
    const { value } = await this.#read(key);
    if (value !== undefined && Object.keys(value as object).length === 0) await this.stack.ask("config", "rm", key);
  }

  async #removePath(key: string, name: string): Promise<void> {
    await this.stack.ask("config", "rm", "--path", path(key, name));
  }

  async #set([key, ...names]: readonly [string, ...string[]], value: string): Promise<void> {
    // As text: the engine would take an id of digits for a number.
    await this.stack.ask("config", "set", "--path", "--type", "string", path(key, ...names), value);
  }
}

/** `gofleet:pin["fleet-go"]["release"]`. */
function path(key: string, ...names: readonly string[]): string {
  return `${key}${names.map((name) => `[${JSON.stringify(name)}]`).join("")}`;
}

function refuse(issues: readonly Issue[]): void {
  if (issues.length > 0)
    throw new Error(`the stack's configuration will not do\n${describe(issues).replace(/^/gm, "  ")}`);
}
