import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "mocha";
import { GoServiceUnit, type GoServiceUnitArgs, type HostTarget, type UrlRelease } from "../../../src/index";
import { target } from "../../hosts/programs";
import { FileServer } from "../../hosts/support/file-server";
import { hosts, needsHosts } from "../../hosts/support/hosts";
import { RemoteHost } from "../../hosts/support/remote-host";
import { needsGo, temporaryDirectory } from "../../support/go";

/** The component's directory on the hosts. */
export const COMPONENT = "gofleet-test-served";
export const UNIT = `gofleet-${COMPONENT}.service`;

const SOURCE = join(__dirname, "service");
const ADDRESS = "127.0.0.1:7070";

/** The service of these tests in versions, on a server that hosts fetch it from. */
export class ServiceLab {
  private readonly releases = new Map<string, UrlRelease>();

  private constructor(
    private readonly server: FileServer,
    private readonly folder: string,
  ) {}

  /**
   * @param context of tests, which are skipped where there is no go command or not what `needs` asks for; a benchmark
   * has none
   */
  static async start(context?: Context, needs = needsHosts): Promise<ServiceLab> {
    if (context) {
      needs(context);
      needsGo(context);
    }
    return new ServiceLab(await FileServer.start(await hosts.operatorAddress()), temporaryDirectory());
  }

  /** A release of that version; built once. */
  release(version: string): UrlRelease {
    const known = this.releases.get(version);
    if (known !== undefined) return known;
    const bytes = readFileSync(this.build(`served-${version}`, ".", version));
    const path = `/served-${version}`;
    this.server.files.set(path, bytes);
    const made = { url: `${this.server.url}${path}`, sha256: createHash("sha256").update(bytes).digest("hex") };
    this.releases.set(version, made);
    return made;
  }

  /** The program that puts load on it, for this machine. */
  load(): string {
    return this.build("load", "./load");
  }

  private build(name: string, what: string, version = "none"): string {
    const file = join(this.folder, name);
    const env = { ...process.env, GOFLAGS: "", GOPROXY: "off", GOWORK: "off", GOTOOLCHAIN: "local", CGO_ENABLED: "0" };
    const flags = ["-trimpath", "-buildvcs=false", "-ldflags", `-s -w -X main.version=${version}`];
    execFileSync("go", ["build", ...flags, "-o", file, what], { cwd: SOURCE, env, stdio: "pipe" });
    return file;
  }

  /** A program with the service, version v1 and ready at once unless it is told otherwise. */
  program(where: RemoteHost | HostTarget, more: Partial<GoServiceUnitArgs> = {}) {
    return async () => {
      const served = new GoServiceUnit("served", { ...this.args(where), ...more });
      const { unit, activeRelease, exposure, hosts: facts } = served;
      return { unit, activeRelease, exposure, hosts: facts };
    };
  }

  args(where: RemoteHost | HostTarget): GoServiceUnitArgs {
    return {
      target: where instanceof RemoteHost ? target(where) : where,
      release: this.release("v1"),
      exec: ["served"],
      env: { SERVED_LISTEN: ADDRESS },
      listen: [ADDRESS],
      health: { get: `http://${ADDRESS}/readyz`, within: "10 s" },
    };
  }

  /** Ends the hosts too. */
  async stop(): Promise<void> {
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
    await hosts.stopAll();
  }
}

/** Variables that tell the service where to listen, and what to do wrong. */
export const told = (more: Readonly<Record<string, string>>) => ({ SERVED_LISTEN: ADDRESS, ...more });

/** What the service answers, from the host itself. */
export async function answer(host: RemoteHost, path = "/version"): Promise<string> {
  return (await host.exec(`curl --silent --show-error --fail --max-time 30 http://${ADDRESS}${path}`)).trim();
}

/** A property of the unit, as systemd has it. */
export async function property(host: RemoteHost, name: string, unit = UNIT): Promise<string> {
  return (await host.exec(`systemctl show --value --property=${name} ${unit}`)).trim();
}

/** Until a command succeeds on the host. */
export async function comesTrue(host: RemoteHost, condition: string): Promise<void> {
  const poll = `for i in $(seq 1000); do if ${condition}; then exit 0; fi; sleep 0.2; done >/dev/null; exit 1`;
  await host.exec(poll, { timeout: 240_000 });
}
