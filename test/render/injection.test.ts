import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import fc from "fast-check";
import { checkGoEnv } from "../../src/model/go-env";
import { GO_ENV_KEYS, type GoEnvKey } from "../../src/model/go-env-keys";
import { parseComponentName, parsePath } from "../../src/model/names";
import { EMPTY_PLAN } from "../../src/plan/host-plan";
import { manifest } from "../../src/plan/manifest";
import { goEnvFile } from "../../src/render/go-env-file";
import { pathProfile } from "../../src/render/profile";
import { command, quote } from "../../src/render/shell";
import { environment, escapePath, exec, text, unitFile, type UnitText } from "../../src/render/unit-file";
import { goTree, needsGo, temporaryDirectory } from "../support/go";
import { batches, hostile } from "../support/hostile";
import { skip } from "../support/skip";
import { parsedUnit } from "../support/systemd";

/** Strings a run: how many times a batch of `size` is tried. */
const runs = (strings: number, size: number) => ({ numRuns: Math.ceil(strings / size), endOnFailure: true });

/** The values that a function lets through. */
function accepted<T>(values: readonly string[], through: (value: string) => T): { value: string; made: T }[] {
  return values.flatMap((value) => {
    try {
      return [{ value, made: through(value) }];
    } catch {
      return [];
    }
  });
}

describe("no string escapes from", () => {
  let folder: string;
  before(() => (folder = temporaryDirectory()));
  after(() => rmSync(folder, { recursive: true }));

  it("a shell word (5,000 strings, read by sh)", () => {
    fc.assert(
      fc.property(batches(100), (values) => {
        const words = accepted(values, quote);
        assert.ok(words.length > 0);
        const script = `printf '%s\\0' ${words.map(({ made }) => made).join(" ")}\n${command("echo", "end")}`;
        const printed = sh(script).split("\0");
        assert.deepEqual(printed, [...words.map(({ value }) => value), "end\n"]);
      }),
      runs(5000, 100),
    );
  });

  it("the login shells' script (2,000 directories, read by sh)", () => {
    fc.assert(
      fc.property(batches(100), (values) => {
        const paths = values.flatMap((value) => parsePath("x", `/${value}`).value ?? []);
        const script = paths.map((path) => `PATH=/bin\n${pathProfile(path)}printf '%s\\0' "$PATH"`).join("\n");
        // A colon ends an entry of PATH, whoever writes it.
        const plain = paths.map((path) => (path.includes(":") ? undefined : `${path}:/bin`));
        const printed = sh(`${script}\nexit 0`).split("\0");
        for (const [index, wanted] of plain.entries()) if (wanted) assert.equal(printed[index], wanted);
        assert.equal(printed.length, paths.length + 1);
      }),
      runs(2000, 100),
    );
  });

  it("a path of the manifest (10,000 strings)", () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const path = parsePath("x", value).value;
        if (path === undefined) return;
        assert.equal(posix.normalize(path), path);
        const plan = { ...EMPTY_PLAN, symlinks: [{ path, target: path, switched: true }] };
        const lines = manifest(plan).split("\n");
        assert.deepEqual(lines.find((line) => line.startsWith("symlink"))?.split(/\s/), ["symlink", path, path]);
        assert.equal(lines.length, 4);
      }),
      { numRuns: 10_000 },
    );
  });

  it("a component's directory (10,000 strings)", () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const name = parseComponentName("x", value).value;
        if (name === undefined) return;
        assert.equal(posix.dirname(posix.join("/etc/gofleet", name)), "/etc/gofleet");
        assert.equal(quote(name), name);
      }),
      { numRuns: 10_000 },
    );
  });

  describe("the Go settings", () => {
    /** Settings that take any text; the others are checked for their form. */
    const FREE: readonly GoEnvKey[] = GO_ENV_KEYS.filter((key) =>
      /^(AR|CC|CXX|FC|GOAUTH|GOCACHEPROG|GOFLAGS|GOPRIVATE|GONOPROXY|GOINSECURE|GOVCS|GOTMPDIR|GOBIN|CGO_.*ALLOW)$/.test(
        key,
      ),
    );

    before(function () {
      needsGo(this);
      goTree(join(folder, "go"), "");
    });

    function read(lines: string): Record<string, string> {
      writeFileSync(join(folder, "go", "go.env"), `${lines}GOPROXY=https://tree.example\nGOSUMDB=tree.example\n`);
      const env = { PATH: "/usr/bin:/bin" };
      const keys = [...FREE, "GOPROXY", "GOSUMDB", "GOPATH"];
      const options = { encoding: "utf8" as const, env, cwd: "/" };
      return JSON.parse(execFileSync(join(folder, "go", "bin", "go"), ["env", "-json", ...keys], options));
    }

    it("when they were checked (5,000 values, read by go)", () => {
      let kept = 0;
      fc.assert(
        fc.property(batches(FREE.length), (values) => {
          const given = FREE.map((key, index) => [key, shaped(key, values[index] ?? "")] as const);
          const env = Object.fromEntries(
            given.filter(([key, value]) => checkGoEnv("env", { [key]: value }).length === 0),
          );
          kept += Object.keys(env).length;
          const answer = read(goEnvFile(env));
          for (const [key, value] of Object.entries(env)) assert.equal(answer[key], value);
          assert.equal(answer.GOPROXY, "https://tree.example");
          assert.equal(answer.GOSUMDB, "tree.example");
          assert.equal(answer.GOPATH, "");
        }),
        runs(5000, FREE.length),
      );
      assert.ok(kept > 500, `only ${kept} values got past the check`);
    });

    it("when nobody checked them (2,000 values, read by go)", () => {
      fc.assert(
        fc.property(batches(FREE.length), (values) => {
          const env: Record<string, string> = {};
          for (const [index, key] of FREE.entries()) {
            const value = values[index] ?? "";
            // GOFLAGS and its like have a form that only the check knows; here it is about lines.
            if (
              /^CGO_.*ALLOW$|^AR$|^GOAUTH$/.test(key) &&
              accepted([value], (each) => goEnvFile({ [key]: each })).length
            ) {
              env[key] = value;
            }
          }
          const answer = read(goEnvFile(env));
          for (const [key, value] of Object.entries(env)) if (value !== "") assert.equal(answer[key], utf8(value));
          assert.equal(answer.GOPROXY, "https://tree.example");
        }),
        runs(2000, FREE.length),
      );
    });
  });

  describe("a unit file", () => {
    before(function () {
      if (spawnSync("systemd-analyze", ["--version"]).error) skip(this, "there is no systemd-analyze");
    });

    it("(3,000 arguments and 3,000 variables, read by systemd)", () => {
      fc.assert(
        fc.property(batches(500), (values) => {
          const argv = accepted(values, (value) => exec("/usr/bin/true", value, "after"));
          const env = accepted(values, (value) => [environment("X", value), value] as const).map(({ value }) => value);
          const unit = parsedUnit(
            folder,
            unitFile([
              "Service",
              { Type: text("oneshot"), ExecStart: argv.map(({ made }) => made), Environment: numbered(env) },
            ]),
          );
          assert.deepEqual(
            unit.commands,
            argv.map(({ value }) => ["/usr/bin/true", value, "after"]),
          );
          assert.deepEqual(unit.environment, env);
          assert.deepEqual(unit.complaints, []);
        }),
        runs(3000, 500),
      );
    });

    it("(300 descriptions, read by systemd)", () => {
      fc.assert(
        fc.property(batches(10), (values) => {
          for (const { value, made } of accepted(values, text)) {
            if (value === "") continue;
            const unit = parsedUnit(
              folder,
              unitFile(["Unit", { Description: made }], ["Service", { ExecStart: exec("/usr/bin/true") }]),
            );
            assert.equal(unit.description, value);
            assert.deepEqual(unit.commands, [["/usr/bin/true"]]);
            assert.deepEqual(unit.complaints, []);
          }
        }),
        runs(300, 10),
      );
    });

    it("by its name (2,000 paths, as systemd-escape names them)", function () {
      if (spawnSync("systemd-escape", ["--version"]).error) skip(this, "there is no systemd-escape");
      fc.assert(
        fc.property(batches(100), (values) => {
          const paths = values.flatMap((value) => parsePath("x", `/${value}`).value ?? []);
          if (paths.length === 0) return;
          const names = execFileSync("systemd-escape", ["--path", ...paths], { encoding: "utf8" })
            .trim()
            .split(" ");
          assert.deepEqual(paths.map(escapePath), names);
        }),
        runs(2000, 100),
      );
    });
  });
});

function numbered(values: readonly string[]): UnitText[] {
  return values.map((value, index) => environment(`V${index}`, value));
}

/** A value that stands a chance with a setting of a certain form. */
function shaped(key: GoEnvKey, value: string): string {
  if (key === "GOFLAGS") return `-ldflags=${value}`;
  if (key === "GOTMPDIR" || key === "GOBIN") return `/${value}`;
  return key === "GOVCS" ? `*:${value}` : value;
}

/** What a text becomes as UTF-8: go replaces what is none. */
function utf8(value: string): string {
  return Buffer.from(value).toString();
}

function sh(script: string): string {
  return execFileSync("sh", [], { input: script, encoding: "utf8", env: { PATH: "/bin", HOME: "/" }, cwd: "/" });
}
