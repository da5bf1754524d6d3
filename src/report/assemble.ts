import { sizeOf, type Size } from "./forge";

/** A part of a text that is there as a whole, or not at all. */
export interface Item {
  readonly text: string;
  /** What it is counted as when it is left out: `file difference`. */
  readonly kind: string;
  /** A heading that stands before the first item of its section, and only then. */
  readonly heading?: string;
  /** True: no empty line to the next such item; entries of one list. */
  readonly tight?: boolean;
}

export interface Assembled {
  readonly text: string;
  /** How many items of each kind did not fit. */
  readonly left: ReadonlyMap<string, number>;
}

/** Joins items from the top as long as they fit, an empty line between them; a smaller one may follow a larger one. */
export function assemble(items: readonly Item[], budget: Size): Assembled {
  let text = "";
  let last: Item | undefined;
  const left = new Map<string, number>();
  const room = { ...budget };
  for (const item of items) {
    const { heading, kind } = item;
    const opens = heading !== undefined && heading !== last?.heading;
    const between = last === undefined ? "" : last.tight === true && item.tight === true && !opens ? "\n" : "\n\n";
    const part = `${between}${opens ? `${heading}\n\n` : ""}${item.text}`;
    const size = sizeOf(part);
    if (size.characters > room.characters || size.bytes > room.bytes) {
      left.set(kind, (left.get(kind) ?? 0) + 1);
      continue;
    }
    text += part;
    last = item;
    room.characters -= size.characters;
    room.bytes -= size.bytes;
  }
  return { text, left };
}
