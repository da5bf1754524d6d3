import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { ProgramIdentity } from "../../../src/model/service/release-identity";
import { NoProgram, readProgram, type ProgramBytes } from "../../../src/model/service/release-program";
import { identityScript } from "../../../src/render/service/identity";
import { needsGo, temporaryDirectory } from "../../support/go";
import { buildProgram, goModule, goVersion, MODULE, PACKAGE } from "../../support/go-programs";
import { skip } from "../../support/skip";

function bytesOf(path: string): ProgramBytes {
  const content = readFileSync(path);
  return { size: content.length, read: (from, count) => content.subarray(from, from + count) };
}

const TREE = "/usr/local/lib/gofleet/acme-cache/buildcached-0123456789ab";
const ARCH = process.arch === "arm64" ? "arm64" : "amd64";
const OTHER = ARCH === "amd64" ? "arm64" : "amd64";
const SHELLS = [["dash"], ["busybox", "sh"], ["bash"]];

describe("identity script", function () {
  let work: string;
  let root: string;
  let module: string;
  let revision: string;
  const built = new Map<string, string>();

  before(function () {
    needsGo(this);
    work = temporaryDirectory();
    // A root with a space and a quote.
    root = join(work, 'a "root"');
    mkdirSync(join(root, TREE), { recursive: true });
    module = join(work, "module");
    revision = goModule(module);
  });
  after(() => work && rmSync(work, { recursive: true }));

  /** The path of a program, built once. */
  function program(name: string, ...flags: readonly string[]): string {
    const known = built.get(name);
    if (known !== undefined) return known;
    const path = join(work, name);
    buildProgram(module, path, { arch: name === "other" ? OTHER : ARCH, flags });
    built.set(name, path);
    return path;
  }

  function place(path: string): string {
    const to = join(root, TREE, "buildcached");
    copyFileSync(path, to);
    chmodSync(to, 0o755);
    return to;
  }

  function run(identity: ProgramIdentity = {}, { shell = ["sh"], name = "buildcached" } = {}) {
    const script = identityScript({ tree: TREE, program: name, identity });
    const [command = "sh", ...args] = shell;
    const env = { PATH: process.env["PATH"], GOFLEET_ROOT: root };
    return spawnSync(command, [...args, "-s"], { input: script, encoding: "utf8", env, cwd: "/", timeout: 120_000 });
  }

  for (const shell of SHELLS) {
    it(`reads what go version -m reads, under ${shell.join(" ")}`, function () {
      if (spawnSync(shell[0] ?? "", ["-c", ":"]).error) skip(this, `there is no ${shell[0]}`);
      const kinds: Record<string, readonly string[]> = {
        plain: [],
        stripped: ["-ldflags=-s -w"],
        pie: ["-buildmode=pie"],
        "no vcs": ["-buildvcs=false"],
        flags: ["-tags=a,b", "-ldflags=-X 'main.version=1 \"2\"'"],
      };
      for (const [name, flags] of Object.entries(kinds)) {
        const path = place(program(name, ...flags));
        const { status, stdout, stderr } = run({}, { shell });
        assert.equal(status, 0, `${name}: ${stderr}`);
        assert.deepEqual(JSON.parse(stdout), goVersion(path), name);
        assert.deepEqual(readProgram(bytesOf(path)).identity, goVersion(path), `${name}, on the operator's machine`);
        assert.equal(stdout.split("\n").length, 2, "one line");
      }
    });
  }

  it("accepts a program that is what was declared", () => {
    const path = place(program("plain"));
    const { go = "", version } = goVersion(path);
    const major = go.replace(/^(\d+\.\d+).*$/, "$1") as "1.26";
    const whole = { module: MODULE, package: PACKAGE, version, revision, go: go as "1.26.8", modified: false } as const;
    for (const identity of [whole, { revision: revision.slice(0, 7), go: major }]) {
      const { status, stderr } = run(identity);
      assert.equal(status, 0, stderr);
    }
  });

  it("follows a link, as in an archive with bin/ of links", () => {
    const path = place(program("plain"));
    symlinkSync("buildcached", join(root, TREE, "linked"));
    const { status, stdout, stderr } = run({}, { name: "linked" });
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), goVersion(path));
  });

  it("names everything that is not as declared", () => {
    const path = place(program("no vcs", "-buildvcs=false"));
    const { status, stdout, stderr } = run({
      module: `${MODULE}x`,
      package: MODULE,
      version: "v1.8.2",
      revision,
      go: "1.2",
      modified: false,
    });
    assert.deepEqual([status, stdout], [1, ""]);
    assert.deepEqual(stderr.trimEnd().split("\n"), [
      "buildcached is not what was declared:",
      `  module is ${MODULE}, wanted ${MODULE}x`,
      `  package is ${PACKAGE}, wanted ${MODULE}`,
      "  version is (devel), wanted v1.8.2",
      `  revision is not in it, wanted ${revision}`,
      `  go is ${goVersion(path).go ?? ""}, wanted 1.2`,
      "  modified is not in it, wanted false",
    ]);
  });

  it("says that a build of changed sources is one", () => {
    const changed = join(work, "changed");
    goModule(changed);
    appendFileSync(join(changed, "cmd/buildcached/main.go"), "// changed\n");
    buildProgram(changed, join(work, "dirty"), { arch: ARCH });
    place(join(work, "dirty"));
    assert.match(run({ modified: false }).stderr, /modified is true, wanted false/);
  });

  const noPrograms: Record<string, [content: string | Buffer, says: RegExp]> = {
    "an error page": ["<!DOCTYPE html>\n<title>Not found", /begins with "<!DOCTYPE html>\?<title>Not found"$/],
    nothing: ["", /buildcached is empty$/],
    "a script": ['#!/bin/sh\nexec "$0"\n', /is no program for Linux \(ELF\): it begins with "#!\/bin\/sh/],
    "a gzip file": [Buffer.from("1f8b0800", "hex"), /is a gzip file: for a \.tar\.gz, program says where/],
    "a program for macOS": [Buffer.from("cffaedfe07000001", "hex"), /is a program for macOS, not for Linux$/],
    "a program for Windows": ["MZ\x90", /is a program for Windows, not for Linux$/],
    "the first bytes of a program": [Buffer.from("7f454c46020101", "hex"), /is cut off: it has 7 bytes$/],
  };
  for (const [what, [content, says]] of Object.entries(noPrograms)) {
    it(`refuses ${what}`, () => {
      const path = join(work, "odd");
      writeFileSync(path, content);
      place(path);
      const { status, stderr } = run();
      assert.equal(status, 1);
      assert.match(stderr.trimEnd(), says);
      sameWords(path, stderr);
    });
  }

  /** On the operator's machine it is said in the same words. */
  function sameWords(path: string, said: string): void {
    assert.throws(() => readProgram(bytesOf(path)), new NoProgram(said.trimEnd().replace(/^buildcached /, "")));
  }

  it("refuses a program for another architecture, one that was cut off, and one that cannot be run", () => {
    const other = place(program("other"));
    assert.deepEqual([readProgram(bytesOf(other)).arch, readProgram(bytesOf(other)).loader], [OTHER, undefined]);
    assert.deepEqual(readProgram(bytesOf(other)).identity, goVersion(other));
    assert.equal(run().stderr.trimEnd(), `buildcached is for ${OTHER}, and this host is ${ARCH}`);
    const half = place(program("plain"));
    const size = readFileSync(half).length;
    truncateSync(half, Math.floor(size / 2));
    assert.match(run().stderr, new RegExp(`is cut off: it has ${Math.floor(size / 2)} bytes and needs \\d+\n$`));
    sameWords(half, run().stderr);
    const object = place(program("plain"));
    const bytes = readFileSync(object);
    bytes.writeUInt16LE(1, 16);
    writeFileSync(object, bytes);
    assert.match(run().stderr, /is no program that can be run \(ELF type 1\)/);
    sameWords(object, run().stderr);
  });

  it("refuses a program whose loader this host does not have", function () {
    if (ARCH !== "amd64") skip(this, "the loader has another name here");
    const path = place(program("pie", "-buildmode=pie"));
    const bytes = readFileSync(path);
    assert.equal(readProgram(bytesOf(path)).loader, "/lib64/ld-linux-x86-64.so.2");
    const at = bytes.indexOf("/lib64/ld-linux-x86-64.so.2\0");
    assert.notEqual(at, -1);
    bytes.write("/lib64/ld-linux-x86-64.so.9\0", at, "latin1");
    writeFileSync(path, bytes);
    assert.match(run().stderr, /is dynamically linked and needs \/lib64\/ld-linux-x86-64\.so\.9, which this host/);
  });

  it("refuses a program that lacks the right to be executed, or is not there", () => {
    chmodSync(place(program("plain")), 0o644);
    assert.match(run().stderr, /^buildcached cannot be executed: it was packed without that right/);
    assert.match(run({}, { name: "bin/cached" }).stderr, /^bin\/cached is not in what was .* has: buildcached/);
    rmSync(join(root, TREE, "buildcached"));
    assert.match(run().stderr, /which has: nothing/);
  });

  it("takes a program of another language where nothing is declared, and refuses it where something is", function () {
    const other = ["/bin/true", "/usr/bin/true"].find((path) => existsSync(path));
    if (other === undefined) return skip(this, "there is no true program");
    place(other);
    const { status, stdout } = run();
    assert.deepEqual([status, stdout], [0, "{}\n"]);
    assert.match(run({ go: "1.26" }).stderr, /go is not in it, wanted 1\.26/);
  });

  it("does not read the whole of a program", () => {
    // Of zeros that take no room on the disk, and long to read.
    truncateSync(place(program("plain")), 2 ** 40);
    try {
      const { status, stderr, error } = run();
      assert.equal(status, 0, String(error ?? stderr));
    } finally {
      rmSync(join(root, TREE, "buildcached"));
    }
  });

  it("is clean for shellcheck", function () {
    const script = identityScript({ tree: TREE, program: "bin/a+b", identity: { module: MODULE, modified: false } });
    const { error, stdout } = spawnSync("shellcheck", ["-"], { input: script, encoding: "utf8" });
    if (error) skip(this, "there is no shellcheck");
    assert.equal(stdout, "");
  });
});
