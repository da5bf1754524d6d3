import { strict as assert } from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";

import { goProxies } from "../../src/engine/go-proxy";
import { Steps } from "../../scripts/start/steps.cjs";
import { installedSummary } from "../../scripts/start/summary";
import { testEngine } from "../support/engine";
import { REPOSITORY } from "../support/engine/project";
import { skip } from "../support/skip";

const ESCAPE = "\x1b";

describe("npm start", () => {
  let dir = "";
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "gofleet-start-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  describe("its steps", () => {
    const screen = (more: { isTTY?: boolean; columns?: number } = {}) => {
      const written: string[] = [];
      const out = new Writable({ write: (chunk, _encoding, done) => (written.push(String(chunk)), done()) });
      return { out: Object.assign(out, more), written };
    };

    it("are plain lines where the output is no terminal", () => {
      const { out, written } = screen();
      const step = new Steps(out, {}).begin("engine", "looking");
      for (let count = 0; count < 100; count++) step.progress(`package ${count}`);
      step.done("found");
      assert.deepEqual(written.join("").split("\n"), ["  · engine        looking", "  ✔ engine        found", ""]);
    });

    it("stay within the terminal's width", () => {
      const { out, written } = screen({ isTTY: true, columns: 40 });
      const step = new Steps(out, { NO_COLOR: "1" }).begin("engine", "x".repeat(200));
      step.done("found");
      const drawn = (written[1] ?? "").split("\r").pop() ?? "";
      assert.ok(drawn.length <= 40 && drawn.endsWith("…"), JSON.stringify(drawn));
    });

    it("use no colours where NO_COLOR is set", () => {
      const shown = (env: NodeJS.ProcessEnv) => new Steps(screen({ isTTY: true }).out, env).bold("Go");
      assert.equal(shown({ NO_COLOR: "1" }), "Go");
      assert.equal(shown({ TERM: "dumb" }), "Go");
      assert.ok(shown({}).includes(ESCAPE));
    });

    it("that are still running when something fails are shown as failed", () => {
      const { out, written } = screen();
      const steps = new Steps(out, {});
      steps.begin("engine", "looking");
      steps.fail("failed");
      steps.fail("failed");
      assert.deepEqual(written, ["  · engine        looking\n", "  ✘ engine        failed\n"]);
    });
  });

  it("sums up what is on the target by its paths there", () => {
    const at = (path: string) => join("/checkout/.gofleet/root", path);
    const outputs = { goVersion: "go1.26.7", goRoot: at("usr/local/lib/go1.26.7"), goBinary: at("usr/local/bin/go") };
    const steps = new Steps(new Writable(), {});
    const summary = installedSummary("/checkout", steps, { ...outputs, goEnv: { GOTOOLCHAIN: "local" } }, true);
    assert.match(summary, /go command +\/usr\/local\/bin\/go$/m);
    assert.match(summary, /tree +\/usr\/local\/lib\/go1\.26\.7$/m);
    assert.match(summary, /settings +GOTOOLCHAIN=local$/m);
    assert.match(summary, /verified +h1:[A-Za-z0-9+/]{43}=$/m);
    assert.ok(summary.split("\n").every((line) => line.length <= 80));
  });

  it("builds again only when a source is newer than the last build", async () => {
    const { stale } = await import("../../scripts/start/prepare.mjs");
    for (const path of ["src/model", "hosttools", "scripts", "dist", "node_modules/.cache/gofleet"]) {
      mkdirSync(join(dir, path), { recursive: true });
    }
    const scripts = ["scripts/build.mjs", "scripts/host-tools.mjs"];
    const sources = ["src/model/a.ts", "hosttools/main.go", "tsconfig.json", "package-lock.json", ...scripts];
    for (const path of [...sources, "dist/index.js"]) writeFileSync(join(dir, path), "");
    assert.equal(stale(dir), true, "never built");
    const later = new Date(Date.now() + 5_000);
    writeFileSync(join(dir, "node_modules/.cache/gofleet/built"), "");
    utimesSync(join(dir, "node_modules/.cache/gofleet/built"), later, later);
    assert.equal(stale(dir), false, "just built");
    const latest = new Date(Date.now() + 10_000);
    utimesSync(join(dir, "src/model"), latest, latest);
    assert.equal(stale(dir), true, "a file came or went");
  });

  it("installs again only when node_modules differs from package-lock.json", async () => {
    const { installed } = await import("../../scripts/start/prepare.mjs");
    const lockWith = (version: string) => JSON.stringify({ packages: { "": {}, "node_modules/a": { version } } });
    writeFileSync(join(dir, "package-lock.json"), lockWith("1.0.0"));
    assert.equal(installed(dir), false, "nothing there");
    mkdirSync(join(dir, "node_modules"));
    writeFileSync(join(dir, "node_modules/.package-lock.json"), lockWith("1.0.0"));
    assert.equal(installed(dir), true);
    writeFileSync(join(dir, "package-lock.json"), lockWith("1.0.1"));
    assert.equal(installed(dir), false, "another version");
  });

  it("explains itself, and refuses what it does not know", () => {
    const start = (...args: string[]) =>
      spawnSync(process.execPath, ["scripts/start.mjs", ...args], { cwd: REPOSITORY, encoding: "utf8" });
    const help = start("--help");
    assert.equal(help.status, 0);
    assert.match(help.stdout, /--preview/);
    const wrong = start("--uninstall");
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /--destroy/);
  });

  describe("from a checkout", function () {
    this.timeout(600_000);

    it("previews, installs, finds nothing to do, and takes everything off again", async function () {
      if ((await goProxies(process.env)).urls.length === 0) skip(this, "no Go module proxy is set on this machine");
      await testEngine();
      checkout(dir);

      assert.match(await start(dir, "--preview"), /this would change[^]*gofleet:index:GoToolchainHost: \(create\)/);
      assert.deepEqual(readdirSync(join(dir, ".gofleet")).sort(), ["config", "home", "passphrase", "state"]);

      const first = await start(dir);
      assert.match(first, /✔ toolchain +go1\.\d+\.\d+ installed/);
      assert.match(first, /✔ hello +“hello from go1\.\d+\.\d+ on linux\//);
      assert.ok(!first.includes(ESCAPE));

      assert.match(await start(dir), /✔ toolchain +go1\.\d+\.\d+, unchanged/);
      assert.match(await start(dir, "--preview"), /nothing would change/);

      assert.match(await start(dir, "--destroy"), /✔ toolchain +taken off/);
      assert.deepEqual(readdirSync(join(dir, ".gofleet", "root")), [], "the target is as it was before");
      assert.match(await start(dir, "--destroy"), /nothing is installed/);
    });
  });
});

/** A copy of this checkout with a state of its own; what is installed and built is shared. */
function checkout(dir: string): void {
  const copied = ["src", "dist", "scripts", "examples/quickstart", "quickstart.ts", "Pulumi.yaml", "gofleet.lock.json"];
  for (const path of [...copied, "hosttools", "package.json", "package-lock.json", "tsconfig.json"]) {
    cpSync(join(REPOSITORY, path), join(dir, path), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(join(REPOSITORY, "node_modules"), join(dir, "node_modules"));
}

/** Runs `npm start` there without a terminal, and returns all it printed. */
function start(cwd: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["scripts/start.mjs", ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(output) : reject(new Error(`exit code ${code}:\n${output}`))));
  });
}
