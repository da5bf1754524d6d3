import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { wantedVersions } from "../../../src/cli/mirror-sums";
import { needsGo, temporaryDirectory, type MachineGo } from "../../support/go";
import { moduleProxy, type TestSums } from "../../support/module-proxy";
import { removeTree } from "../../support/remove-tree";

const PROJECT = join(__dirname, "..", "..", "..");
const ZERO = `h1:${Buffer.alloc(32, 7).toString("base64")}`;

describe("gofleet mirror bundle", function () {
  let folder: string;
  let sums: Readonly<Record<string, TestSums>>;
  let go: MachineGo;

  before(async function () {
    go = needsGo(this);
    folder = temporaryDirectory();
    sums = await moduleProxy(join(folder, "proxy"), [
      { path: "example.com/Upper/case", version: "v1.0.0-RC1", files: { "a.go": "package a\n" } },
      { path: "example.com/plain", version: "v0.1.0", requires: ["example.com/graph v0.2.0"] },
      { path: "example.com/graph", version: "v0.2.0", files: { "b.go": "package b\n" } },
    ]);
    writeFileSync(join(folder, "go.sum"), [...lines("example.com/Upper/case@v1.0.0-RC1"), ...plain()].join("\n"));
  });
  after(() => folder && removeTree(folder));

  const lines = (name: string) => {
    const [path, version] = name.split("@");
    return [`${path} ${version} ${sums[name]?.zip}`, `${path} ${version}/go.mod ${sums[name]?.mod}`];
  };
  /** As go writes it: of example.com/graph the go.mod alone is needed. */
  const plain = () => [...lines("example.com/plain@v0.1.0"), ...lines("example.com/graph@v0.2.0").slice(1), ""];

  function gofleet(args: readonly string[], env: Record<string, string> = {}) {
    const program = [join(PROJECT, "node_modules/tsx/dist/cli.mjs"), join(PROJECT, "src/cli/main.ts"), "mirror"];
    const settings = {
      PATH: `${join(go.root, "bin")}:/usr/bin:/bin`,
      HOME: join(folder, "home"),
      GOFLAGS: "-modcacherw",
      GOMODCACHE: join(folder, "cache"),
      GOPROXY: `file://${join(folder, "proxy")}`,
      GOSUMDB: "off",
      NO_COLOR: "1",
      ...env,
    };
    return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      const child = spawn(process.execPath, [...program, ...args], { cwd: folder, env: settings });
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      child.on("close", (code) => resolve({ code, stdout, stderr }));
    });
  }

  const FILES = [
    "example.com/!upper/case/@v/v1.0.0-!r!c1.info",
    "example.com/!upper/case/@v/v1.0.0-!r!c1.mod",
    "example.com/!upper/case/@v/v1.0.0-!r!c1.zip",
    "example.com/graph/@v/v0.2.0.info",
    "example.com/graph/@v/v0.2.0.mod",
    "example.com/plain/@v/v0.1.0.info",
    "example.com/plain/@v/v0.1.0.mod",
    "example.com/plain/@v/v0.1.0.zip",
  ];

  it("packs exactly what go.sum names, behind a manifest", async () => {
    const { code, stdout, stderr } = await gofleet(["bundle", "--out", "modules.tar", "go.sum"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /wrote modules\.tar: 3 versions, 1 with a go\.mod alone, 8 files/);
    const entries = await read(createReadStream(join(folder, "modules.tar")));
    assert.deepEqual([...entries.keys()], ["gofleet-bundle.json", ...FILES]);
    const manifest: unknown = JSON.parse(entries.get("gofleet-bundle.json")?.toString() ?? "");
    const digest = (name: string) =>
      createHash("sha256")
        .update(entries.get(name) ?? "")
        .digest("hex");
    assert.deepEqual(manifest, {
      format: 1,
      files: Object.fromEntries(FILES.map((name) => [name, digest(name)])),
      sums: {
        "example.com/Upper/case@v1.0.0-RC1": sums["example.com/Upper/case@v1.0.0-RC1"]?.zip,
        "example.com/Upper/case@v1.0.0-RC1/go.mod": sums["example.com/Upper/case@v1.0.0-RC1"]?.mod,
        "example.com/graph@v0.2.0/go.mod": sums["example.com/graph@v0.2.0"]?.mod,
        "example.com/plain@v0.1.0": sums["example.com/plain@v0.1.0"]?.zip,
        "example.com/plain@v0.1.0/go.mod": sums["example.com/plain@v0.1.0"]?.mod,
      },
    });
  });

  it("makes equal bytes of equal sums, from another cache too", async () => {
    await gofleet(["bundle", "--out", "a.tar", "go.sum"]);
    mkdirSync(join(folder, "service"), { recursive: true });
    writeFileSync(join(folder, "service", "go.sum"), plain().reverse().join("\n"));
    const second = await gofleet(["bundle", "--out", "b.tar", "service", "go.sum"], {
      GOMODCACHE: join(folder, "two"),
    });
    assert.equal(second.code, 0, second.stderr);
    assert.ok(readFileSync(join(folder, "a.tar")).equals(readFileSync(join(folder, "b.tar"))));
  });

  it("compresses where the name says so", async () => {
    await gofleet(["bundle", "--out", "modules.tgz", "go.sum"]);
    const entries = await read(createReadStream(join(folder, "modules.tgz")).pipe(createGunzip()));
    assert.equal(entries.size, FILES.length + 1);
  });

  const refused: Record<string, [change: () => string, says: RegExp]> = {
    "a zip that is another": [
      () =>
        lines("example.com/plain@v0.1.0")
          .join("\n")
          .replace(/h1:\S+/, ZERO),
      /example\.com\/plain@v0\.1\.0: it is h1:.*, go\.sum has h1:Bwc/,
    ],
    "a go.mod that is another": [
      () => (lines("example.com/graph@v0.2.0")[1] ?? "").replace(/h1:.*/, ZERO),
      /example\.com\/graph@v0\.2\.0: its go\.mod is h1:.*, go\.sum has h1:Bwc/,
    ],
    "a module that cannot be had": [
      () => `example.com/gone v1.0.0 ${ZERO}`,
      /example\.com\/gone@v1\.0\.0: .*no such file/,
    ],
    "a go.mod that cannot be had": [
      () => `example.com/gone v1.0.0/go.mod ${ZERO}`,
      /example\.com\/gone@v1\.0\.0: .*no such file/,
    ],
    "a line of another file": [() => "require example.com/plain v0.1.0", /wrong\.sum:1: not a line of a go\.sum/],
    "no module": [() => "\n", /nothing to pack/],
  };
  for (const [name, [change, says]] of Object.entries(refused)) {
    it(`refuses ${name} and writes nothing`, async () => {
      writeFileSync(join(folder, "wrong.sum"), change());
      const { code, stdout, stderr } = await gofleet(["bundle", "--out", "wrong.tar", "wrong.sum"]);
      assert.equal(code, 1, stdout);
      assert.match(stderr, says);
      assert.ok(!existsSync(join(folder, "wrong.tar")));
      assert.deepEqual(
        readdirSync(folder).filter((each) => each.startsWith(".gofleet")),
        [],
      );
    });
  }

  it("says that there is no go command", async () => {
    const { code, stderr } = await gofleet(["bundle", "--out", "x.tar", "go.sum"], { PATH: join(folder, "nowhere") });
    assert.equal(code, 1);
    assert.match(stderr, /there is no go command on PATH/);
  });

  const misuse: Record<string, [args: string[], code: number, says: RegExp]> = {
    "no --out": [["bundle", "go.sum"], 2, /required option '--out <file>' not specified/],
    "no go.sum": [["bundle", "--out", "x.tar"], 2, /missing required argument 'go\.sum'/],
    "a file that is not there": [["bundle", "--out", "x.tar", "nowhere/go.sum"], 1, /there is no nowhere\/go\.sum/],
    "a directory that is not there": [
      ["bundle", "--out", "nowhere/x.tar", "go.sum"],
      1,
      /there is no directory .*nowhere/,
    ],
  };
  for (const [name, [args, code, says]] of Object.entries(misuse)) {
    it(`refuses ${name}`, async () => {
      const outcome = await gofleet(args);
      assert.equal(outcome.code, code);
      assert.match(outcome.stderr, says);
    });
  }

  it("refuses two sums for one thing", () => {
    const line = (sum: string) => ({ name: "go.sum", text: `a.example/b v1.0.0 ${sum}\n` });
    const other = `h1:${Buffer.alloc(32, 8).toString("base64")}`;
    assert.throws(() => wantedVersions([line(ZERO), line(other)]), /go\.sum:1: a\.example\/b@v1\.0\.0 has two sums/);
    assert.equal(wantedVersions([line(ZERO), line(ZERO)]).length, 1);
  });
});

async function read(stream: Readable): Promise<ReadonlyMap<string, Buffer>> {
  const entries = new Map<string, Buffer>();
  for await (const entry of stream.pipe(extract())) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    entries.set(entry.header.name, Buffer.concat(chunks));
  }
  return entries;
}
