import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { GoEnv } from "../../src/model/go-env-keys";
import { resolveToolchain } from "../../src/model/toolchain";
import { toolchainPlan } from "../../src/plan/toolchain";
import type { ToolchainFacts } from "../../src/plan/toolchain-probe";
import { goEnvFile } from "../../src/render/go-env-file";
import { goTree, needsGo, temporaryDirectory } from "../support/go";
import { release } from "../support/releases";
import { toolchainTexts } from "../support/toolchain-texts";
import { skip } from "../support/skip";

/** The release's own settings, which follow ours. */
const OWN = "GOPROXY=https://tree.example,direct\nGOSUMDB=tree.example\nGOTOOLCHAIN=auto\n";

const ENV: GoEnv = {
  GOFLAGS: "-mod=readonly '-ldflags=-s -w'",
  GOCACHE: "/var/cache/go-build",
  CGO_CFLAGS: "'-DX=\"a b\"' -O2",
  GOPRIVATE: "git.corp.example/*",
};

describe("toolchain probe", function () {
  let root: string;
  let version: string;
  let tree: string;

  before(function () {
    version = needsGo(this).version;
  });

  // A root with a space and a quote, holding what an agent would have put there.
  beforeEach(() => {
    root = join(temporaryDirectory(), 'a "root"');
    tree = join(root, `usr/local/lib/gofleet/go/go${version}`);
    goTree(tree, goEnvFile(resolveToolchain({ go: release("1.26.8"), env: ENV }).env as GoEnv) + OWN);
    put("/etc/gofleet/go/go.env", goEnvFile({ GOTOOLCHAIN: "local", ...ENV }));
    link("/etc/gofleet/go/goroot", tree);
    link("/usr/local/bin/go", join(tree, "bin/go"));
  });
  afterEach(() => root && rmSync(dirname(root), { recursive: true }));

  function put(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }

  function link(path: string, target: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    rmSync(join(root, path), { force: true });
    symlinkSync(target, join(root, path));
  }

  function probe({ wanted = version, also = [] as string[], links = true, shell = ["sh"], env: more = {} } = {}) {
    const releases = also.map((each) => release(each as "1.25.10"));
    const toolchain = { go: release(wanted as "1.26.8"), also: releases, env: ENV, links };
    const [{ script = "" } = {}] = toolchainPlan(toolchain, "go", toolchainTexts(toolchain, "go")).probes;
    // A hostile caller: settings of its own, and no HOME.
    const hostile = { GOFLAGS: "-x", GOROOT: "/nowhere", GOPROXY: "off" };
    const env = { PATH: "/usr/bin:/bin", GOFLEET_ROOT: root, ...hostile, ...more };
    const [program = "sh", ...args] = shell;
    return spawnSync(program, [...args, "-s"], { input: script, encoding: "utf8", env, cwd: "/" });
  }

  for (const shell of [["sh"], ["busybox", "sh"]]) {
    it(`reads the host back as JSON, under ${shell.join(" ")}`, function () {
      if (spawnSync(shell[0] ?? "", ["--help"]).error) skip(this, `there is no ${shell[0]}`);
      const { status, stdout, stderr } = probe({ shell });
      assert.equal(status, 0, stderr);
      assert.equal(stdout.split("\n").length, 2, "one line");
      const { goEnv, ...facts } = JSON.parse(stdout) as ToolchainFacts;
      assert.deepEqual(facts, { goRoot: tree, goVersion: `go${version}`, goBinary: join(root, "usr/local/bin/go") });
      const { GOARCH, ...settings } = goEnv;
      assert.match(GOARCH ?? "", /^(amd64|arm64)$/);
      assert.deepEqual(settings, {
        ...ENV,
        GOOS: "linux",
        GOPROXY: "https://tree.example,direct",
        GOROOT: tree,
        GOSUMDB: "tree.example",
        GOTOOLCHAIN: "local",
        GOVERSION: `go${version}`,
      });
    });
  }

  it("finds go without links", () => {
    rmSync(join(root, "usr/local/bin/go"));
    const { status, stdout, stderr } = probe({ links: false });
    assert.equal(status, 0, stderr);
    assert.equal((JSON.parse(stdout) as ToolchainFacts).goBinary, join(root, "etc/gofleet/go/goroot/bin/go"));
  });

  it("leaves nothing behind", () => {
    const scratch = join(dirname(root), "scratch");
    mkdirSync(scratch);
    assert.equal(probe({ env: { TMPDIR: scratch } }).status, 0);
    assert.deepEqual(readdirSync(scratch), []);
  });

  const faults: Record<string, [fault: () => object | void, says: RegExp]> = {
    "another version": [() => ({ wanted: "1.21.0" }), /bin\/go is go1\.\S+, wanted go1\.21\.0/],
    "a version that begins the same": [() => ({ wanted: `${version}0` }), /wanted go1\./],
    "no go": [() => rmSync(join(root, "usr/local/bin/go")), /usr\/local\/bin\/go is missing/],
    "a go that cannot be executed": [() => chmodSync(join(tree, "bin/go"), 0o644), /cannot be executed|does not run/],
    "a go that is another program": [() => link("/usr/local/bin/go", "/bin/false"), /does not run/],
    "no compiler": [() => rmSync(join(tree, "pkg")), /the compiler of .* does not run|does not run/],
    "no settings": [() => rmSync(join(root, "etc/gofleet/go/go.env")), /go\.env is missing/],
    "settings that go does not read": [
      () => put("/etc/gofleet/go/go.env", goEnvFile({ GOFLAGS: "-mod=vendor" })),
      /GOFLAGS is -mod=readonly '-ldflags=-s -w', wanted -mod=vendor/,
    ],
    "a release beside it that is missing": [() => ({ also: ["1.25.10"] }), /go1\.25\.10\/bin\/go is missing/],
  };
  for (const [name, [fault, says]] of Object.entries(faults)) {
    it(`fails on ${name}`, () => {
      const { status, stdout, stderr } = probe(fault() ?? {});
      assert.notEqual(status, 0, stdout);
      assert.match(stderr, says);
      assert.equal(stdout, "");
    });
  }

  it("is clean sh", function () {
    if (spawnSync("shellcheck", ["--version"]).error) skip(this, "there is no shellcheck");
    const toolchain = { go: release("1.26.8"), also: [release("1.25.10")], env: ENV };
    const [{ script = "" } = {}] = toolchainPlan(toolchain, "go", toolchainTexts(toolchain, "go")).probes;
    const { status, stdout } = spawnSync("shellcheck", ["-s", "sh", "-"], { input: script, encoding: "utf8" });
    assert.equal(status, 0, stdout);
  });
});
