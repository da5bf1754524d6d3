import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { enginePath } from "../../../src/engine/find";
import { testEngine } from "../../support/engine";
import { REPOSITORY } from "../../support/engine/project";

const FIXTURES = join(__dirname, "..", "fixtures");

interface Manifest {
  readonly version: string;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** This package's manifest; scratch projects get the very versions it is developed with. */
export const manifest = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8")) as Manifest;

/** A file of the package as `npm pack` reports it. */
export interface PackedFile {
  readonly path: string;
  readonly size: number;
}

/** The package as it would be published, from the build that is there. */
export class Tarball {
  private constructor(
    readonly path: string,
    readonly size: number,
    readonly files: readonly PackedFile[],
  ) {}

  static pack(into: string): Tarball {
    const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", into];
    const [packed] = JSON.parse(execFileSync("npm", args, { cwd: REPOSITORY, encoding: "utf8" })) as [
      { filename: string; size: number; files: PackedFile[] },
    ];
    return new Tarball(join(into, packed.filename), packed.size, packed.files);
  }
}

/** What a command printed and how it ended. */
export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** A user's project in a directory of its own. */
export class Project {
  readonly directory = mkdtempSync(join(tmpdir(), "gofleet-package-"));

  /** Writes files, making the folders on the way. */
  write(files: Readonly<Record<string, string | object>>): this {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.directory, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content, undefined, 2));
    }
    return this;
  }

  /** Copies fixtures to `into`: the program, the script that runs it, and the lock file. */
  addProgram(into = "."): this {
    for (const name of ["program.cjs", "operate.cjs"]) cpSync(join(FIXTURES, name), join(this.directory, into, name));
    cpSync(join(REPOSITORY, "gofleet.lock.json"), join(this.directory, into, "gofleet.lock.json"));
    return this;
  }

  addFixture(name: string, as: string): this {
    return this.write({ [as]: readFileSync(join(FIXTURES, name), "utf8") });
  }

  install(...args: readonly string[]): this {
    const command = ["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", ...args];
    const { code, output } = this.run("npm", command);
    if (code !== 0) throw new Error(`npm ${command.join(" ")}:\n${output}`);
    return this;
  }

  /** The same files in another directory, as hard links. */
  copy(): Project {
    const other = new Project();
    execFileSync("cp", ["-al", `${this.directory}/.`, other.directory]);
    return other;
  }

  run(command: string, args: readonly string[], { folder = ".", env = {} as Record<string, string> } = {}): Ran {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      cwd: join(this.directory, folder),
      env: { ...process.env, ...env },
      encoding: "utf8",
      timeout: 540_000,
    });
    return { code: status, output: `${stdout}${stderr}${error?.message ?? ""}` };
  }

  /** Runs an operation of the engine on the project's program, with simulated hosts and the backend in `backend`. */
  async operate(
    operation: "up" | "refresh" | "destroy",
    { folder = ".", backend = this.directory, env = {} as Record<string, string> } = {},
  ): Promise<Ran> {
    const engine = await testEngine();
    for (const name of ["state", "pulumi-home"]) mkdirSync(join(backend, name), { recursive: true });
    return this.run(process.execPath, ["operate.cjs", operation], {
      folder,
      env: {
        PATH: enginePath(engine, process.env["PATH"]),
        PULUMI_ROOT: engine.root ?? "",
        PULUMI_HOME: join(backend, "pulumi-home"),
        PULUMI_BACKEND_URL: `file://${join(backend, "state")}`,
        PULUMI_CONFIG_PASSPHRASE: "correct horse battery staple",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        GOFLEET_TRANSPORT: join(REPOSITORY, "test/support/fake-hosts.cjs"),
        GOFLEET_FAKE_STATE: join(backend, "hosts"),
        ...env,
      },
    });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
