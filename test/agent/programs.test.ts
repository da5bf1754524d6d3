/** A service's program as a release: every way in which it is not what was declared leaves the old one running. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ResolvedRelease } from "../../src/model/service/release";
import { mergePlans } from "../../src/plan/merge";
import { servicePlace } from "../../src/plan/service/place";
import { releaseDownload, releasePlan } from "../../src/plan/service/release";
import { needsGo } from "../support/go";
import { buildProgram, goModule, MODULE } from "../support/go-programs";
import { COMPONENT, release, Root, shells, type Answer, type Release } from "./support";

const ARCH = process.arch === "arm64" ? "arm64" : "amd64";
const OTHER = ARCH === "amd64" ? "arm64" : "amd64";
const PROGRAM = `etc/gofleet/${COMPONENT}/current/etc/gofleet/${COMPONENT}/program/buildcached`;
const PLACE = servicePlace(COMPONENT);

const digest = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

describe("agent: programs of services", function () {
  const [shell] = shells();
  let root: Root;
  let work: string;
  let server: Server;
  let base: string;
  let asked: string[];
  /** By path: what is there; a number is a status; `cut` promises more than it sends. */
  const served = new Map<string, Buffer | number | { readonly cut: Buffer }>();

  before(function (done) {
    needsGo(this);
    work = mkdtempSync(join(tmpdir(), "gofleet-programs-"));
    goModule(join(work, "module"));
    for (const version of ["1", "2"]) make(version, "-ldflags", `-X main.version=${version}`);
    buildProgram(join(work, "module"), join(work, "other"), { arch: OTHER });
    server = createServer((request, response) => {
      asked.push(request.url ?? "");
      const found = served.get(request.url ?? "") ?? 404;
      if (typeof found === "number") response.writeHead(found).end("<html>no");
      else if (Buffer.isBuffer(found)) response.end(found);
      else {
        response.writeHead(200, { "content-length": found.cut.length });
        response.write(found.cut.subarray(0, found.cut.length / 2), () => response.destroy());
      }
    });
    server.listen(0, "127.0.0.1", () => {
      base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      done();
    });
  });
  after(() => {
    server?.close();
    if (work !== undefined) rmSync(work, { recursive: true, force: true });
  });
  beforeEach(() => {
    root = new Root(shell);
    asked = [];
    served.clear();
  });
  afterEach(() => root.dispose());

  function make(name: string, ...flags: readonly string[]): void {
    buildProgram(join(work, "module"), join(work, name), { arch: ARCH, flags });
  }

  const content = (name: string): Buffer => readFileSync(join(work, name));

  function resolved(sha256: string, more: Partial<ResolvedRelease> = {}): ResolvedRelease {
    const variants = [{ arch: "any", sha256, url: `${base}/artifact/42?raw=1` }] as const;
    return { format: "file", program: "buildcached", variants, identity: {}, ...more };
  }

  const of = (what: ResolvedRelease): Release => release(mergePlans(releasePlan(what, PLACE)));

  /** Puts the first version on. */
  async function first(): Promise<Release> {
    served.set("/artifact/42?raw=1", content("1"));
    const old = of(resolved(digest(content("1"))));
    const on = await root.run(old);
    assert.equal(on.code, 0, JSON.stringify(on));
    return old;
  }

  function says(): string {
    // print() writes to standard error.
    return execFileSync("sh", ["-c", '"$1" 2>&1', "sh", root.at(PROGRAM)], { encoding: "utf8" }).trim();
  }

  async function refused(next: ResolvedRelease, code: number, says_: RegExp): Promise<Answer> {
    const old = root.current();
    const answer = await root.run(of(next));
    assert.equal(answer.code, code, JSON.stringify(answer.result));
    assert.match(String(answer.result["msg"]), says_);
    assert.deepEqual([root.current(), says()], [old, "hello 1"]);
    return answer;
  }

  it("have the name that the unit runs, whatever the address ends in, and say what they are", async () => {
    await first();
    assert.equal(says(), "hello 1");
    assert.deepEqual(asked, ["/artifact/42?raw=1"]);
    const answer = await root.run(of(resolved(digest(content("1")))));
    assert.equal(answer.result["status"], "same");
    const reading = answer.events.find(({ ev, name }) => ev === "probe" && name === "identity");
    const found = JSON.parse(String(reading?.["out"])) as Record<string, unknown>;
    assert.deepEqual([found["module"], found["version"], found["modified"]], [MODULE, "v1.8.2", false]);
  });

  it("switch forth and back with the release, each kept while a release that is kept names it", async () => {
    const old = await first();
    served.set("/artifact/42?raw=1", content("2"));
    const next = of(resolved(digest(content("2"))));
    assert.equal((await root.run(next)).code, 0);
    assert.equal(says(), "hello 2");
    const trees = (): string[] => readdirSync(root.at(`usr/local/lib/gofleet/${COMPONENT}`)).sort();
    assert.equal(trees().length, 2);
    // Back without a word of what it was: the host has it.
    served.clear();
    assert.equal((await root.start("run", { release: old.id, tx: "back", expect: next.id, deadline: 240 })).code, 0);
    assert.equal(says(), "hello 1");
    const gone = releaseDownload(resolved(digest(content("1")))).name;
    served.set("/artifact/42?raw=1", content("2"));
    assert.equal((await root.run(next, { keep: 1 })).code, 0);
    await root.quiet();
    assert.deepEqual(trees(), [releaseDownload(resolved(digest(content("2")))).name]);
    const records = readdirSync(root.at(`var/lib/gofleet/${COMPONENT}/downloads`));
    assert.ok(!records.some((name) => name.startsWith(gone)), records.join(" "));
    assert.equal(records.length, 2);
  });

  it("are refused with another checksum, and what came is told", async () => {
    await first();
    served.set("/artifact/42?raw=1", content("other"));
    const wanted = digest(content("2"));
    const size = content("other").length;
    await refused(
      resolved(wanted),
      15,
      new RegExp(`/artifact/42: sha256 is ${digest(content("other"))}, wanted: ${wanted} \\(${size} bytes came\\)`),
    );
    served.set("/artifact/42?raw=1", Buffer.from("\n<!DOCTYPE HTML><title>Sign in</title>"));
    await refused(resolved(wanted), 15, /sha256 is .*, wanted: .* \(38 bytes came, an HTML page\)$/);
    served.set("/artifact/42?raw=1", { cut: content("2") });
    await refused(resolved(wanted), 15, /\/artifact\/42: curl: \(18\)/);
    served.set("/artifact/42?raw=1", 404);
    await refused(resolved(wanted), 15, /\/artifact\/42: curl: \(22\) .*404/);
    assert.equal(readdirSync(root.at(`usr/local/lib/gofleet/${COMPONENT}`)).length, 1);
  });

  it("are refused for another architecture, with another identity, and where they are no programs", async () => {
    await first();
    served.set("/artifact/42?raw=1", content("other"));
    await refused(
      resolved(digest(content("other"))),
      23,
      new RegExp(`^check identity: exit code 1: buildcached is for ${OTHER}, and this host is ${ARCH}$`),
    );
    const declared = resolved(digest(content("2")), { identity: { version: "v1.9.0", module: MODULE } });
    served.set("/artifact/42?raw=1", content("2"));
    await refused(declared, 23, /buildcached is not what was declared:\n {2}version is v1\.8\.2, wanted v1\.9\.0$/);
    const page = Buffer.from("<html>a page with the right checksum");
    served.set("/artifact/42?raw=1", page);
    await refused(resolved(digest(page)), 23, /is no program for Linux \(ELF\): it begins with "<html>a page/);
    const half = content("2").subarray(0, 5000);
    served.set("/artifact/42?raw=1", half);
    await refused(resolved(digest(half)), 23, /buildcached is cut off: it has 5000 bytes/);
  });

  it("come out of an archive, and are refused where they cannot be executed or are not in it", async () => {
    await first();
    const pack = (mode: number): Buffer => {
      const tree = join(work, "buildcached-1.8.2");
      rmSync(tree, { recursive: true, force: true });
      mkdirSync(join(tree, "bin"), { recursive: true });
      copyFileSync(join(work, "2"), join(tree, "bin/buildcached"));
      chmodSync(join(tree, "bin/buildcached"), mode);
      writeFileSync(join(tree, "LICENSE"), "free\n");
      return execFileSync("tar", ["czf", "-", "-C", work, "buildcached-1.8.2"], { maxBuffer: 1 << 28 });
    };
    const archive = (packed: Buffer, program: string): ResolvedRelease => {
      served.set("/artifact/42?raw=1", packed);
      return resolved(digest(packed), { format: "tar.gz", program });
    };
    await refused(archive(pack(0o755), "bin/cached"), 23, /bin\/cached is not in what .* has: .*LICENSE/);
    await refused(
      archive(pack(0o644), "bin/buildcached"),
      23,
      /bin\/buildcached cannot be executed: it was packed without/,
    );
    const good = archive(pack(0o755), "bin/buildcached");
    const on = await root.run(of(good));
    assert.equal(on.code, 0, JSON.stringify(on));
    assert.equal(says(), "hello 2");
  });

  it("are sent by the operator, and a wrong one is thrown away at once", async () => {
    await first();
    const what = resolved(digest(content("2")), {
      variants: [{ arch: ARCH, sha256: digest(content("2")), file: "x" }],
    });
    const { name } = releaseDownload(what);
    const put = (bytes: Buffer): Promise<Answer> => root.start("put", {}, new Map([[`upload/${name}.${ARCH}`, bytes]]));
    assert.equal((await put(content("other"))).code, 0);
    await refused(what, 15, /^the pushed file: sha256 is /);
    const records = (): string[] => readdirSync(root.at(`var/lib/gofleet/${COMPONENT}/downloads`));
    assert.ok(!records().some((each) => each.endsWith(".pushed")), records().join(" "));
    assert.equal((await put(content("2"))).code, 0);
    assert.equal((await root.run(of(what))).code, 0);
    assert.equal(says(), "hello 2");
    assert.equal(statSync(root.at(PROGRAM)).mode & 0o7777, 0o755);
    assert.ok(!records().some((each) => each.endsWith(".pushed")));
  });
});
