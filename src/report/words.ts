/**
 * A sentence whose own words are kept apart from what users wrote: names, paths and values are shown as code, where no
 * format reads them as markup. In JSON it is plain text.
 */
export class Words {
  constructor(readonly parts: readonly (string | Code)[]) {}

  toJSON(): string {
    return this.parts.map((part) => (typeof part === "string" ? part : part.code)).join("");
  }
}

/** Text that is not ours. */
export interface Code {
  readonly code: string;
}

/** `words\`Go ${version} on ${count}\``: each string put in is someone else's and becomes code; numbers stay plain. */
export function words(texts: TemplateStringsArray, ...values: readonly (string | number | Words)[]): Words {
  const parts: (string | Code)[] = [];
  texts.forEach((text, index) => {
    if (text !== "") parts.push(text);
    const value = values[index];
    if (value === undefined) return;
    if (value instanceof Words) parts.push(...value.parts);
    else if (typeof value === "number") parts.push(String(value));
    else parts.push({ code: value });
  });
  return new Words(parts);
}

/** Words of ours alone. */
export function own(text: string): Words {
  return new Words([text]);
}

/** With a capital letter first, where the first word is ours. */
export function capital({ parts: [first, ...rest] }: Words): Words {
  if (typeof first !== "string") return new Words(first === undefined ? [] : [first, ...rest]);
  return new Words([first.charAt(0).toUpperCase() + first.slice(1), ...rest]);
}

// Making one takes longer than using it a thousand times.
const NUMBERS = new Intl.NumberFormat("en-US");

/** `12,345`. */
export function number(value: number): string {
  return NUMBERS.format(value);
}

/** `1 host`, `12 hosts`. */
export function counted(count: number, one: string, many = `${one}s`): Words {
  return own(`${number(count)} ${count === 1 ? one : many}`);
}

const LISTED = 6;

/** The first names, and how many more there are. */
export function list(names: readonly string[], most = LISTED): Words {
  const first = names.slice(0, most).flatMap((name, index) => [...(index === 0 ? [] : [", "]), { code: name }]);
  return new Words(names.length > most ? [...first, ` and ${names.length - most} more`] : first);
}

/** Several words with something between them. */
export function joined(all: readonly Words[], between: string): Words {
  return new Words(all.flatMap(({ parts }, index) => (index === 0 ? parts : [between, ...parts])));
}
