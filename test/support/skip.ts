import type { Context } from "mocha";

/** Skips a test loudly: the reason is printed, and CI fails unless the line is on test/allowed-skips.txt. */
export function skip(context: Context, reason: string): never {
  const title = context.test?.fullTitle() ?? "a suite";
  process.stdout.write(`\nSKIPPED: ${title}: ${reason}\n`);
  return context.skip();
}

/** Skips where there is a reason to. */
export function skipFor(context: Context, reason: string | undefined): void {
  if (reason !== undefined) skip(context, reason);
}
