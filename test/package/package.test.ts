import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { skip } from "../support/skip";
import { manifest, Project, Tarball, type Ran } from "./support/project";

const { "@pulumi/pulumi": PULUMI, typescript: TYPESCRIPT, "@types/node": TYPES } = manifest.devDependencies;
/** Bytes, to notice what does not belong; code and types, the sandbox's Go sources and the agent are most of it. */
const LARGEST = 900 * 1024;

const COMPILER = {
  target: "ES2022",
  module: "Node16",
  moduleResolution: "Node16",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
  types: ["node"],
};

describe("the package as users install it", function () {
  this.timeout(600_000);
  let scratch = "";
  let tarball: Tarball;
  let plain: Project;
  const projects: Project[] = [];
  const made = (project: Project): Project => {
    projects.push(project);
    return project;
  };

  before(() => {
    scratch = mkdtempSync(join(tmpdir(), "gofleet-pack-"));
    tarball = Tarball.pack(scratch);
    const dependencies = { gofleet: `file:${tarball.path}`, "@pulumi/pulumi": PULUMI };
    const devDependencies = { typescript: TYPESCRIPT, "@types/node": TYPES };
    plain = made(new Project()).addProgram();
    plain.write({ "package.json": { name: "consumer", private: true, dependencies, devDependencies } }).install();
  });
  after(() => {
    for (const project of projects) project.remove();
    rmSync(scratch, { recursive: true, force: true });
  });

  const good = ({ code, output }: Ran): string => {
    assert.equal(code, 0, output);
    return output;
  };
  const bad = ({ code, output }: Ran): string => {
    assert.notEqual(code, 0, output);
    return output;
  };

  describe("the tarball", () => {
    const names = () => tarball.files.map(({ path }) => path);

    it("holds what runs and what a reader needs", () => {
      const wanted = [
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "package.json",
        "dist/index.js",
        "dist/index.d.ts",
        "dist/cli/main.js",
        "dist/report/report.schema.json",
        "dist/host/provider.js",
        "dist/host/agent/main.sh",
        "dist/host/agent/remove.sh",
        "dist/engine/pulumi-cli/go.mod",
        "dist/engine/pulumi-cli/go.sum",
      ];
      assert.deepEqual(
        wanted.filter((name) => !names().includes(name)),
        [],
      );
    });

    it("holds nothing else: no tests, sources, maps or lock file", () => {
      const alien = /^(?!dist\/|LICENSE$|README\.md$|CHANGELOG\.md$|package\.json$)|\.map$|\.test\.|(?<!\.d)\.ts$/;
      assert.deepEqual(
        names().filter((name) => alien.test(name)),
        [],
      );
      assert.ok(tarball.size < LARGEST, `${tarball.size} bytes`);
    });
  });

  describe("types", () => {
    const compile = (fixture: string): Ran => {
      plain.write({ "tsconfig.json": { compilerOptions: COMPILER, files: [`src/${fixture}`] } });
      plain.addFixture(fixture, `src/${fixture}`);
      return plain.run(join(plain.directory, "node_modules/.bin/tsc"), ["-p", "."]);
    };

    it("accept a program under the strictest settings, without skipLibCheck", () => void good(compile("accepted.ts")));
    it("refuse what is wrong", () => void good(compile("refused.ts")));
    it("would show here if they were wrong", () => {
      plain.write({ "src/wrong.ts": 'import { ssh } from "gofleet";\nssh({ hots: "10.0.0.1" });\n' });
      plain.write({ "tsconfig.json": { compilerOptions: COMPILER, files: ["src/wrong.ts"] } });
      assert.match(bad(plain.run(join(plain.directory, "node_modules/.bin/tsc"), ["-p", "."])), /hots/);
    });
  });

  it("gives ES modules its named exports", () => {
    plain.write({
      "esm.mjs": `import { GoToolchainHost, hostPool, local, lock, ssh } from "gofleet";
        console.log([GoToolchainHost, hostPool, local, lock, ssh].map((each) => typeof each).join());`,
    });
    assert.match(good(plain.run(process.execPath, ["esm.mjs"])), /^(function,?){5}$/m);
  });

  it("keeps its inside to itself", () => {
    plain.write({ "inside.cjs": 'require("gofleet/dist/host/release.js");' });
    assert.match(bad(plain.run(process.execPath, ["inside.cjs"])), /ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });

  it("has a command line", () => {
    const gofleet = (...args: string[]) => plain.run(join(plain.directory, "node_modules/.bin/gofleet"), args);
    assert.match(good(gofleet("--help")), /Usage: gofleet/);
    assert.equal(good(gofleet("--version")).trim(), manifest.version);
    assert.match(bad(gofleet("lokc")), /unknown command/);
  });

  it("is put on hosts, read and taken off by the real engine", async () => {
    assert.match(good(await plain.operate("up")), /goVersion: "go1\.26\.7"/);
    assert.match(good(await plain.operate("up")), /4 unchanged|3 unchanged/);
    good(await plain.operate("refresh"));
    assert.match(good(await plain.operate("destroy")), /3 deleted/);
  });

  it("is refreshed and destroyed from a machine that never ran up", async () => {
    const backend = made(new Project()).directory;
    good(await plain.operate("up", { backend }));
    const other = made(plain.copy());
    good(await other.operate("refresh", { backend }));
    assert.match(good(await other.operate("destroy", { backend })), /3 deleted/);
  });

  it("needs no home directory that can be written", async () => {
    const backend = made(new Project()).directory;
    good(await plain.operate("up", { backend, env: { HOME: "/dev/null/home", XDG_CACHE_HOME: "/dev/null/cache" } }));
  });

  it("works in an npm workspace", async () => {
    const workspace = made(new Project()).addProgram("infra");
    const dependencies = { gofleet: `file:${tarball.path}`, "@pulumi/pulumi": PULUMI };
    workspace.write({
      "package.json": { name: "corp", private: true, workspaces: ["infra"] },
      "infra/package.json": { name: "infra", private: true, dependencies },
    });
    workspace.install();
    assert.match(good(await workspace.operate("up", { folder: "infra" })), /goVersion: "go1\.26\.7"/);
  });

  it("works in pnpm's strict layout", async function () {
    const project = made(new Project()).addProgram();
    const dependencies = { gofleet: `file:${tarball.path}`, "@pulumi/pulumi": PULUMI };
    project.write({ "package.json": { name: "consumer", private: true, dependencies } });
    const pnpm = (...args: string[]) =>
      project.run("npm", ["exec", "--yes", "--prefer-offline", "--package=pnpm@9", "--", "pnpm", ...args]);
    if (pnpm("--version").code !== 0) skip(this, "pnpm cannot be had here");
    good(pnpm("install", "--ignore-scripts", "--prefer-offline", "--store-dir", join(project.directory, ".store")));
    assert.match(good(await project.operate("up")), /goVersion: "go1\.26\.7"/);
  });

  describe("below another package", () => {
    const nested = "node_modules/@corp/platform/node_modules";
    const wrapped = (): Project => {
      const project = made(plain.copy());
      project.write({
        "node_modules/@corp/platform/package.json": { name: "@corp/platform", version: "1.0.0", main: "index.js" },
        "node_modules/@corp/platform/index.js": 'module.exports = require("gofleet");\n',
      });
      return project;
    };
    const env = { GOFLEET_FROM: "@corp/platform" };

    it("works where both share one copy", async () => {
      good(await wrapped().operate("up", { env }));
    });

    it("says what to add where the project's root does not have it", async () => {
      const project = wrapped();
      good(project.run("mkdir", ["-p", nested]));
      good(project.run("mv", ["node_modules/gofleet", nested]));
      const output = bad(await project.operate("up", { env }));
      assert.doesNotMatch(output, /at requireProvider/, "the message is for the user, a stack trace is not");
      assert.match(
        output,
        /gofleet\/provider cannot be found from the project's root, .*add "gofleet" to the dependencies/,
      );
    });

    it("says what to do where the project's root has another copy", async () => {
      const project = wrapped();
      good(project.run("mkdir", ["-p", nested]));
      good(project.run("cp", ["-al", "node_modules/gofleet", nested]));
      assert.match(bad(await project.operate("up", { env })), /finds another copy of gofleet .*npm dedupe/s);
    });
  });
});
