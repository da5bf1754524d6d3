import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { serviceRelease } from "../../../src/components/service-release";
import { describe as described } from "../../../src/model/issues";
import type { ServiceRelease } from "../../../src/model/service/release";
import { NoProgram, readProgram } from "../../../src/model/service/release-program";
import { needsGo, temporaryDirectory } from "../../support/go";
import { buildProgram, goModule, goVersion, MODULE, PACKAGE } from "../../support/go-programs";

const digest = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

describe("service release", function () {
  let project: string;
  let revision: string;
  let go: string;
  const { XDG_CACHE_HOME, GOCACHE } = process.env;

  before(function () {
    go = needsGo(this).version;
    project = join(temporaryDirectory(), "a project");
    mkdirSync(join(project, "dist"), { recursive: true });
    revision = goModule(join(project, "source"));
    for (const arch of ["amd64", "arm64"] as const)
      buildProgram(join(project, "source"), join(project, "dist", arch), { arch });
    // Go keeps its own cache: the standard library is not compiled anew for these tests.
    process.env["GOCACHE"] = execFileSync("go", ["env", "GOCACHE"], { encoding: "utf8" }).trim();
    process.env["XDG_CACHE_HOME"] = join(project, "cache");
  });
  after(() => {
    restore({ XDG_CACHE_HOME, GOCACHE });
    if (project !== undefined) rmSync(join(project, ".."), { recursive: true });
  });

  const resolve = (release: ServiceRelease) => serviceRelease("release", release, "buildcached", project);
  const refusal = (release: ServiceRelease): string => {
    const { release: none, issues } = resolve(release);
    assert.equal(none, undefined);
    return described(issues);
  };
  const dist = (arch: string): string => join(project, "dist", arch);

  describe("by file", () => {
    it("is of the architecture that its program is for", () => {
      const { release, issues } = resolve({ file: "dist/arm64", identity: { module: MODULE, revision } });
      assert.deepEqual(issues, []);
      assert.deepEqual(release, {
        format: "file",
        program: "buildcached",
        variants: [{ arch: "arm64", sha256: digest(dist("arm64")), file: "dist/arm64" }],
        identity: { module: MODULE, revision },
      });
      const both = resolve({ file: { "linux-arm64": dist("arm64"), "linux-amd64": "dist/amd64" } });
      assert.deepEqual(
        both.release?.variants.map(({ arch, file }) => [arch, file]),
        [
          ["amd64", "dist/amd64"],
          ["arm64", dist("arm64")],
        ],
      );
    });

    it("is refused where it is not what was declared, with everything that is wrong", () => {
      const swapped = { "linux-amd64": "dist/arm64", "linux-arm64": "dist/amd64" };
      assert.equal(
        refusal({ file: swapped }),
        'release.file.linux-amd64: given "dist/arm64", wanted a program for linux-amd64: this is for linux-arm64\n' +
          'release.file.linux-arm64: given "dist/amd64", wanted a program for linux-arm64: this is for linux-amd64',
      );
      assert.equal(
        refusal({ file: "dist/amd64", identity: { version: "v1.9.0", package: PACKAGE, go: "1.2" } }),
        'release.file: given "dist/amd64", wanted a program that is what was declared: ' +
          `version is v1.8.2, wanted v1.9.0; go is ${go}, wanted 1.2`,
      );
    });

    it("is refused where it is no program, is cut off, or is not there", () => {
      const odd = (name: string, content: string): ServiceRelease => {
        writeFileSync(join(project, "dist", name), content);
        return { file: `dist/${name}` };
      };
      assert.match(refusal(odd("page", "<html>")), /wanted a program for a host: this is no program for Linux \(ELF\)/);
      assert.match(refusal(odd("empty", "")), /this is empty$/);
      cpSync(dist("amd64"), join(project, "dist/half"));
      truncateSync(join(project, "dist/half"), 100_000);
      assert.match(refusal({ file: "dist/half" }), /this is cut off: it has 100000 bytes and needs \d+$/);
      assert.equal(
        refusal({ file: "dist/none" }),
        `release.file: given "dist/none", wanted a file; there is no ${join(project, "dist/none")}`,
      );
      assert.match(refusal({ file: "dist" }), /wanted a file, not a directory/);
    });

    it("is read without an error of its own, whatever is in it", () => {
      const program = readFileSync(dist("amd64"));
      const change = fc.tuple(fc.nat(4096), fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.boolean());
      const property = fc.property(change, ([from, bytes, cut]) => {
        const changed = Buffer.from(cut ? program.subarray(0, from + 64) : program);
        changed.set(bytes.subarray(0, changed.length - from), from);
        try {
          readProgram({ size: changed.length, read: (at, count) => changed.subarray(at, at + count) });
        } catch (error) {
          assert.ok(error instanceof NoProgram, String(error));
        }
      });
      fc.assert(property, { numRuns: 300, seed: 7 });
    });
  });

  describe("by build", () => {
    it("is built for each platform, below the cache directory, and nothing else is written", () => {
      const listing = (): string[] => readdirSync(join(project, "source"), { recursive: true }).map(String).sort();
      const before = listing();
      const { release, issues } = resolve({
        build: {
          package: "./cmd/buildcached",
          directory: "source",
          platforms: ["linux-arm64", "linux-amd64"],
          ldflags: ["-s", "-w", "-X", `main.version=it's 1.8.2`],
          tags: ["a", "b"],
          go: go as "1.26.8",
        },
        identity: {
          module: MODULE,
          package: PACKAGE,
          version: "v1.8.2",
          revision,
          go: go as "1.26.8",
          modified: false,
        },
      });
      assert.equal(described(issues), "");
      assert.deepEqual(
        release?.variants.map(({ arch }) => arch),
        ["arm64", "amd64"],
      );
      for (const { sha256, file = "" } of release?.variants ?? []) {
        assert.equal(file, join(project, "cache/gofleet/programs", sha256, "buildcached"));
        assert.equal(digest(file), sha256);
        assert.ok(readFileSync(file).includes("it's 1.8.2"));
        assert.equal(goVersion(file).revision, revision);
        assert.ok(!readFileSync(file).includes(project), "a path of this machine is in it");
      }
      assert.deepEqual(listing(), before);
      assert.ok(!readdirSync(join(project, "cache/gofleet/programs")).some((name) => name.startsWith("part-")));
    });

    it("gives the same program in another directory, with other settings of the caller", () => {
      const elsewhere = join(project, "elsewhere");
      cpSync(join(project, "source"), elsewhere, { recursive: true });
      const build = (directory: string): string | undefined =>
        resolve({ build: { package: "./cmd/buildcached", directory, vcs: false } }).release?.variants[0]?.sha256;
      const one = build("source");
      const settings = {
        GOFLAGS: "-ldflags=-s",
        GOAMD64: "v3",
        CGO_ENABLED: "1",
        GOOS: "plan9",
        GOEXPERIMENT: "arenas",
      };
      const own = Object.fromEntries(Object.keys(settings).map((key) => [key, process.env[key]]));
      Object.assign(process.env, settings);
      try {
        assert.equal(build("elsewhere"), one);
      } finally {
        restore(own);
      }
      assert.match(one ?? "", /^[0-9a-f]{64}$/);
    });

    it("is refused with what go said", () => {
      const broken = join(project, "broken");
      mkdirSync(join(broken, "cmd"), { recursive: true });
      writeFileSync(join(broken, "go.mod"), "module a.example/b\n\ngo 1.24\n");
      writeFileSync(join(broken, "cmd/main.go"), "package main\n\nfunc main() { undefined() }\n");
      const text = refusal({ build: { package: "./cmd", directory: "broken" } });
      assert.match(
        text,
        /^release\.build: given "\.\/cmd", wanted a package that can be built here: go build: exit code 1/,
      );
      assert.match(text, /cmd\/main\.go:3:15: undefined: undefined/);
      assert.match(refusal({ build: { package: ".", directory: "none" } }), /there is no directory .*none$/);
      assert.match(refusal({ build: { package: ".", directory: "dist" } }), /there is no go\.mod in .*dist or above$/);
      assert.match(
        refusal({ build: { package: "./cmd", directory: "broken", go: "1.21.1" } }),
        /Go 1\.21\.1 exactly is needed to build it \(.*\), and none could be fetched: the lock file has no such Go/,
      );
      writeFileSync(join(broken, "cmd/main.go"), "package b\n");
      assert.match(
        refusal({ build: { package: "./cmd", directory: "broken" } }),
        /this is no program for Linux \(ELF\)/,
      );
    });
  });
});

function restore(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [key, value] of Object.entries(variables)) {
    if (value === undefined) Reflect.deleteProperty(process.env, key);
    else process.env[key] = value;
  }
}
