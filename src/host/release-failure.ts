import type { ReleaseState } from "./release";

/** Nothing moved: the engine keeps the old state and shows the message under the resource. */
export function plainFailure(headline: string, errors: readonly Error[]): Error {
  return new Error([headline, ...errors.map(({ message }) => message)].join("\n"));
}

/** An error the engine saves a state with: what each host has now. Its reasons are what a person sees. */
export class PartialFailure extends Error {
  readonly id: string;

  constructor(
    readonly properties: ReleaseState,
    readonly reasons: string[],
  ) {
    super(reasons.join("\n"));
    this.id = properties.component;
  }
}

export function partialFailure(state: ReleaseState, reasons: readonly string[]): PartialFailure {
  // The SDK refuses an `undefined` anywhere in what it is handed.
  return new PartialFailure(JSON.parse(JSON.stringify(state)) as ReleaseState, [...reasons]);
}
