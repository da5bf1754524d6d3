import type { Steps } from "./steps.cjs";

/** Installs dependencies and compiles, each only where it is needed. */
export function prepare(root: string, steps: Steps, signal: AbortSignal): Promise<void>;

/** Whether node_modules holds what package-lock.json asks for. */
export function installed(root: string): boolean;

/** Whether a source is newer than the last complete build. */
export function stale(root: string): boolean;
