import { isFields } from "../../model/check";
import { texts, type Text } from "./walk";

/** Names of inputs that hold base64 of a boot script, in the clouds' own spelling. */
const ENCODED = /^(userData|userDataBase64|customData)$/;

/**
 * Every text among the inputs, with what clouds wrap made readable: boot scripts out of base64, and JSON in a text (such
 * as an ECS task's `containerDefinitions`) as the texts in it.
 */
export function documents(props: unknown): Text[] {
  return texts(props).flatMap((each) => {
    const parsed = parseJson(each.text);
    if (parsed !== undefined) return texts(parsed, each.path, each.key);
    return ENCODED.test(each.key) ? [{ ...each, text: decoded(each.text) }] : [each];
  });
}

/** A copy of the inputs in which JSON in a text is what it stands for. */
export function unwrapped(value: unknown): unknown {
  if (typeof value === "string") return parseJson(value) ?? value;
  if (Array.isArray(value)) return value.map(unwrapped);
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unwrapped(each)]));
}

/** A line of a document that is no comment. */
export interface Line {
  readonly path: string;
  readonly key: string;
  readonly line: string;
}

/** The documents' lines, comments left out; the path says which line where there are several. */
export function lines(props: unknown): Line[] {
  return documents(props).flatMap(({ path, key, text }) => {
    const all = text.split("\n");
    return all.flatMap((line, index) =>
      /^\s*(#|;|\/\/)/.test(line) ? [] : [{ path: all.length > 1 ? `${path} line ${index + 1}` : path, key, line }],
    );
  });
}

function parseJson(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Plain text stays as it is: some inputs take both. */
function decoded(text: string): string {
  if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text)) return text;
  const bytes = Buffer.from(text, "base64").toString("utf8");
  return /[\0\uFFFD]/.test(bytes) ? text : bytes;
}
