import { toError } from "../model/thrown";
/** What became of the work on one item, such as a host. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error };

/** Runs `work` for every item, at most `limit` at a time, and never throws. */
export async function inParallel<T>(
  items: readonly string[],
  limit: number,
  work: (item: string) => Promise<T>,
): Promise<Map<string, Outcome<T>>> {
  const outcomes = new Map<string, Outcome<T>>();
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        outcomes.set(item, { ok: true, value: await work(item) });
      } catch (error) {
        outcomes.set(item, { ok: false, error: toError(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return outcomes;
}
