import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { parseLock } from "../../src/model/lock";
import { temporaryDirectory } from "../support/go";
import { h1Of, sha256Of } from "../support/releases";

const PROJECT = join(__dirname, "..", "..");

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe("gofleet lock", function () {
  let folder: string;
  let server: Server;
  let url: string;
  let index: unknown;

  before(async () => {
    server = createServer((request, response) => {
      const found = request.url === "/dl/?mode=json&include=all" && index !== undefined;
      response.writeHead(found ? 200 : 503).end(found ? JSON.stringify(index) : "");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dl`;
  });
  after(() => void server.close());

  beforeEach(() => {
    folder = temporaryDirectory();
    index = [published("1.26.8"), published("1.26.10"), published("1.27rc1"), published("1.25.10", ["amd64"])];
    fakeGo({ modules: ["1.26.8", "1.26.10", "1.27rc1"] });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function published(version: string, archs = ["amd64", "arm64"]): object {
    const files = archs.map((arch) => ({ os: "linux", arch, kind: "archive", sha256: sha256Of(`${version}-${arch}`) }));
    const others = [
      { os: "", arch: "", kind: "source", sha256: sha256Of("source") },
      { os: "windows", arch: "amd64", kind: "installer", sha256: sha256Of("installer") },
    ];
    return { version: `go${version}`, stable: !/[a-z]/.test(version), files: [...files, ...others] };
  }

  /** A go command that knows some modules; it writes down how it was called. */
  function fakeGo({ modules = [] as string[], sumdb = "sumdb.example", forged = "" } = {}): void {
    const known = modules.flatMap((version) => ["amd64", "arm64"].map((arch) => `v0.0.1-go${version}.linux-${arch}`));
    const sums = Object.fromEntries(known.map((name) => [name, forged || h1Of(name)]));
    const script = `#!${process.execPath}
const { appendFileSync, existsSync } = require("node:fs");
const [verb, ...args] = process.argv.slice(2);
appendFileSync(${JSON.stringify(join(folder, "calls"))}, JSON.stringify({ verb, args, cwd: process.cwd(), mod: existsSync("go.mod"), env: process.env }) + "\\n");
if (verb === "env") return void console.log(${JSON.stringify(sumdb)});
const sums = ${JSON.stringify(sums)};
let failed = false;
for (const name of args.filter((arg) => arg.includes("@"))) {
  const [Path, Version] = name.split("@");
  const Sum = sums[Version];
  failed ||= !Sum;
  const missing = verb === "list" ? { Error: { Err: "not found" } } : { Error: name + ": 404 Not Found" };
  const found = verb === "list" ? { Time: "2026-01-01T00:00:00Z" } : { Sum, Zip: "/x" };
  console.log(JSON.stringify({ Path, Version, ...(Sum ? found : missing) }, undefined, "\\t"));
}
process.exit(failed && verb === "mod" ? 1 : 0);
`;
    mkdirSync(join(folder, "bin"), { recursive: true });
    writeFileSync(join(folder, "bin", "go"), script);
    chmodSync(join(folder, "bin", "go"), 0o755);
  }

  function gofleet(...args: string[]): Promise<Outcome> {
    const program = [join(PROJECT, "node_modules/tsx/dist/cli.mjs"), join(PROJECT, "src/cli/main.ts"), ...args];
    const env = { PATH: `${join(folder, "bin")}:/usr/bin:/bin`, HOME: folder, NO_COLOR: "1", GOPRIVATE: "*" };
    return new Promise((resolve) => {
      const child = spawn(process.execPath, program, { cwd: project(), env });
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      child.on("close", (code) => resolve({ code, stdout, stderr }));
    });
  }

  const lock = (...args: string[]) => gofleet("lock", "--url", url, ...args);

  function project(): string {
    const directory = join(folder, "project");
    mkdirSync(directory, { recursive: true });
    return directory;
  }

  const file = () => join(project(), "gofleet.lock.json");
  const locked = () => parseLock(readFileSync(file(), "utf8")).go;
  const both = (version: string, arch: string) => ({
    h1: h1Of(`v0.0.1-go${version}.linux-${arch}`),
    sha256: sha256Of(`${version}-${arch}`),
  });

  it("writes an exact version with both checksums for both platforms", async () => {
    const { code, stdout, stderr } = await lock("1.26.8");
    assert.equal(stderr, "");
    assert.equal(code, 0);
    assert.equal(
      stdout,
      "go1.26.8 linux-amd64: sha256, h1\ngo1.26.8 linux-arm64: sha256, h1\nwrote gofleet.lock.json\n",
    );
    assert.deepEqual(locked(), {
      "1.26.8": { "linux-amd64": both("1.26.8", "amd64"), "linux-arm64": both("1.26.8", "arm64") },
    });
  });

  it("takes the newest release of a major by number, and no pre-release", async () => {
    assert.equal((await lock("1.26")).code, 0);
    assert.deepEqual(Object.keys(locked()), ["1.26.10"]);
    const { code, stderr } = await lock("1.27");
    assert.equal(code, 1);
    assert.match(stderr, /Go 1\.27 could not be had/);
    assert.equal((await lock("1.27rc1")).code, 0);
  });

  it("finds a major through the module proxy when there is no index", async () => {
    index = undefined;
    const { code, stderr } = await lock("1.26");
    assert.equal(code, 0);
    assert.match(stderr, /no sha256 of archives: http:.* answered 503/);
    const h1 = (arch: string) => ({ h1: h1Of(`v0.0.1-go1.26.10.linux-${arch}`) });
    assert.deepEqual(locked(), { "1.26.10": { "linux-amd64": h1("amd64"), "linux-arm64": h1("arm64") } });
  });

  it("takes an older release when the newest is not there for every platform, and says so", async () => {
    index = [published("1.26.8"), published("1.26.11", ["amd64"])];
    const { code, stderr } = await lock("1.26");
    assert.equal(code, 0);
    assert.match(stderr, /go1\.26\.11: not for every platform, looking for an older one/);
    assert.deepEqual(Object.keys(locked()), ["1.26.10"]);
  });

  it("merges, sorted, and keeps what is there when it cannot be had again", async () => {
    await lock("1.26.10");
    await lock("1.26.8");
    const before = locked();
    index = undefined;
    const { code, stdout } = await lock("1.26.8", "1.26.10");
    assert.equal(code, 0);
    assert.match(stdout, /gofleet\.lock\.json is up to date/);
    assert.deepEqual(locked(), before);
    assert.deepEqual(Object.keys(before), ["1.26.8", "1.26.10"]);
  });

  it("says what could not be had, and fails where a platform has nothing", async () => {
    const { code, stdout, stderr } = await lock("1.25.10");
    assert.equal(code, 1);
    assert.match(stdout, /go1\.25\.10 linux-amd64: sha256\ngo1\.25\.10 linux-arm64: nothing could be had/);
    assert.match(stderr, /go1\.25\.10 linux-arm64: the release index has no archive/);
    assert.match(stderr, /v0\.0\.1-go1\.25\.10\.linux-arm64: 404 Not Found/);
    assert.deepEqual(Object.keys(locked()["1.25.10"] ?? {}), ["linux-amd64"]);
    assert.equal((await lock("1.25.10", "--platform", "linux-amd64")).code, 0);
  });

  it("writes the versions that can be had, and fails for the one that cannot", async () => {
    const { code } = await lock("1.26.8", "1.24.99");
    assert.equal(code, 1);
    assert.deepEqual(Object.keys(locked()), ["1.26.8"]);
  });

  it("never takes over a checksum that changed", async () => {
    await lock("1.26.8");
    const before = readFileSync(file(), "utf8");
    fakeGo({ modules: ["1.26.8"], forged: h1Of("forged") });
    const { code, stderr } = await lock("1.26.8");
    assert.equal(code, 1);
    assert.match(stderr, /the h1 of go1\.26\.8 linux-amd64 changed: .* Nothing was written/);
    assert.equal(readFileSync(file(), "utf8"), before);
  });

  it("leaves no temporary file, and the old one where writing fails", async () => {
    await lock("1.26.8");
    assert.deepEqual(readdirSync(project()), ["gofleet.lock.json"]);
    mkdirSync(join(project(), "taken.json"));
    const { code, stderr } = await lock("1.26.8", "--file", "taken.json");
    assert.equal(code, 1);
    assert.match(stderr, /^gofleet: /m);
    assert.doesNotMatch(stderr, /\n {4}at /);
    assert.deepEqual(readdirSync(project()).sort(), ["gofleet.lock.json", "taken.json"]);
  });

  it("does not touch a file it cannot read", async () => {
    writeFileSync(file(), '{ "version": 1, "go": { "1.26": {} } }');
    const { code, stderr } = await lock("1.26.8");
    assert.equal(code, 1);
    assert.match(stderr, /go\["1\.26"\]: given \{\}, wanted an exact version/);
    assert.match(readFileSync(file(), "utf8"), /"1\.26": \{\}/);
  });

  it("has the checksum database asked, away from the project's go.mod", async () => {
    writeFileSync(join(project(), "go.mod"), "module x\n");
    await lock("1.26.8");
    const calls = readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
    for (const call of calls.map(
      (line) => JSON.parse(line) as { mod: boolean; cwd: string; env: Record<string, string> },
    )) {
      assert.equal(call.mod, false);
      assert.equal(call.env.GONOSUMDB, "none");
      assert.equal(call.env.GOTOOLCHAIN, "local");
      assert.equal(existsSync(call.cwd), false, "the directory is gone afterwards");
    }
  });

  it("takes no h1 that nothing vouches for", async () => {
    fakeGo({ modules: ["1.26.8"], sumdb: "off" });
    const { code, stderr } = await lock("1.26.8");
    assert.equal(code, 0);
    assert.match(stderr, /no h1 of modules: GOSUMDB=off/);
    assert.deepEqual(locked()["1.26.8"]?.["linux-amd64"], { sha256: sha256Of("1.26.8-amd64") });
  });

  it("works without go", async () => {
    rmSync(join(folder, "bin", "go"));
    const { code, stderr } = await lock("1.26.8");
    assert.match(stderr, /there is no go command on PATH/);
    assert.equal(code, 0);
  });

  it("says so when neither index nor go can be used", async () => {
    rmSync(join(folder, "bin", "go"));
    index = undefined;
    const { code, stderr } = await lock("1.26.8");
    assert.equal(code, 1);
    assert.match(stderr, /gofleet: neither the release index nor a go command can be used/);
    assert.equal(existsSync(file()), false);
  });

  const misuse: Record<string, [args: string[], says: RegExp]> = {
    "no verb": [[], /Usage: gofleet/],
    "a misspelt verb": [["lokc"], /Did you mean lock\?/],
    "no version": [["lock"], /missing required argument 'version'/],
    "a moving version": [["lock", "latest"], /given "latest", wanted an exact Go version/],
    "another platform": [
      ["lock", "1.26", "--platform", "darwin-arm64"],
      /a supported platform, linux-amd64 or linux-arm64/,
    ],
    "an unknown option": [["lock", "1.26", "--plattform", "x"], /Did you mean --platform\?/],
  };
  for (const [name, [args, says]] of Object.entries(misuse)) {
    it(`ends with 2 on ${name}`, async () => {
      const { code, stdout, stderr } = await gofleet(...args);
      assert.equal(code, 2);
      assert.match(stderr, says);
      assert.equal(stdout, "");
    });
  }

  it("refuses checksums that come without TLS", async () => {
    const { code, stderr } = await gofleet("lock", "1.26", "--url", "http://dl.corp.example");
    assert.equal(code, 1);
    assert.match(stderr, /--url: given "http:\/\/dl\.corp\.example", wanted an https URL/);
  });

  it("explains itself", async () => {
    const { code, stdout } = await gofleet("lock", "--help");
    assert.equal(code, 0);
    for (const part of ["gofleet lock 1.26", "--platform", "--url", "--file", "checksum database"]) {
      assert.ok(stdout.includes(part), part);
    }
  });
});
