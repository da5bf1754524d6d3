import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { request } from "node:https";
import { userInfo } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FrontArgs } from "../../src/model/mirror/front";
import { parseNginxVersion } from "../../src/model/mirror/front-parse";
import { resolveFront, type FrontContext } from "../../src/model/mirror/front-resolve";
import { FRONT_KEY, FRONT_PASSWORDS, frontConfigText, frontPaths } from "../../src/plan/mirror/front";
import { mirrorPlace, secretPath, type MirrorPlace } from "../../src/plan/mirror/place";
import { passwordFile } from "../../src/render/mirror/nginx-passwords";
import { cacheGeneration } from "../../src/render/mirror/store-host-files";
import { freePort } from "./free-ports";

/** A program on PATH or where Debian keeps those of administrators; undefined where there is none. */
export function program(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The installed nginx's version as one number: 1.22.1 is 1022001. */
export function nginxVersion(): number {
  const { stderr } = spawnSync(program("nginx") ?? "nginx", ["-v"], { encoding: "utf8" });
  return parseNginxVersion("nginx", /nginx\/([\d.]+)/.exec(stderr)?.[1]).value ?? 0;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface GetOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly from?: string;
  readonly certificate?: { readonly certificate: string; readonly key: string };
}

/** What a front is made with, besides its args. */
export interface FrontFiles {
  /** PEM chain and key of the server. */
  readonly certificate: string;
  readonly key: string;
  /** PEM of what clients trust. */
  readonly ca: string;
  readonly clientCa?: string;
  readonly passwords?: Readonly<Record<string, string>>;
  /** The last word on the configuration, for a control run. */
  readonly edit?: (config: string) => string;
}

const COMPONENT = "test";

/** A real nginx with the configuration that a host gets, below a directory and on unprivileged ports. */
export class TestFront {
  readonly place: MirrorPlace;
  port = 0;
  private process: ChildProcess | undefined;
  private printed = "";

  constructor(
    readonly root: string,
    private args: FrontArgs,
    private context: FrontContext,
    private files: FrontFiles,
  ) {
    this.place = mirrorPlace(COMPONENT);
    // Workers of a test that root runs are root's, others are the tester's own: both may look into it.
    chmodSync(root, 0o755);
  }

  /** A path of the host below this front's directory. */
  path(path: string): string {
    return join(this.root, path);
  }

  get config(): string {
    return this.path(this.place.front.config);
  }

  get readOnlyFlag(): string {
    return this.path(this.place.keeper.readOnlyFlag);
  }

  get athensSocket(): string {
    return this.path(this.place.athens.socket);
  }

  statusPort = 0;

  async start(): Promise<this> {
    this.port = await freePort("127.0.0.1");
    this.statusPort = await freePort("127.0.0.1");
    this.write();
    this.process = spawn(program("nginx") ?? "nginx", ["-c", this.config], { stdio: ["ignore", "ignore", "pipe"] });
    this.process.stderr?.on("data", (data: Buffer) => (this.printed += data.toString()));
    await this.answers();
    return this;
  }

  /** Writes the configuration again, after changes, and reloads. */
  async reload(change: { args?: FrontArgs; context?: FrontContext; files?: FrontFiles } = {}): Promise<void> {
    this.args = change.args ?? this.args;
    this.context = change.context ?? this.context;
    this.files = change.files ?? this.files;
    this.write();
    const before = this.workers();
    const { status, stderr } = spawnSync(program("nginx") ?? "nginx", ["-c", this.config, "-s", "reload"], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    const busy = () => before.filter((pid) => isServing(pid));
    for (let tries = 0; this.workers().every((pid) => before.includes(pid)) || busy().length > 0; tries++) {
      if (tries > 2400) throw new Error(`nginx did not take the configuration:\n${this.printed}`);
      await sleep(50);
    }
  }

  /** Process ids of the master's children. */
  workers(): string[] {
    const master = this.process?.pid;
    return text(`/proc/${master}/task/${master}/children`).trim().split(" ");
  }

  /** What nginx says of the configuration that these files make: undefined if it is good. */
  complaint(files: FrontFiles): string | undefined {
    this.files = files;
    // Nothing listens there while a configuration is only read, and no other test does.
    [this.port, this.statusPort] = [1, 2];
    this.write();
    const { status, stderr } = spawnSync(program("nginx") ?? "nginx", ["-t", "-q", "-c", this.config], {
      encoding: "utf8",
    });
    return status === 0 && stderr === "" ? undefined : stderr;
  }

  async stop(): Promise<void> {
    if (!this.process || this.process.exitCode !== null) return;
    const ended = once(this.process, "exit");
    this.process.kill("SIGTERM");
    await ended;
  }

  get errors(): string {
    return this.printed;
  }

  get(path: string, options: GetOptions = {}): Promise<Answer> {
    const { method = "GET", headers = {}, from, certificate } = options;
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          ...{ host: "127.0.0.1", port: this.port, path, method, localAddress: from, agent: false },
          ...{ servername: this.args.domain, ca: this.files.ca, cert: certificate?.certificate, key: certificate?.key },
          headers: { host: this.args.domain, ...headers },
        },
        (response) => void collect(response).then(resolve, reject),
      );
      sent.on("error", reject);
      sent.end();
    });
  }

  /** The server for the host's own monitoring. */
  async status(path: string): Promise<{ status: number; body: string; type: string | null }> {
    const response = await fetch(`http://127.0.0.1:${this.statusPort}${path}`);
    return { status: response.status, body: await response.text(), type: response.headers.get("content-type") };
  }

  private write(): void {
    const { place, files } = this;
    const { port, statusPort } = this;
    const front = resolveFront({ ...this.args, addresses: ["127.0.0.1"], port, statusPort }, this.context);
    const paths = frontPaths(place);
    const config = this.relocate(frontConfigText(front, place));
    this.put(place.front.config, files.edit?.(config) ?? config);
    this.put(place.front.certificate, files.certificate);
    this.put(secretPath(place, FRONT_KEY), files.key);
    if (files.clientCa !== undefined) this.put(paths.clientCa, files.clientCa);
    if (files.passwords) {
      const lines = passwordFile(files.passwords, COMPONENT);
      this.put(secretPath(place, FRONT_PASSWORDS), lines);
      this.put(paths.passwords, lines);
    }
    if (!existsSync(this.path(place.front.generation))) this.put(place.front.generation, cacheGeneration(0));
    for (const folder of [place.runtime, paths.run, place.front.cache])
      mkdirSync(this.path(folder), { recursive: true });
  }

  /** The next generation of the cache, as the store's keeper makes it after a repair. */
  nextGeneration(number: number): void {
    this.put(this.place.front.generation, cacheGeneration(number));
  }

  put(path: string, text: string): void {
    const file = this.path(path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** The same configuration with the host's directories below this one's, and the workers as the tester. */
  private relocate(config: string): string {
    const { settings, runtime, state, front, frontUser } = this.place;
    return [settings, frontPaths(this.place).run, runtime, state, front.cache]
      .sort((a, b) => b.length - a.length)
      .reduce((text, path) => text.replace(new RegExp(`(?<=["/: ]|^)${path}(?=[/"])`, "g"), this.path(path)), config)
      .replace(`user "${frontUser}";`, `user "${userInfo().username}";`);
  }

  private async answers(): Promise<void> {
    for (let tries = 0; tries < 2400; tries++) {
      if (this.process?.exitCode !== null && this.process?.exitCode !== undefined) break;
      try {
        await fetch(`http://127.0.0.1:${this.statusPort}/status`);
        return;
      } catch {
        await sleep(50);
      }
    }
    throw new Error(`nginx does not answer:\n${this.printed}`);
  }
}

/** An upstream under the test's control, on a unix socket or a port, that remembers what it was asked. */
export class TestUpstream {
  readonly asked: { readonly path: string; readonly headers: IncomingHttpHeaders }[] = [];
  private server: Server | undefined;

  constructor(public answer: (path: string, response: ServerResponse) => void) {}

  /** @returns the port, or 0 for a socket */
  async listen(socket?: string, port = 0): Promise<number> {
    this.server = createServer((request: IncomingMessage, response) => {
      this.asked.push({ path: request.url ?? "", headers: request.headers });
      this.answer(request.url ?? "", response);
    });
    if (socket === undefined) this.server.listen(port, "127.0.0.1");
    else this.server.listen(socket);
    await once(this.server, "listening");
    const address = this.server.address();
    return typeof address === "object" && address ? address.port : 0;
  }

  get paths(): string[] {
    return this.asked.map(({ path }) => path);
  }

  async close(): Promise<void> {
    const { server } = this;
    if (!server) return;
    this.server = undefined;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

export function text(path: string): string {
  return readFileSync(path, "utf8");
}

/** Whether a worker still takes connections: one that is to end says so in its title. */
function isServing(pid: string): boolean {
  try {
    return !text(`/proc/${pid}/cmdline`).includes("shutting down");
  } catch {
    return false;
  }
}

async function collect(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}
