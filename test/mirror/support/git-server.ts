import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import { temporaryDirectory } from "../../support/go";

/** Who may read the repositories. */
export const LOGIN = { user: "fleet", password: "k3pt-to-itself" } as const;

/** A git server over HTTPS that asks for a password, by git's own CGI program; on port 443, for modules name no other. */
export class GitServer {
  private constructor(
    private readonly server: Server,
    private readonly folder: string,
  ) {}

  static async start(address: string, tls: { readonly cert: string; readonly key: string }): Promise<GitServer> {
    const folder = temporaryDirectory();
    const server = createServer(tls, (request, response) => answer(folder, request, response));
    server.listen(443, address);
    await once(server, "listening");
    return new GitServer(server, folder);
  }

  /** A repository with one module and one tag, at `/<path>`. */
  module(path: string, name: string, tag: string): void {
    const work = join(this.folder, "work");
    mkdirSync(work);
    writeFileSync(join(work, "go.mod"), `module ${name}\n\ngo 1.21\n`);
    writeFileSync(join(work, "secret.go"), "package secret\n\nconst Word = 42\n");
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@test.example", "-C", work, ...args], {
        stdio: ["ignore", "ignore", "pipe"],
      });
    git("init", "--quiet", "--initial-branch=main");
    git("add", ".");
    git("commit", "--quiet", "--message=one");
    git("tag", tag);
    git("clone", "--quiet", "--bare", ".", join(this.folder, "repositories", path));
    rmSync(work, { recursive: true });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function answer(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const wanted = `Basic ${Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString("base64")}`;
  if (request.headers.authorization !== wanted) {
    response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
    return;
  }
  const [path = "/", query = ""] = (request.url ?? "/").split("?");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: join(folder, "repositories"),
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: request.headers["git-protocol"]?.toString(),
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"],
      CONTENT_TYPE: request.headers["content-type"],
      PATH_INFO: path,
      QUERY_STRING: query,
      REMOTE_USER: LOGIN.user,
      REQUEST_METHOD: request.method,
    },
    // The go command asks for many paths that are none of a repository.
    stdio: ["pipe", "pipe", "ignore"],
  });
  request.pipe(child.stdin);
  child.stdin.on("error", () => undefined);
  const parts: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => parts.push(part));
  child.on("close", () => {
    const output = Buffer.concat(parts);
    const end = output.indexOf("\r\n\r\n");
    const headers = output
      .subarray(0, end)
      .toString()
      .split("\r\n")
      .map((line) => line.split(": ") as [string, string]);
    const status = headers.find(([name]) => name === "Status")?.[1] ?? "200";
    response.writeHead(Number.parseInt(status), Object.fromEntries(headers.filter(([name]) => name !== "Status")));
    response.end(output.subarray(end + 4));
  });
}
