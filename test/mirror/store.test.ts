import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { needsGo, temporaryDirectory } from "../support/go";
import { passesItsOwnTests } from "../support/host-tool";
import type { TestModule } from "../support/module-proxy";
import { skip } from "../support/skip";
import { go, StoreLab } from "./support/store-lab";

describe("the store's keeper", function () {
  this.timeout(15 * 60_000);
  let lab: StoreLab | undefined;
  before(function () {
    needsGo(this);
  });
  afterEach(async () => {
    await lab?.stop();
    if (lab) rmSync(lab.folder, { recursive: true, force: true });
    lab = undefined;
  });

  it("is formatted, vetted and passes its own tests", function () {
    passesItsOwnTests(this, "store");
  });

  describe("without an upstream", () => {
    /** An application, what it needs, and what only its build list needs. */
    const MODULES: readonly TestModule[] = [
      {
        path: "example.com/App/core",
        version: "v1.4.0-RC1",
        requires: ["example.com/graph v0.1.0"],
        files: { "core.go": "package core\n" },
      },
      { path: "example.com/graph", version: "v0.1.0", files: { "old.go": "package graph\n" } },
      { path: "example.com/graph", version: "v0.2.0", files: { "graph.go": "package graph\n" } },
      ...Array.from({ length: 12 }, (_, n) => ({
        path: `example.com/part${n}`,
        version: "v1.0.0",
        files: { "part.go": `package part${n}\n` },
      })),
    ];
    const imports = [
      "example.com/App/core",
      "example.com/graph",
      ...Array.from({ length: 12 }, (_, n) => `example.com/part${n}`),
    ];

    async function application(upstream: StoreLab): Promise<string> {
      await upstream.modules(MODULES);
      const folder = join(upstream.folder, "app");
      mkdirSync(folder);
      const needed = MODULES.filter(({ version }) => version !== "v0.1.0").map(
        (each) => `require ${each.path} ${each.version}\n`,
      );
      writeFileSync(join(folder, "go.mod"), `module example.com/app\n\ngo 1.16\n\n${needed.join("")}`);
      writeFileSync(
        join(folder, "main.go"),
        `package main\n\n${imports.map((each) => `import _ "${each}"\n`).join("")}\nfunc main() {}\n`,
      );
      const tidy = await go(folder, join(upstream.folder, "cache"), `file://${upstream.upstream}`, "mod", "tidy");
      assert.equal(tidy.code, 0, tidy.output);
      // Before go 1.17 every go.mod of the build list is read, so of the older graph that alone is needed.
      assert.match(readFileSync(join(folder, "go.sum"), "utf8"), /^example\.com\/graph v0\.1\.0\/go\.mod /m);
      return folder;
    }

    it("serves an imported module cache to the go command with nothing missing", async () => {
      lab = new StoreLab(undefined, { offline: true });
      const app = await application(lab);
      const imported = lab.keeper("import", "-sum", join(app, "go.sum"), join(lab.folder, "cache"));
      assert.deepEqual(imported, {
        code: 0,
        output: imported.output,
      });
      assert.match(imported.output, /imported 14 versions, 1 with a go\.mod alone, 0 were there/);
      rmSync(lab.upstream, { recursive: true });
      await lab.startAthens("offline");
      const proxy = await lab.url();
      const built = await go(app, join(lab.folder, "fresh"), proxy, "build", "-o", "/dev/null", ".");
      assert.equal(built.code, 0, built.output);
      const downloaded = await go(app, join(lab.folder, "fresh-2"), proxy, "mod", "download");
      assert.equal(downloaded.code, 0, downloaded.output);
      assert.ok(lab.answers.length >= 3 * 14, `only ${lab.answers.length} requests`);
      assert.ok(lab.answers.some((answer) => answer.includes("/example.com/graph/@v/v0.1.0.mod")));
      assert.deepEqual(
        lab.answers.filter((answer) => !answer.startsWith("200 ")),
        [],
      );
      assert.equal(lab.keeper("check").code, 0);
    });

    it("brings back a backup", async () => {
      lab = new StoreLab(undefined, { offline: true });
      const app = await application(lab);
      lab.keeper("import", join(lab.folder, "cache"));
      const file = join(lab.folder, "backup.tar");
      assert.deepEqual(lab.keeper("backup", file).code, 0);
      const before = sums(lab.store);
      rmSync(lab.store, { recursive: true });
      mkdirSync(lab.store);
      rmSync(lab.state, { recursive: true });
      const restored = lab.keeper("restore", "-sum", join(app, "go.sum"), file);
      assert.equal(restored.code, 0, restored.output);
      assert.deepEqual(sums(lab.store), before);
    });
  });

  describe("with an upstream", () => {
    const versions = ["v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0"];
    const path = (version: string, kind: string) => `example.com/thing/@v/${version}.${kind}`;

    async function filled(): Promise<StoreLab> {
      const made = new StoreLab();
      await made.modules(
        versions.map((version) => ({
          path: "example.com/thing",
          version,
          files: { "a.go": `package a // ${version}\n` },
        })),
      );
      await made.startAthens();
      for (const version of versions) await serves(made, version);
      return made;
    }

    async function serves(made: StoreLab, version: string): Promise<void> {
      for (const kind of ["info", "mod", "zip"]) {
        const answer = await made.get(`/${path(version, kind)}`);
        assert.equal(answer.status, 200, `${version}.${kind}`);
        if (kind === "zip") assert.ok(answer.body.equals(made.original(path(version, kind))), `${version}.zip`);
      }
    }

    it("finds what must not be served, and it is fetched anew", async () => {
      lab = await filled();
      const stored = (version: string, name: string) => join(lab?.store ?? "", "example.com/thing", version, name);
      // The keeper has seen all of it in good order.
      assert.deepEqual(lab.keeper("run"), { code: 0, output: "" });
      truncateSync(stored("v1.0.0", "source.zip"), 100);
      rmSync(stored("v1.1.0", "v1.1.0.info"));
      const poisoned = stored("v1.2.0", "source.zip");
      const { atime, mtime, size } = statSync(poisoned);
      await lab.modules([{ path: "example.com/thing", version: "v1.2.0", files: { "a.go": "package b // v1.2.0\n" } }]);
      writeFileSync(poisoned, lab.original(path("v1.2.0", "zip")));
      utimesSync(poisoned, atime, mtime);
      assert.equal(statSync(poisoned).size, size, "the poisoned file must not be told by its size");
      await lab.modules([{ path: "example.com/thing", version: "v1.2.0", files: { "a.go": "package a // v1.2.0\n" } }]);

      // Athens itself would serve all of that.
      assert.equal((await lab.get(`/${path("v1.0.0", "zip")}`)).body.length, 100);
      assert.equal((await lab.get(`/${path("v1.1.0", "zip")}`)).status, 200);
      assert.ok(!(await lab.get(`/${path("v1.2.0", "zip")}`)).body.equals(lab.original(path("v1.2.0", "zip"))));

      const check = lab.keeper("check");
      assert.equal(check.code, 1);
      assert.match(check.output, /4 versions, 3 broken/);
      const repair = lab.keeper("repair");
      assert.equal(repair.code, 0, repair.output);
      assert.match(repair.output, /^removed example\.com\/thing@v1\.0\.0: zip/m);
      assert.match(repair.output, /^removed example\.com\/thing@v1\.1\.0: no \.info/m);
      assert.match(repair.output, /^removed example\.com\/thing@v1\.2\.0: zip: sum is h1:.*, was h1:/m);
      assert.deepEqual(readdirSync(join(lab.store, "example.com/thing")), ["v1.3.0"]);
      assert.equal(
        readFileSync(join(lab.state, "generation.conf"), "utf8"),
        'map "" $gomod_generation { default "g1"; }\n',
      );
      assert.equal(lab.keeper("apply").code, 0);
      assert.equal(readFileSync(lab.reloads, "utf8"), "reload\n");
      assert.ok(!existsSync(lab.restarts));

      for (const version of versions) await serves(lab, version);
      const again = lab.keeper("repair");
      assert.match(again.output, /4 versions, 0 removed/);
      assert.equal(lab.keeper("apply").code, 0);
      assert.equal(readFileSync(lab.reloads, "utf8"), "reload\n");
    });

    it("finds a poisoned file by itself, in a turn of the timer", async () => {
      lab = await filled();
      lab.keeper("run");
      const file = join(lab.store, "example.com/thing/v1.0.0/source.zip");
      const { atime, mtime } = statSync(file);
      const content = readFileSync(file);
      await lab.modules([{ path: "example.com/thing", version: "v1.0.0", files: { "a.go": "package b // v1.0.0\n" } }]);
      writeFileSync(file, lab.original(path("v1.0.0", "zip")));
      utimesSync(file, atime, mtime);
      assert.ok(!readFileSync(file).equals(content));
      assert.deepEqual(lab.keeper("run"), { code: 0, output: "" }, "it is not due yet");
      due(lab);
      assert.match(lab.keeper("run").output, /^removed example\.com\/thing@v1\.0\.0: zip: sum is/m);
      assert.ok(!existsSync(file));
    });

    it("says whether the mirror stores and serves", async () => {
      lab = await filled();
      const good = lab.keeper("ready");
      assert.equal(good.code, 0, good.output);
      assert.match(good.output, /^stores; athens serves example\.com\/thing@v1\.\d\.0\n$/);
      writeFileSync(join(lab.run, "read-only"), "");
      const readOnly = lab.keeper("ready");
      assert.deepEqual([readOnly.code, /read-only/.test(readOnly.output)], [3, true]);
      rmSync(join(lab.run, "read-only"));
      await lab.stopAthens();
      const down = lab.keeper("ready");
      assert.equal(down.code, 1);
      assert.match(down.output, /athens does not serve/);
      rmSync(lab.store, { recursive: true });
      const gone = lab.keeper("ready");
      assert.equal(gone.code, 1);
    });
  });

  describe("on a disk that fills up", () => {
    const SIZE = 1_000_000;
    const big = (n: number, bytes = SIZE): TestModule => ({
      path: "example.com/big",
      version: `v1.${n}.0`,
      files: { "data.txt": randomBytes(bytes).toString("base64").slice(0, bytes) },
    });
    const path = (n: number, kind: string) => `/example.com/big/@v/v1.${n}.0.${kind}`;
    let mount: string | undefined;
    afterEach(() => {
      if (mount !== undefined) execFileSync("umount", ["-l", mount]);
      mount = undefined;
    });

    function smallDisk(): string | undefined {
      const folder = temporaryDirectory();
      if (process.getuid?.() !== 0) return undefined;
      if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder]).status !== 0) return undefined;
      return (mount = folder);
    }

    it("is read-only before it is full, and writable again when there is room; no truncated zip is served", async function () {
      const disk = smallDisk();
      if (disk === undefined) return skip(this, "mounting a small file system needs root");
      lab = new StoreLab(disk, { alertAt: "80 %", readOnlyAt: "90 %" });
      await lab.modules([...Array.from({ length: 40 }, (_, n) => big(n)), big(100, 20_000_000)]);
      await lab.startAthens();

      // A version that does not fit breaks off: Athens leaves a part of it, and would serve that for ever.
      for (let n = 0; n < 14; n++) await right(lab, n);
      const broken = await lab.get(path(100, "info"));
      assert.notEqual(broken.status, 200);
      assert.ok(existsSync(join(disk, "example.com/big/v1.100.0/source.zip")), "nothing was left behind");
      assert.match(lab.keeper("repair").output, /removed example\.com\/big@v1\.100\.0: no \.info/);
      assert.notEqual((await lab.get(path(100, "zip"))).status, 200);
      lab.keeper("repair");

      let filled = 14;
      while (!existsSync(join(lab.run, "read-only")) && filled < 40) {
        await right(lab, filled++);
        assert.equal(lab.keeper("run").code, 0);
      }
      assert.ok(filled < 40, "it never became read-only");
      assert.match(
        readFileSync(join(lab.run, "read-only"), "utf8"),
        /^read-only: 9\d\.\d % of the file system's bytes used/,
      );
      assert.equal(lab.keeper("apply").code, 0);
      assert.equal(readFileSync(lab.restarts, "utf8"), "restart\n");
      await lab.startAthens();
      for (let n = 0; n < filled; n++) await right(lab, n);
      assert.equal((await lab.get(path(filled, "info"))).status, 404);
      assert.match(readFileSync(join(lab.state, "metrics.prom"), "utf8"), /^gofleet_store_read_only 1$/m);
      assert.match(readFileSync(join(lab.state, "metrics.prom"), "utf8"), /^gofleet_store_gc_stuck 1$/m);

      execFileSync("mount", ["-o", "remount,size=64m", disk]);
      const back = lab.keeper("run");
      assert.match(back.output, /^writable again: /m);
      assert.equal(lab.keeper("apply").code, 0);
      assert.equal(readFileSync(lab.restarts, "utf8"), "restart\nrestart\n");
      await lab.startAthens();
      for (const n of [0, filled, 100]) await right(lab, n);
      assert.match(lab.keeper("repair").output, / 0 removed/);
    });

    it("collects what nobody asks for, least recently used first", async function () {
      const disk = smallDisk();
      if (disk === undefined) return skip(this, "mounting a small file system needs root");
      lab = new StoreLab(disk, {
        alertAt: "50 %",
        readOnlyAt: "90 %",
        gc: { keepNewerThan: "0 s", keep: ["example.com/kept"] },
      });
      await lab.modules([...Array.from({ length: 16 }, (_, n) => big(n)), { ...big(0), path: "example.com/kept" }]);
      await lab.startAthens();
      assert.equal((await lab.get("/example.com/kept/@v/v1.0.0.info")).status, 200);
      for (let n = 0; n < 16; n++) {
        await right(lab, n);
        const then = new Date(Date.now() - (n < 8 ? 20 - n : 1) * 86_400_000);
        const folder = join(disk, `example.com/big/v1.${n}.0`);
        for (const name of [...readdirSync(folder).map((each) => join(folder, each)), folder])
          utimesSync(name, then, then);
      }
      const collected = lab.keeper("gc");
      assert.equal(collected.code, 0, collected.output);
      assert.match(collected.output, /^collected \d+ versions, \d+ B freed$/m);
      const left = readdirSync(join(disk, "example.com/big")).map((name) => Number(name.split(".")[1]));
      assert.ok(!left.includes(0) && left.includes(15) && left.length < 14, `left: ${left.join(" ")}`);
      assert.ok(existsSync(join(disk, "example.com/kept/v1.0.0/source.zip")), "what is kept went");
      await right(lab, 0);
    });

    async function right(made: StoreLab, n: number): Promise<void> {
      for (const kind of ["info", "mod", "zip"]) {
        const answer = await made.get(path(n, kind));
        assert.equal(answer.status, 200, path(n, kind));
        if (kind === "zip") assert.ok(answer.body.equals(made.original(path(n, kind).slice(1))), path(n, kind));
      }
    }
  });
});

/** As if the last repair had been a day ago. */
function due(lab: StoreLab): void {
  const file = join(lab.state, "keeper.json");
  const state = JSON.parse(readFileSync(file, "utf8")) as { lastRepair: number };
  writeFileSync(file, JSON.stringify({ ...state, lastRepair: state.lastRepair - 86_400 }));
}

/** Every file of a store by its path. */
function sums(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(
    paths.map((path) => [path.slice(folder.length), createHash("sha256").update(readFileSync(path)).digest("hex")]),
  );
}
