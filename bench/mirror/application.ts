import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { must, run } from "../../test/hosts/support/commands";
import { temporaryDirectory } from "../../test/support/go";

const ROOT = join(__dirname, "..", "..");
const APP = join(ROOT, "test", "mirror", "app");
const ZIP_LIMIT = 200_000;
const TIMEOUT = 15 * 60_000;

/** Paths of a mirror by what they cost. */
export interface Paths {
  /** `.info` and `.mod`. */
  readonly small: readonly string[];
  /** Zips below 200 KB. */
  readonly zip: readonly string[];
  readonly list: readonly string[];
  /** All of the application, upper case (`!`) included; the classes above leave it out. */
  readonly all: readonly string[];
}

/** What the machine's go command is set to. */
export function goProxy(): string {
  return execFileSync("go", ["env", "GOPROXY"], { encoding: "utf8", cwd: "/" }).trim();
}

/** The application of the mirror's tests, with a module cache of its own. */
export class Application {
  private readonly folder = temporaryDirectory();
  private readonly source = join(this.folder, "app");
  readonly cache = join(this.folder, "cache");

  constructor() {
    cpSync(APP, this.source, { recursive: true });
  }

  /** The module cache in the layout of the module proxy protocol. */
  get served(): string {
    return join(this.cache, "cache", "download");
  }

  /** The whole `go mod download`, from nothing. @param ca a file with the certificates that are trusted */
  async download(proxy: string, ca?: string): Promise<void> {
    await this.clean();
    await must("env", [...this.environment(proxy, ca), "go", "-C", this.source, "mod", "download"], {
      timeout: TIMEOUT,
    });
  }

  /** `gofleet mirror bundle` of its go.sum, from nothing. */
  async bundle(proxy: string): Promise<string> {
    await this.clean();
    const out = join(this.folder, "bundle.tar");
    const gofleet = [process.execPath, "--import", "tsx", join(ROOT, "src", "cli", "main.ts")];
    const args = ["mirror", "bundle", "--out", out, join(this.source, "go.sum")];
    await must("env", [...this.environment(proxy), ...gofleet, ...args], { timeout: TIMEOUT });
    return out;
  }

  /** After {@link download}. */
  async paths(): Promise<Paths> {
    const said = await must("env", [...this.environment("off"), "go", "-C", this.source, "mod", "download", "-json"]);
    const modules = said
      .trim()
      .split(/\n(?=\{)/)
      .map((text) => JSON.parse(text) as { Info: string; GoMod: string; Zip: string });
    const path = (file: string) => `/${relative(this.served, file)}`;
    const plain = (paths: readonly string[]) => paths.filter((each) => !each.includes("!"));
    const lists = modules.map(({ Zip }) => path(join(Zip, "..", "list")));
    const small = modules.flatMap(({ Info, GoMod }) => [Info, GoMod]).map(path);
    const zips = modules.map(({ Zip }) => Zip);
    return {
      small: plain(small),
      zip: plain(zips.filter((file) => statSync(file).size < ZIP_LIMIT).map(path)),
      list: plain(lists),
      all: [...small, ...zips.map(path), ...lists],
    };
  }

  get modules(): number {
    const lines = readFileSync(join(this.source, "go.sum"), "utf8").trim().split("\n");
    return lines.filter((line) => !line.includes("/go.mod ")).length;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async clean(): Promise<void> {
    await run("rm", ["-rf", this.cache]);
  }

  private environment(proxy: string, ca?: string): string[] {
    const settings = { GOMODCACHE: this.cache, GOPROXY: proxy, GOSUMDB: "off", GOTOOLCHAIN: "local" };
    const all = { ...settings, GOFLAGS: "-modcacherw", GOENV: "off", ...(ca && { SSL_CERT_FILE: ca }) };
    return Object.entries(all).map(([name, value]) => `${name}=${value}`);
  }
}
