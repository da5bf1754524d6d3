import type { EngineEvent, OpType } from "@pulumi/pulumi/automation";

/** One diagnostic as a user would see it. */
export interface Diagnostic {
  readonly severity: string;
  readonly message: string;
  readonly urn?: string;
}

/** What one `preview`, `up`, `refresh` or `destroy` did. */
export class Operation {
  constructor(
    /** Engine events, without those of severity `debug`: the SDK writes secrets into them. */
    readonly events: readonly EngineEvent[],
    readonly stdout: string,
    readonly stderr: string,
    /** The engine's error, where the operation failed. */
    readonly error: Error | undefined,
  ) {}

  /** Operation per resource name: `{ "edge": "create" }`. The stack itself and providers are left out. */
  get ops(): Record<string, OpType> {
    const found = this.steps.map(({ urn, op }) => [urn.split("::").pop() ?? urn, op] as const);
    return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Operations other than `same` and the reads of a refresh, per resource name; empty when nothing changed. */
  get changes(): Record<string, OpType> {
    return Object.fromEntries(Object.entries(this.ops).filter(([, op]) => op !== "same" && op !== "refresh"));
  }

  /** Paths of the properties that differ, per resource name, as the detailed diff gives them. */
  get diffs(): Record<string, readonly string[]> {
    const entries = this.steps.map(({ urn, detailedDiff, diffs }) => {
      const paths = detailedDiff ? Object.keys(detailedDiff) : (diffs ?? []);
      return [urn.split("::").pop() ?? urn, paths.sort()] as const;
    });
    return Object.fromEntries(entries.filter(([, paths]) => paths.length > 0));
  }

  /** What was said, in order, progress lines left out. */
  get diagnostics(): readonly Diagnostic[] {
    return this.said.filter((each) => !each.ephemeral);
  }

  /** The status lines shown on a resource's own row while it is being worked on. */
  get progress(): readonly Diagnostic[] {
    return this.said.filter((each) => each.ephemeral);
  }

  /** Messages of severity `error`. */
  get errors(): readonly string[] {
    return this.diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message);
  }

  private get said(): readonly (Diagnostic & { readonly ephemeral: boolean })[] {
    return this.events.flatMap(({ diagnosticEvent: said }) => {
      if (!said) return [];
      const message = said.message.replace(/<\{%[^%]*%\}>/g, "").trimEnd();
      return [{ severity: said.severity, message, urn: said.urn, ephemeral: said.ephemeral === true }];
    });
  }

  private get steps() {
    const metadata = this.events.map((event) => event.resourcePreEvent?.metadata);
    return metadata.filter((each) => each !== undefined).filter(({ type }) => !ENGINE_OWN.test(type));
  }
}

const ENGINE_OWN = /^pulumi:(pulumi:Stack$|providers:)/;
