/** What a place that shows Markdown accepts. */
export interface Forge {
  readonly name: ForgeName;
  /** Most characters of a comment, as UTF-16 units; Infinity where only bytes count. */
  readonly characters: number;
  /** Most bytes as UTF-8. */
  readonly bytes: number;
  /** `<details>` folds; without it, details are left to headings. */
  readonly details: boolean;
  /** Fenced `mermaid` blocks are drawn. */
  readonly mermaid: boolean;
}

export const FORGES = ["github", "github-summary", "gitlab", "azure-devops", "bitbucket"] as const;
export type ForgeName = (typeof FORGES)[number];

/** Kept free for the marker, for what a forge adds, and for how it counts. */
const SPARE = 0.9;

/**
 * The forges' own limits:
 * - github: "Body is too long (maximum is 65536 characters)", its API's answer 422; bytes are held to the same number.
 * - github-summary: 1 MiB a step, https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 * - gitlab: 1,000,000 characters, https://docs.gitlab.com/administration/instance_limits/
 * - azure-devops: 150,000 characters, and bitbucket (Data Center): 32,768, which shows no HTML: the sizes at which
 *   https://github.com/runatlantis/atlantis splits its comments there.
 */
const LIMITS: Readonly<Record<ForgeName, Omit<Forge, "name">>> = {
  github: { characters: 65_536, bytes: 65_536, details: true, mermaid: true },
  "github-summary": { characters: Number.POSITIVE_INFINITY, bytes: 1_048_576, details: true, mermaid: true },
  gitlab: { characters: 1_000_000, bytes: 1_000_000, details: true, mermaid: true },
  "azure-devops": { characters: 150_000, bytes: 150_000, details: true, mermaid: false },
  bitbucket: { characters: 32_768, bytes: 32_768, details: false, mermaid: false },
};

export function forge(name: ForgeName): Forge {
  return { name, ...LIMITS[name] };
}

/** What a report may use of a forge's limit. */
export function budgetOf({ characters, bytes }: Pick<Forge, "characters" | "bytes">): Size {
  return { characters: Math.floor(characters * SPARE), bytes: Math.floor(bytes * SPARE) };
}

export interface Size {
  readonly characters: number;
  readonly bytes: number;
}

export function sizeOf(text: string): Size {
  return { characters: text.length, bytes: Buffer.byteLength(text) };
}
