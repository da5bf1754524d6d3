import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { agentSource } from "../../src/host/agent-source";
import { releaseEntries } from "../../src/host/upload";
import { EMPTY_PLAN, type HostPlan, type PlanFile } from "../../src/plan/host-plan";
import { manifest, releaseId, sha256 } from "../../src/plan/manifest";
import { removeTree } from "../support/remove-tree";

export { until } from "../support/until";

/** One line of the agent. */
export type Event = { readonly ev: string } & Readonly<Record<string, unknown>>;

export interface Answer {
  readonly code: number;
  readonly events: readonly Event[];
  /** The last event, which must be a result. */
  readonly result: Event;
  readonly stderr: string;
}

/** A release as it travels. */
export interface Release {
  readonly id: string;
  readonly manifest: string;
  readonly entries: ReadonlyMap<string, string | Buffer>;
}

export const INSTANCE = "0123456789abcdef0123456789abcdef";
export const STACK = "acme/builders/prod";
export const COMPONENT = "go";

/** A plan made of a few parts. */
export function plan(parts: Partial<HostPlan>): HostPlan {
  return { ...EMPTY_PLAN, ...parts };
}

export function file(path: string, text: string, more: Partial<PlanFile> = {}): PlanFile {
  return { path, text, mode: "0644", owner: "root", group: "root", place: "link", ...more };
}

/** The release of a plan; `sources` lines say where downloads come from. */
export function release(host: HostPlan, secrets: Readonly<Record<string, string>> = {}): Release {
  const text = manifest(host);
  return { id: releaseId(text), manifest: text, entries: releaseEntries(host, text, new Map(Object.entries(secrets))) };
}

/** A gzip tar as the operator sends it. */
export async function upload(
  request: Readonly<Record<string, string | number>>,
  entries: ReadonlyMap<string, string | Buffer>,
): Promise<Buffer> {
  const tar = pack();
  const chunks: Buffer[] = [];
  const gzip = createGzip({ level: 1 });
  const done = new Promise<void>((resolve, reject) => {
    gzip.on("data", (chunk: Buffer) => chunks.push(chunk));
    gzip.on("end", resolve);
    gzip.on("error", reject);
  });
  tar.pipe(gzip);
  const lines = Object.entries(request).map(([key, value]) => `${key}\t${value}\n`);
  const all = [["agent", agentSource()], ["request", lines.join("")], ...entries] as const;
  for (const [name, content] of all) tar.entry({ name, mode: 0o600 }, content);
  tar.finalize();
  await done;
  return Buffer.concat(chunks);
}

/** A shell that `sh` may be on a host, and the directory that makes it `sh` in PATH. */
export interface Shell {
  readonly name: string;
  readonly bin: string;
}

let found: readonly Shell[] | undefined;

/** The shells of this machine that the agent must run under. */
export function shells(): readonly Shell[] {
  found ??= ["dash", "busybox", "bash"].flatMap((name) => {
    const path = which(name);
    if (path === undefined) return [];
    const bin = mkdtempSync(join(tmpdir(), `gofleet-sh-${name}-`));
    symlinkSync(path, join(bin, "sh"));
    process.once("exit", () => rmSync(bin, { recursive: true, force: true }));
    return [{ name, bin }];
  });
  return found;
}

export function which(name: string): string | undefined {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: the next directory.
    }
  }
  return undefined;
}

/** Hears each line of the agent; `cut` ends the process, after `hangUp` nobody reads what it says any more. */
export type OnEvent = (event: Event, cut: () => void, hangUp: () => void) => void;

export interface ExecOptions {
  readonly onEvent?: OnEvent;
  /** More environment for the agent. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A directory that stands for a host's `/`. */
export class Root {
  readonly path: string;
  readonly #shell: Shell | undefined;

  constructor(shell?: Shell) {
    // White space in a root is the operator's to choose.
    this.path = join(mkdtempSync(join(tmpdir(), "gofleet-root-")), "a root");
    mkdirSync(this.path, { mode: 0o755 });
    this.#shell = shell;
  }

  at(path: string): string {
    return join(this.path, path);
  }

  read(path: string): string {
    return readFileSync(this.at(path), "utf8");
  }

  has(path: string): boolean {
    return existsSync(this.at(path));
  }

  /** The detached agent may still write when its answer has been read. */
  dispose(): void {
    removeTree(join(this.path, ".."));
  }

  /** Starts a verb over the real wire; the promise is its end. */
  start(
    verb: string,
    request: Readonly<Record<string, string | number>> = {},
    entries: ReadonlyMap<string, string | Buffer> = new Map(),
    options: ExecOptions & { readonly corrupt?: (body: Buffer) => Buffer } = {},
  ): Promise<Answer> {
    const full = { component: COMPONENT, root: this.path, stack: STACK, urn: "urn:go", instance: INSTANCE, ...request };
    return upload(full, entries).then((body) => this.#exec(verb, options.corrupt?.(body) ?? body, options));
  }

  /** `run` of a release, expecting whatever is there. */
  run(what: Release, request: Readonly<Record<string, string | number>> = {}, options = {}): Promise<Answer> {
    return this.start(
      "run",
      { release: what.id, tx: transaction(), expect: this.current(), lockwait: 120, deadline: 240, ...request },
      what.entries,
      options,
    );
  }

  /** The end of what the last run does after its result. */
  quiet(): Promise<void> {
    return new Promise((resolve, reject) => {
      const lock = spawn("flock", ["-w", "120", this.at("run/gofleet/lock"), "true"], { stdio: "ignore" });
      lock.on("error", reject).on("close", (code) => {
        if (code === 0) resolve();
        else reject(new Error("the lock is still held after 120 s"));
      });
    });
  }

  /** The release that is current, or "". */
  current(component = COMPONENT): string {
    const link = this.at(`etc/gofleet/${component}/current/.gofleet/manifest`);
    return existsSync(link) ? releaseId(readFileSync(link, "utf8")) : "";
  }

  #exec(verb: string, body: Buffer, { onEvent, env }: ExecOptions): Promise<Answer> {
    const base = join(this.path, "run/gofleet");
    const bootstrap =
      `umask 022; mkdir -p '${base}'; umask 077; d=$(mktemp -d '${base}/up.XXXXXX') || exit 12; ` +
      `tar xzf - -C "$d" || { rm -rf "$d"; exit 11; }; exec sh "$d/agent" ${verb} "$d"`;
    const tools = env?.["PATH"] ?? process.env["PATH"] ?? "";
    const path = this.#shell === undefined ? tools : `${this.#shell.bin}${delimiter}${tools}`;
    const child = spawn("sh", ["-c", bootstrap], { env: { ...process.env, ...env, PATH: path }, stdio: "pipe" });
    return answerOf(child, body, onEvent);
  }
}

/** Gives the agent its body and reads its lines until it ends. */
export function answerOf(child: ChildProcessWithoutNullStreams, body: Buffer, onEvent?: OnEvent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const events: Event[] = [];
    let rest = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event = JSON.parse(line) as Event;
        events.push(event);
        onEvent?.(
          event,
          () => child.kill("SIGKILL"),
          () => child.stdout.destroy(),
        );
      }
    });
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    child.stdin.on("error", () => undefined);
    child.stdin.end(body);
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code: code ?? 255, events, result: events.at(-1) ?? { ev: "nothing" }, stderr }),
    );
  });
}

/** The process group of a process: the agent's and of what looks after it. */
export function groupOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
}

export function transaction(): string {
  return randomBytes(4).toString("hex");
}

export { sha256 };

const ZIPPER = `import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:
    for name, text in json.load(sys.stdin).items(): archive.writestr(name, text)
`;

/** Zips files given by name, as a Go module zip: without entries for directories. */
export function zip(target: string, files: Readonly<Record<string, string>>): void {
  execFileSync("python3", ["-c", ZIPPER, target], { input: JSON.stringify(files) });
}

export function h1(files: Readonly<Record<string, string>>): string {
  const lines = Object.keys(files)
    .sort()
    .map((name) => `${sha256(files[name] ?? "")}  ${name}\n`);
  return `h1:${createHash("sha256").update(lines.join("")).digest("base64")}`;
}
