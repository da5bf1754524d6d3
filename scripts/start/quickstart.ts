import { type Engine, findEngine } from "../../src/engine/find";
import { goProxies, type GoProxies } from "../../src/engine/go-proxy";
import { lockedReleases } from "../../src/engine/locked";
import { buildAndRun } from "./hello";
import { type Program, QuickstartStack } from "./stack";
import type { Steps } from "./steps.cjs";
import { installedSummary, removedSummary } from "./summary";

/** What `npm start` was asked to do. */
export type Mode = "up" | "preview" | "destroy";

export interface Quickstart {
  /** The checkout's directory. */
  readonly root: string;
  readonly mode: Mode;
  readonly program: Program;
  readonly steps: Steps;
  /** Stops everything but the engine's operations. */
  readonly signal: AbortSignal;
  /** Interrupts the engine: once, it brings what is running to a safe end; twice, it drops it. */
  readonly engineSignal: AbortSignal;
}

/** Runs the root program with the real engine, tries what it installed, and says what was put where. */
export async function quickstart(run: Quickstart): Promise<void> {
  const { root, steps, signal } = run;
  const stack = await engineStep(run);
  if (run.mode === "destroy") return destroy(run, stack);
  const proxies = usable(await goProxies(process.env));
  const ignored = await stack.configure(proxies);
  if (ignored) steps.line(`  ${steps.paint(33, "!")} ${ignored}`);
  if (run.mode === "preview" || process.platform !== "linux") return preview(run, stack);

  const step = steps.begin("toolchain", "asking the engine what to do");
  const { changed, outputs } = await stack.up((text) => step.progress(text));
  step.done(changed ? `${outputs.goVersion} installed` : `${outputs.goVersion}, unchanged`);

  const hello = steps.begin("hello", "building a small program with it");
  const said = await buildAndRun(root, outputs, signal);
  hello.done(`“${said}”`);
  steps.line(installedSummary(root, steps, outputs, proxies.urls.length > 0));
}

const ORIGINS: Readonly<Record<Engine["origin"], string>> = {
  PATH: "found on PATH",
  cache: "from the cache",
  "npm package": "downloaded",
  "Go module": "built from its Go module",
};

async function engineStep({ root, steps, signal, engineSignal, program }: Quickstart): Promise<QuickstartStack> {
  const step = steps.begin("engine", "looking for the Pulumi CLI");
  const progress = (text: string) => step.progress(text);
  const engine = await findEngine({
    env: process.env,
    projectDir: root,
    progress,
    releases: lockedReleases(root),
    signal,
  });
  progress("opening the stack in .gofleet/state");
  const stack = await QuickstartStack.open(root, engine, program, engineSignal);
  step.done(`Pulumi ${engine.version}, ${ORIGINS[engine.origin]}`);
  return stack;
}

async function preview(run: Quickstart, stack: QuickstartStack): Promise<void> {
  const { steps } = run;
  const step = steps.begin("preview", "asking the engine what would change");
  const { changed, text } = await stack.preview(steps.colours, (now) => step.progress(now));
  step.done(changed ? "this would change" : "nothing would change");
  if (changed) steps.line(`\n${text.trim().replace(/^(?=.)/gm, "    ")}`);
  steps.line(`\n  ${changed ? "To do it: npm start" : "Everything is as the program says."}\n`);
}

async function destroy(run: Quickstart, stack: QuickstartStack): Promise<void> {
  const { steps } = run;
  const step = steps.begin("toolchain", "taking it off");
  const { changed } = await stack.destroy((text) => step.progress(text));
  step.done(changed ? "taken off" : "nothing is installed");
  steps.line(removedSummary(steps));
}

/** Proxies that may stand in a stack's configuration: a password must not. */
function usable({ urls }: GoProxies): { readonly urls: readonly string[]; readonly withPassword: number } {
  const plain = urls.filter((url) => new URL(url).username === "");
  return { urls: plain, withPassword: urls.length - plain.length };
}
