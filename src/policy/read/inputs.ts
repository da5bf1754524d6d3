import { Secret } from "@pulumi/policy";
import { at } from "../../model/check";
import { UNKNOWN } from "../rule";

/** A resource's inputs as plain data, and the paths of those that are secrets. */
export interface Inputs {
  readonly props: Readonly<Record<string, unknown>>;
  readonly secrets: ReadonlySet<string>;
}

/**
 * Reads the inputs that the analyzer host hands over. Reading one that is not known yet throws there; here it becomes
 * {@link UNKNOWN}, so that a rule still sees all others. Secrets are marked as such only before a remediation.
 */
export function readInputs(props: Readonly<Record<string, unknown>>): Inputs {
  const secrets = new Set<string>();
  return { props: fields(props, "", secrets), secrets };
}

function fields(object: object, path: string, secrets: Set<string>): Record<string, unknown> {
  return Object.fromEntries(Object.keys(object).map((key) => [key, member(object, key, at(path, key), secrets)]));
}

function member(object: object, key: string | number, path: string, secrets: Set<string>): unknown {
  // The host's wrapper opens a secret when it is read; the property's descriptor has it as it came.
  if (Object.getOwnPropertyDescriptor(object, key)?.value instanceof Secret) secrets.add(path);
  let value: unknown;
  try {
    value = (object as Record<string | number, unknown>)[key];
  } catch {
    return UNKNOWN;
  }
  if (Array.isArray(value)) {
    const list = value as unknown[];
    return Array.from({ length: list.length }, (_, index) => member(list, index, at(path, index), secrets));
  }
  return typeof value === "object" && value !== null ? fields(value, path, secrets) : value;
}
