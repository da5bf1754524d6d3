/** What was thrown, which may be anything, as an error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** What was thrown, as a text for a person. */
export function messageOf(thrown: unknown): string {
  return toError(thrown).message;
}
