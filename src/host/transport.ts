/** Runs the agent on one host: one exec per operation, a gzip tar in, JSON lines out. */
export interface Transport {
  /** What a person calls the place. */
  readonly place: string;
  exec(request: ExecRequest): Promise<ExecResult>;
  /** Ends what the transport keeps open. Safe to call from a signal handler. */
  close(): void;
}

export interface ExecRequest {
  readonly verb: string;
  /** The gzip tar of docs/host-protocol.md, in parts that follow one another. */
  readonly upload: readonly Buffer[];
  /** Called with each line of standard output as it comes. */
  readonly onLine: (line: string) => void;
  /** Log in anew instead of sharing the run's connection: an old connection proves nothing about the way in. */
  readonly newConnection?: boolean;
  /** Gives up and cuts the connection when this many seconds have passed. */
  readonly timeout: number;
}

export interface ExecResult {
  /** Exit code of the agent; 255 when the connection failed or was cut. */
  readonly code: number;
  /** Standard error, its last 4 KiB. */
  readonly stderr: string;
}

/** The host could not be reached, or the connection broke and did not come back in time. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";

  /** @param started true when the agent had begun: what the host has now is unknown until it is read. */
  constructor(
    message: string,
    readonly started: boolean,
  ) {
    super(message);
  }
}
