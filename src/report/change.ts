/** What a preview says will happen, as plain data: read from engine events, or made from two renderings. */
export interface Preview {
  readonly stacks: readonly StackPreview[];
}

export interface StackPreview {
  readonly project: string;
  readonly stack: string;
  /** Every resource the preview visited, unchanged ones too, in the engine's order; the stack itself left out. */
  readonly resources: readonly ResourceChange[];
  readonly diagnostics: readonly Diagnostic[];
  readonly policies: readonly PolicyResult[];
  /** Names of the policy packs that ran; a digest does not tell. */
  readonly packs: readonly string[];
  /** What a refresh found different from the state, before the program ran. */
  readonly refreshed: readonly ResourceChange[];
  /** What a look at the hosts found; undefined where nobody looked. */
  readonly looked?: readonly HostLook[];
  /** False: the engine gave up, or the events end before their summary. */
  readonly complete: boolean;
}

/** `read` and `import` change nothing; the halves of a replacement are one `replace`. */
export type Operation = "same" | "create" | "update" | "replace" | "delete" | "read" | "import" | "refresh";

export interface ResourceChange {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly op: Operation;
  readonly parent?: string;
  /** True: the resource must not be deleted or replaced, says the program or the state. */
  readonly protect: boolean;
  /** True: the state says so, and the program no longer does: a later change may delete or replace it. */
  readonly unprotected: boolean;
  /** True: a deletion forgets the resource and leaves the thing itself. */
  readonly retain: boolean;
  /** Properties that force a replacement. */
  readonly replaceKeys: readonly string[];
  /** The provider's own list of what differs, by property path; where it gives none, inputs are compared. */
  readonly detailed: Readonly<Record<string, DetailedKind>>;
  readonly oldInputs: Properties;
  readonly newInputs: Properties;
  readonly oldOutputs: Properties;
  readonly newOutputs: Properties;
  readonly position?: Position;
  /** True: the engine reported that this step failed. */
  readonly failed: boolean;
}

export type DetailedKind = "add" | "delete" | "update" | "add-replace" | "delete-replace" | "update-replace";

/** Properties as the engine shows them; secrets are {@link SECRET}, values not known yet {@link UNKNOWN}. */
export type Properties = Readonly<Record<string, unknown>>;

/** What stands for a secret. No reader lets the value itself pass. */
export const SECRET = "[secret]";

/** What stands for a value that is known only after an update. */
export const UNKNOWN = "[known after update]";

/** Where the program declares a resource. */
export interface Position {
  /** Relative to the project's directory, or to the repository's root once resolved. */
  readonly file: string;
  readonly line: number;
}

export interface Diagnostic {
  readonly severity: "error" | "warning" | "info";
  readonly message: string;
  readonly urn?: string;
}

export interface PolicyResult {
  readonly pack: string;
  readonly policy: string;
  readonly message: string;
  /** `mandatory` fails the preview; `remediate` says that the policy changed the resource. */
  readonly level: "advisory" | "mandatory" | "remediate";
  /** `low` … `critical`, where the policy has one. */
  readonly severity?: string;
  readonly urn?: string;
}

/** A host that an update would visit, as it is now. */
export interface HostLook {
  /** Its key. */
  readonly host: string;
  /** Why it could not be looked at. */
  readonly problem?: string;
  readonly low: readonly LowRoom[];
}

/** A file system of a host with less room than there should be. */
export interface LowRoom {
  /** Where it is mounted. */
  readonly path: string;
  readonly of: "bytes" | "inodes";
  readonly free: number;
  readonly all: number;
}

/** Whether the operation changes something. */
export function changes({ op }: ResourceChange): boolean {
  return op === "create" || op === "update" || op === "replace" || op === "delete" || op === "import";
}
