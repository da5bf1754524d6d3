import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import type { Context } from "mocha";
import type { FrontArgs } from "../../src/model/mirror/front";
import type { FrontContext } from "../../src/model/mirror/front-resolve";
import type { AbsolutePath } from "../../src/model/names";
import { TestAuthority, type Issued } from "./certificates";
import { temporaryDirectory } from "./go";
import { program, TestFront, TestUpstream, type FrontFiles } from "./nginx";
import { skip } from "./skip";

export const DOMAIN = "goproxy.test";

/** What a test changes of a front. */
export interface Setup {
  readonly args?: Partial<FrontArgs>;
  readonly context?: FrontContext;
  readonly files?: Partial<FrontFiles>;
  /** Another certificate than a good one with its chain. */
  readonly pair?: (ca: TestAuthority) => Pick<FrontFiles, "certificate" | "key">;
  /** Without a store every answer goes through Athens. */
  readonly store?: false;
}

/** Skips a suite where there is no nginx. */
export function needsNginx(context: Context): void {
  if (program("nginx") === undefined) skip(context, "there is no nginx");
}

/** A front before a store and an Athens that the test plays. */
export class TestMirror {
  readonly root = temporaryDirectory();
  readonly ca = new TestAuthority(join(this.root, "ca"));
  readonly leaf: Issued = this.ca.leaf(DOMAIN);
  readonly store: AbsolutePath = `/${join(this.root, "srv", "athens").slice(1)}`;
  /** Answers 404 until a test says otherwise. */
  readonly athens = new TestUpstream((_path, response) => notFound(response));
  readonly front: TestFront;
  readonly log: AbsolutePath = `/${join(this.root, "access.log").slice(1)}`;

  constructor(setup: Setup = {}) {
    const { args, context, files, pair, store } = setup;
    this.front = new TestFront(
      this.root,
      { domain: DOMAIN, tls: { certificate: "", key: "" }, log: { requests: "all", file: this.log }, ...args },
      { store: store === false ? undefined : this.store, ...context },
      { ...this.files, ...pair?.(this.ca), ...files },
    );
    mkdirSync(this.store, { recursive: true });
  }

  get files(): FrontFiles {
    return { certificate: this.ca.chain(this.leaf), key: this.leaf.key, ca: this.ca.root.certificate };
  }

  async start(): Promise<this> {
    await this.athensUp();
    await this.front.start();
    return this;
  }

  async athensUp(): Promise<void> {
    mkdirSync(dirname(this.front.athensSocket), { recursive: true });
    await this.athens.listen(this.front.athensSocket);
  }

  /** A complete version in the store, or the parts of one. */
  version(module: string, version: string, files: Readonly<Record<string, string | Buffer>> = {}): void {
    const whole = {
      [`${version}.info`]: info(version),
      "go.mod": `module ${module}\n`,
      "source.zip": zip(module, version),
    };
    const parts = Object.keys(files).length > 0 ? files : whole;
    for (const [name, text] of Object.entries(parts)) {
      const file = join(this.store, module, version, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }

  /** Athens as it is: asked for `.info` of a version that it lacks, it stores all of it and then answers. */
  readonly fetches = (path: string, response: ServerResponse): void => {
    const [, module = "", version = ""] = /^\/(.+)\/@v\/(v[^/]+)\.info$/.exec(path) ?? [];
    if (version === "") return notFound(response);
    this.version(module, version);
    response.end(info(version));
  };

  async stop(): Promise<void> {
    await this.front.stop();
    await this.athens.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Makes mirrors, not yet started, that end with their test. Skips the suite where there is no nginx. */
export function testMirrors(): (setup?: Setup) => TestMirror {
  const made: TestMirror[] = [];
  before(function () {
    needsNginx(this);
  });
  afterEach(async () => {
    for (const mirror of made.splice(0)) await mirror.stop();
  });
  return (setup) => {
    const mirror = new TestMirror(setup);
    made.push(mirror);
    return mirror;
  };
}

export function info(version: string): string {
  return JSON.stringify({ Version: version, Time: "2026-01-02T03:04:05Z" });
}

/** Bytes that are a module's alone. */
export function zip(module: string, version: string, size = 4096): Buffer {
  const seed = createHash("sha256").update(`${module}@${version}`).digest();
  return Buffer.alloc(size, seed);
}

export function notFound(response: ServerResponse): void {
  response.statusCode = 404;
  response.setHeader("cache-control", "no-cache, no-store, must-revalidate");
  response.end("not found");
}
