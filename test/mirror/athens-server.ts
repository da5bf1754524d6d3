import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { request, type IncomingHttpHeaders } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { resolveAthens, type AthensArgs, type ResolvedAthens } from "../../src/model/mirror/athens";
import type { AthensPaths } from "../../src/model/mirror/athens-paths";
import { resolveDownloadMode } from "../../src/model/mirror/download-mode";
import { athensConfig } from "../../src/render/mirror/athens-config";
import { athensEnvironment, athensSecrets } from "../../src/render/mirror/athens-environment";
import { downloadModeFile } from "../../src/render/mirror/download-mode";
import { athensBinary } from "../support/athens";
import { machineGo } from "../support/go";

/** What Athens answered. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A running Athens of a test. */
export interface AthensServer {
  readonly paths: AthensPaths;
  get(path: string): Promise<Answer>;
  /** What it wrote so far. */
  log(): string;
  /** Asks it to end; gives its exit code. */
  stop(): Promise<number | null>;
}

/** Everything Athens needs below a folder of a test, as the host has it elsewhere. */
export function pathsBelow(folder: string): AthensPaths {
  const path = (name: string) => join(folder, name) as `/${string}`;
  for (const name of ["fetch", "home", "credentials"]) mkdirSync(path(name), { recursive: true });
  return {
    config: path("athens.toml"),
    downloadMode: path("download-mode.hcl"),
    knownHosts: path("known_hosts"),
    robots: path("robots.txt"),
    homeTemplate: path("home.html"),
    socket: path("athens.sock"),
    fetch: path("fetch"),
    home: path("home"),
    credentials: path("credentials"),
  };
}

/** Writes the files of these settings as the host would have them. */
export function writeFiles(folder: string, args: AthensArgs): { paths: AthensPaths; athens: ResolvedAthens } {
  const athens = resolveAthens<string>(args);
  const paths = pathsBelow(folder);
  const goBinary = join(machineGo()?.root ?? "", "bin", "go");
  writeFileSync(paths.config, athensConfig(athens, paths, { goBinary }));
  chmodSync(paths.config, 0o644);
  writeFileSync(paths.downloadMode, downloadModeFile(resolveDownloadMode(athens.downloadMode)));
  const { "athens-netrc": netrc, "athens-hgrc": hgrc, "athens-ssh-key": key, ...rest } = athensSecrets(athens);
  const credentials = {
    netrc,
    ".hgrc": hgrc,
    "ssh-key": key,
    "athens.env": rest["athens.env"] ?? athensEnvironment({}),
  };
  for (const [name, text] of Object.entries(credentials)) {
    if (text !== undefined) writeFileSync(join(paths.credentials, name), text, { mode: 0o400 });
  }
  return { paths, athens };
}

/** The unit's wrapper: the secret variables, then the program. */
const WRAPPER = 'set -a && . "$CREDENTIALS_DIRECTORY/athens.env" && set +a && exec "$@"';

/** Arguments of `sh` and environment that run a program as the unit does. */
export function asUnit(paths: AthensPaths, ...command: readonly string[]): { args: string[]; env: NodeJS.ProcessEnv } {
  const env = {
    PATH: process.env.PATH,
    CREDENTIALS_DIRECTORY: paths.credentials,
    HOME: paths.home,
    TMPDIR: paths.fetch,
  };
  return { args: ["-c", WRAPPER, "athens", ...command], env };
}

/** Starts the real Athens with these settings; `readOnly` are the keeper's variables. Throws with its log if it ends. */
export async function startAthens(
  folder: string,
  args: AthensArgs,
  readOnly: Readonly<Record<string, string>> = {},
): Promise<AthensServer> {
  const { paths } = writeFiles(folder, args);
  const { args: words, env } = asUnit(paths, await athensBinary(), "-config_file", paths.config);
  const child = spawn("sh", words, {
    env: { ...env, ...readOnly },
    cwd: paths.home,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (log += text));
  const ended = once(child, "exit");
  const server: AthensServer = {
    paths,
    get: (path) => get(paths.socket, path),
    log: () => log,
    stop: () => stop(child, ended),
  };
  for (let tries = 0; tries < 2400; tries++) {
    if (child.exitCode !== null) throw new Error(`Athens ended with ${child.exitCode}:\n${log}`);
    const answer = await server.get("/healthz").catch(() => undefined);
    const prefixed = answer ?? (await server.get("/").catch(() => undefined));
    if (prefixed !== undefined) return server;
    await sleep(50);
  }
  await server.stop();
  throw new Error(`Athens did not answer:\n${log}`);
}

async function stop(child: ChildProcess, ended: Promise<unknown[]>): Promise<number | null> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 120_000);
  await ended;
  clearTimeout(timer);
  return child.exitCode;
}

function get(socketPath: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, agent: false, headers: { host: "mirror.corp.example" } }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part)).on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) });
      });
    });
    sent.on("error", reject).end();
  });
}
