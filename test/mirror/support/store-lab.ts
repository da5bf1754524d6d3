import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { resolveStore, type StoreArgs } from "../../../src/model/mirror/store";
import type { AbsolutePath } from "../../../src/model/names";
import { storeConfig } from "../../../src/render/mirror/store-config";
import { machineGo, temporaryDirectory } from "../../support/go";
import { moduleProxy, type TestModule } from "../../support/module-proxy";
import { startAthens, type AthensServer } from "../athens-server";

const SOURCE = join(__dirname, "..", "..", "..", "hosttools", "store");

let built: string | undefined;

/** The real `gofleet-store`, built from this checkout. */
export function storeBinary(): string {
  built ??= (() => {
    const binary = join(temporaryDirectory(), "gofleet-store");
    const env = { ...process.env, GOFLAGS: "", GOPROXY: "off", GOWORK: "off", GOTOOLCHAIN: "local", CGO_ENABLED: "0" };
    execFileSync("go", ["build", "-mod=readonly", "-o", binary, "."], { cwd: SOURCE, env, stdio: "pipe" });
    return binary;
  })();
  return built;
}

export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** A store with its keeper, an Athens over it and an upstream made of files. */
export class StoreLab {
  readonly folder = temporaryDirectory();
  readonly upstream = join(this.folder, "upstream");
  readonly run = join(this.folder, "run");
  readonly state = join(this.folder, "state");
  readonly config = join(this.folder, "store.json");
  readonly restarts = join(this.folder, "restarts");
  readonly reloads = join(this.folder, "reloads");
  /** Status and path of every answer that a client got. */
  readonly answers: string[] = [];
  private athens: AthensServer | undefined;
  private server: Server | undefined;

  constructor(
    readonly store: string = temporaryDirectory(),
    args: StoreArgs = {},
    max?: `${number} MiB`,
  ) {
    for (const directory of [this.run, this.state]) mkdirSync(directory, { recursive: true });
    const place = (name: string): AbsolutePath => `/${join(this.folder, name).slice(1)}`;
    const text = storeConfig(resolveStore(args, { path: `/${store.slice(1)}`, max }), {
      state: place("state"),
      runtime: place("run"),
      socket: place("athens.sock"),
      readOnlyEnvironment: place("run/read-only.env"),
      readOnlyFlag: place("run/read-only"),
      metrics: place("state/metrics.prom"),
      generation: place("state/generation.conf"),
      certificate: place("chain.pem"),
      restartAthens: ["sh", "-c", `echo restart >>"$0"`, this.restarts],
      reloadFront: ["sh", "-c", `echo reload >>"$0"`, this.reloads],
    });
    const config = JSON.parse(text) as { repair: object; athens: object };
    // Nobody writes while a test looks, and nobody waits for an Athens that is down.
    const changed = {
      ...config,
      repair: { ...config.repair, graceSeconds: 0 },
      athens: { ...config.athens, patienceSeconds: 2 },
    };
    writeFileSync(this.config, JSON.stringify(changed));
  }

  modules(modules: readonly TestModule[]) {
    return moduleProxy(this.upstream, modules);
  }

  /** Runs `gofleet-store`. */
  keeper(verb: string, ...args: readonly string[]): Ran {
    const { status, stdout, stderr } = spawnSync(storeBinary(), [verb, "-config", this.config, ...args], {
      encoding: "utf8",
    });
    return { code: status, output: stdout + stderr };
  }

  /** Starts Athens, or starts it again with what the keeper has written for it. */
  async startAthens(networkMode: "strict" | "offline" = "strict"): Promise<void> {
    await this.stopAthens();
    this.athens = await startAthens(
      this.folder,
      {
        storage: { kind: "disk", path: `/${this.store.slice(1)}`, max: "1 GiB" },
        networkMode,
        downloadMode: { mode: networkMode === "offline" ? "none" : "sync" },
        goEnv: { GOPROXY: `file://${this.upstream}`, GONOSUMDB: "*", GOFLAGS: "-modcacherw", GOTOOLCHAIN: "local" },
        log: { level: "error" },
      },
      this.readOnlyEnvironment(),
    );
  }

  async stopAthens(): Promise<void> {
    await this.athens?.stop();
    this.athens = undefined;
  }

  /** What Athens answers. */
  async get(path: string) {
    if (!this.athens) throw new Error("Athens is not running");
    return this.athens.get(path);
  }

  /** What the upstream has. */
  original(path: string): Buffer {
    return readFileSync(join(this.upstream, path));
  }

  /** Athens at a TCP port, for the go command; notes every answer. */
  async url(): Promise<string> {
    const socketPath = join(this.folder, "athens.sock");
    this.server ??= createServer((incoming, outgoing) => {
      const sent = request({ socketPath, path: incoming.url, agent: false }, (response) => {
        this.answers.push(`${response.statusCode} ${incoming.url}`);
        outgoing.writeHead(response.statusCode ?? 502);
        response.pipe(outgoing);
      });
      sent.on("error", () => outgoing.writeHead(502).end()).end();
    });
    if (!this.server.listening) {
      await new Promise<void>((resolve) => this.server?.listen(0, "127.0.0.1", resolve));
    }
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    this.server?.close();
    await this.stopAthens();
  }

  private readOnlyEnvironment(): Record<string, string> {
    try {
      const text = readFileSync(join(this.run, "read-only.env"), "utf8");
      return Object.fromEntries(
        text
          .trim()
          .split("\n")
          .map((line) => line.split("=") as [string, string]),
      );
    } catch {
      return {};
    }
  }
}

/** The go command with a module cache of its own; sees nothing of the machine's settings. */
export async function go(folder: string, cache: string, proxy: string, ...args: readonly string[]): Promise<Ran> {
  const env = {
    PATH: `${join(machineGo()?.root ?? "", "bin")}:/usr/bin:/bin`,
    HOME: folder,
    GOMODCACHE: cache,
    GOCACHE: join(folder, "build"),
    GOPROXY: proxy,
    GOSUMDB: "off",
    GOFLAGS: "-modcacherw -mod=mod",
    GOTOOLCHAIN: "local",
  };
  // Not synchronously: the proxy may be in this very process.
  const child = spawn("go", args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"], timeout: 120_000 });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}
