/** A step that has begun; `done` or `failed` ends it. */
export interface Step {
  /** Says what is being done now, in one line. */
  progress(now: string): void;
  done(result: string): void;
  failed(result: string): void;
}

/** One line per step: with a spinner on a terminal, plain elsewhere. */
export class Steps {
  constructor(out?: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }, env?: NodeJS.ProcessEnv);
  /** Whether text is coloured: on a terminal, unless NO_COLOR is set. */
  readonly colours: boolean;
  /** Begins a step; the one before must have ended. */
  begin(label: string, text: string): Step;
  /** Prints a line of its own. */
  line(text?: string): void;
  /** Ends the running step, if there is one, as failed. */
  fail(result: string): void;
  bold(text: string): string;
  dim(text: string): string;
  /** Colours text by an SGR code: 31 is red, 32 green, 36 cyan. */
  paint(code: number, text: string): string;
}

/** `7 s`, `3 min 5 s`. */
export function duration(seconds: number): string;
