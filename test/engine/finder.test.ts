import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { enginePath, findEngine, NoEngine } from "../../src/engine/find";
import type { EngineMaker, FindOptions } from "../../src/engine/options";
import { LAUNCHER, PACK_LAUNCHER } from "../../src/engine/launcher";
import { accepted, ENGINE_VERSION } from "../../src/engine/version";

type Makers = Parameters<typeof findEngine>[1];

describe("finding the engine", () => {
  let dir = "";
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "gofleet-finder-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  /** A machine of its own: empty home, PATH with what every machine has and one directory that tests fill. */
  const options = (more: Partial<FindOptions> = {}): FindOptions => ({
    env: { HOME: join(dir, "home"), PATH: `${join(dir, "bin")}:/usr/bin:/bin` },
    projectDir: join(dir, "project"),
    progress: () => {},
    releases: [],
    ...more,
  });
  const fakePulumi = (bin: string, version: string, more = "") => {
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "pulumi"), `#!/bin/sh\n${more}\necho v${version}\n`);
    chmodSync(join(bin, "pulumi"), 0o755);
  };
  const making =
    (version: string, made: string[] = [], milliseconds = 0): EngineMaker =>
    async (staging) => {
      made.push(staging);
      await new Promise((done) => setTimeout(done, milliseconds));
      fakePulumi(join(staging, "bin"), version);
    };
  const failing: EngineMaker = async () => {
    throw new Error("the network is unreachable");
  };
  const never: Makers = [
    ["npm package", () => assert.fail("nothing had to be made")],
    ["Go module", () => assert.fail("nothing had to be made")],
  ];

  it("takes the one on PATH", async () => {
    fakePulumi(join(dir, "bin"), "3.250.1");
    const engine = await findEngine(options(), never);
    assert.equal(engine.command, join(dir, "bin", "pulumi"));
    assert.equal(engine.version, "3.250.1");
    assert.equal(engine.origin, "PATH");
  });

  it("adds launchers for dynamic providers and policy packs only where PATH lacks one", async () => {
    fakePulumi(join(dir, "bin"), "3.250.1");
    const added = async () => (await findEngine(options(), never)).pathDirs.slice(1).map((each) => readdirSync(each));
    const ours = [[PACK_LAUNCHER, LAUNCHER]];
    const put = (name: string) => writeFileSync(join(dir, "bin", name), "#!/bin/sh\n", { mode: 0o755 });
    assert.deepEqual(await added(), ours);
    put(LAUNCHER);
    assert.deepEqual(await added(), ours, "nothing runs a policy pack yet");
    put("pulumi-language-nodejs");
    assert.deepEqual(await added(), []);
    rmSync(join(dir, "bin", "pulumi-language-nodejs"));
    put(PACK_LAUNCHER);
    assert.deepEqual(await added(), []);
  });

  it("gives a cached one the launchers that it lacks, and leaves those that it has", async () => {
    const { pathDirs } = await findEngine(options(), [["Go module", making(ENGINE_VERSION)]]);
    const bin = pathDirs[0] ?? "";
    rmSync(join(bin, PACK_LAUNCHER));
    writeFileSync(join(bin, LAUNCHER), "#!/bin/sh\necho the one that was there\n");
    const engine = await findEngine(options(), never);
    assert.equal(engine.origin, "cache");
    assert.deepEqual(readdirSync(bin).sort(), ["pulumi", PACK_LAUNCHER, LAUNCHER].sort());
    accessSync(join(bin, PACK_LAUNCHER), constants.X_OK);
    assert.match(readFileSync(join(bin, LAUNCHER), "utf8"), /the one that was there/);
  });

  it("passes over one that is too old, too new, or does not answer", async () => {
    for (const [version, more] of [["3.244.9"], ["2.25.0"], ["4.0.0"], ["3.250.0", "exit 1"], ["nonsense"]] as const) {
      rmSync(join(dir, "home"), { recursive: true, force: true });
      fakePulumi(join(dir, "bin"), version, more);
      const engine = await findEngine(options(), [["npm package", making(ENGINE_VERSION)]]);
      assert.equal(engine.origin, "npm package", `${version} ${more ?? ""}`);
    }
  });

  it("knows which versions will do", () => {
    for (const good of ["v3.245.0", "3.245.0", "v3.265.1\n", "v3.246.0-alpha.1"]) assert.ok(accepted(good), good);
    for (const bad of ["v3.244.0", "v4.0.0", "v13.245.0", "", "unknown"]) assert.ok(!accepted(bad), bad);
  });

  it("uses the cached one the second time", async () => {
    const made: string[] = [];
    const first = await findEngine(options(), [["Go module", making(ENGINE_VERSION, made)]]);
    assert.equal(first.origin, "Go module");
    const second = await findEngine(options(), never);
    assert.equal(second.origin, "cache");
    assert.equal(second.command, first.command);
    assert.equal(second.command, join(dir, "home", ".cache", "gofleet", "engine", ENGINE_VERSION, "bin", "pulumi"));
    assert.equal(made.length, 1);
    assert.ok(existsSync(join(second.pathDirs[0] ?? "", LAUNCHER)));
  });

  it("honours XDG_CACHE_HOME", async () => {
    const env = { ...options().env, XDG_CACHE_HOME: join(dir, "xdg") };
    const engine = await findEngine(options({ env }), [["Go module", making(ENGINE_VERSION)]]);
    assert.ok(engine.command.startsWith(join(dir, "xdg", "gofleet")), engine.command);
  });

  it("caches in the project where the home directory cannot be written", async () => {
    writeFileSync(join(dir, "home"), "a file, so that no directory can be made below it");
    const engine = await findEngine(options(), [["Go module", making(ENGINE_VERSION)]]);
    assert.ok(engine.command.startsWith(join(dir, "project", ".gofleet", "cache")), engine.command);
  });

  it("tries the next way after one that fails, and keeps nothing of the failed one", async () => {
    const half: EngineMaker = async (staging) => {
      fakePulumi(join(staging, "bin"), ENGINE_VERSION);
      throw new Error("interrupted");
    };
    const engine = await findEngine(options(), [
      ["npm package", half],
      ["Go module", making(ENGINE_VERSION)],
    ]);
    assert.equal(engine.origin, "Go module");
    assert.deepEqual(readdirSync(join(dir, "home", ".cache", "gofleet", "engine")), [ENGINE_VERSION]);
  });

  it("refuses what was installed where it is another version than it should be", async () => {
    const error = await findEngine(options(), [["npm package", making("3.100.0")]]).catch((caught: unknown) => caught);
    assert.ok(error instanceof NoEngine);
    assert.match(error.message, /3\.100\.0/);
  });

  it("lists everything that was tried where nothing can be had", async () => {
    fakePulumi(join(dir, "bin"), "3.1.0");
    const error = await findEngine(options(), [
      ["npm package", failing],
      ["Go module", failing],
    ]).catch((caught: unknown) => caught);
    assert.ok(error instanceof NoEngine);
    assert.match(error.message, /PATH: .*\/bin\/pulumi is version 3\.1\.0, wanted >= 3\.245\.0, < 4/);
    assert.match(error.message, /npm package: the network is unreachable/);
    assert.match(error.message, /Go module: the network is unreachable/);
    assert.match(error.message, /GOPROXY/, "and says what would do");
  });

  it("says what the real ways tried on a machine without npm, Go and network", async () => {
    const env = { HOME: join(dir, "home"), PATH: join(dir, "bin"), GOPROXY: "off" };
    const error = await findEngine(options({ env })).catch((caught: unknown) => caught);
    assert.ok(error instanceof NoEngine);
    assert.match(error.message, /PATH: no pulumi on it/);
    assert.match(error.message, /npm package: npm install: spawn npm ENOENT/);
    assert.match(error.message, /Go module: /);
  });

  it("makes it once when two runs want it at the same time, and tells the one that waits", async () => {
    const made: string[] = [];
    const said: string[] = [];
    const makers: Makers = [["Go module", making(ENGINE_VERSION, made, 800)]];
    const both = await Promise.all([
      findEngine(options({ progress: (text) => said.push(text) }), makers),
      findEngine(options({ progress: (text) => said.push(text) }), makers),
    ]);
    assert.equal(made.length, 1);
    assert.deepEqual(both.map(({ origin }) => origin).sort(), ["Go module", "cache"]);
    assert.ok(said.some((text) => text.includes("another run")));
  });

  it("does not take a killed run's half-made directory for an engine", async () => {
    const left = join(dir, "home", ".cache", "gofleet", "engine", `${ENGINE_VERSION}.part-killed`, "bin");
    fakePulumi(left, ENGINE_VERSION);
    assert.equal((await findEngine(options(), [["Go module", making(ENGINE_VERSION)]])).origin, "Go module");
    assert.ok(!existsSync(left), "and clears it away");
  });

  it("stops, and does not go on to the next way, when it is told to", async () => {
    const stop = new AbortController();
    const interrupted: EngineMaker = async () => {
      stop.abort();
      throw new Error("ended by SIGINT");
    };
    const makers: Makers = [["npm package", interrupted], ...(never.slice(1) ?? [])];
    await assert.rejects(findEngine(options({ signal: stop.signal }), makers), /SIGINT/);
  });

  it("puts the engine's directories in front of PATH", async () => {
    const engine = await findEngine(options(), [["Go module", making(ENGINE_VERSION)]]);
    const found = execFileSync("sh", ["-c", "command -v pulumi"], {
      env: { PATH: enginePath(engine, "/usr/bin:/bin") },
      encoding: "utf8",
    });
    assert.equal(found.trim(), engine.command);
  });

  it("pins the CLI that is built to the version that is announced", () => {
    const goMod = readFileSync(join(__dirname, "../../src/engine/pulumi-cli/go.mod"), "utf8");
    assert.match(
      goMod,
      new RegExp(`github.com/pulumi/pulumi/pkg/v3 v${ENGINE_VERSION.replaceAll(".", "\\.")}( |$)`, "m"),
    );
  });
});
