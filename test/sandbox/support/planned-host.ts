import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { resolveNetwork } from "../../../src/model/sandbox/network";
import type { SandboxArgs } from "../../../src/model/sandbox/sandbox";
import { knownTexts, sandboxPlan } from "../../../src/plan/sandbox/sandbox";
import { hosts, type Host } from "../../hosts/support/hosts";
import { pause } from "../../hosts/support/machine";
import { parts } from "../../plan/sandbox/parts";
import { temporaryDirectory } from "../../support/go";

const SOURCE = join(__dirname, "..", "..", "..", "hosttools", "sandbox");
const RUNNER = "/usr/local/bin/runner";
const CONFIG = "/etc/gofleet/ci/sandbox.json";

let built: string | undefined;

/** The real `gofleet-sandbox`, built from this checkout. */
function sandboxBinary(): string {
  built ??= (() => {
    const binary = join(temporaryDirectory(), "gofleet-sandbox");
    const env = { ...process.env, GOFLAGS: "", GOPROXY: "off", GOWORK: "off", GOTOOLCHAIN: "local", CGO_ENABLED: "0" };
    execFileSync("go", ["build", "-mod=readonly", "-o", binary, "."], { cwd: SOURCE, env, stdio: "pipe" });
    return binary;
  })();
  return built;
}

/** How a job ended and what it said. */
export interface Ended {
  readonly code: number;
  readonly output: string;
}

/** What differs from the settings that the plan has. */
export type ConfigChange = (config: SandboxConfig) => void;

/** The settings of `gofleet-sandbox` as far as tests change them. */
interface SandboxConfig {
  readonly watch: { waitSeconds?: number };
  readonly job: { pauseWaitSeconds?: number };
}

/** What a host has room for. */
export interface PlannedRoom {
  /** Size of the host's disk as truncate(1) takes it; undefined: as much as this machine has. */
  readonly disk?: string;
  /** Size of the file system of all caches, as tmpfs(5) takes it. */
  readonly caches: string;
}

const SMALL: PlannedRoom = { disk: "700M", caches: "64m" };
/** Seconds in which a job of a test must have ended. */
const ENDS_WITHIN = 240;

/**
 * A booted host with the files of a sandbox's plan, put there by hand, and an agent that takes jobs from files. Its caches
 * are on a tmpfs: the host's own root is an overlay already, over which no other can be mounted.
 */
export class PlannedHost {
  private jobs = 0;

  private constructor(readonly host: Host) {}

  /** @param before what a host must have besides, before its slots start */
  static async boot(
    name: string,
    args: Partial<SandboxArgs>,
    change: ConfigChange = () => undefined,
    before: (host: PlannedHost) => void = () => undefined,
    { disk, caches }: PlannedRoom = SMALL,
  ) {
    const host = await hosts.boot(name, { ...(disk === undefined ? {} : { disk }), keyrings: true });
    const sandbox = new PlannedHost(host);
    before(sandbox);
    await sandbox.install(args, change, caches);
    return sandbox;
  }

  /** Runs a script as a slot's job and waits for its end, which must come in as many seconds. */
  async job(slot: number, script: string, within = ENDS_WITHIN): Promise<Ended> {
    return this.ended(this.start(slot, script), within);
  }

  /** Gives a slot a job; its agent takes it as soon as it is there. */
  start(slot: number, script: string): string {
    this.jobs += 1;
    const name = `${slot}.${String(this.jobs).padStart(3, "0")}`;
    this.write(`/srv/jobs/${name}`, `${script}\n`);
    return name;
  }

  async ended(job: string, within = ENDS_WITHIN): Promise<Ended> {
    return { code: Number(await this.said(`${job}.code`, true, within)), output: await this.said(`${job}.out`, false) };
  }

  /** What is in a file of /srv/results, as soon as it is there, with a whole line unless it may be empty. */
  said(name: string, line = true, within = ENDS_WITHIN): Promise<string> {
    const file = join(this.host.rootDir, "srv/results", name);
    const look = () => {
      if (!existsSync(file)) return undefined;
      const text = readFileSync(file, "utf8");
      return line && !text.endsWith("\n") ? undefined : text;
    };
    return this.until(`/srv/results/${name}`, look, within);
  }

  /** Waits until something can be had of the host. */
  async until<T>(what: string, get: () => T | undefined | Promise<T | undefined>, seconds = ENDS_WITHIN): Promise<T> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const found = await get();
      if (found !== undefined) return found;
      if (Date.now() > deadline) {
        const { stdout } = await this.host.run("journalctl -n 40 --no-pager -t systemd -t gofleet-sandbox");
        throw new Error(`no ${what} after ${seconds} s:\n${stdout}`);
      }
      await pause(200);
    }
  }

  /** Waits until a command says something and ends well. */
  untilCommand(what: string, command: string): Promise<string> {
    return this.until(what, async () => {
      const { code, stdout } = await this.host.run(command);
      return code === 0 && stdout.trim() !== "" ? stdout.trim() : undefined;
    });
  }

  /** Runs `gofleet-sandbox` as root. */
  program(verb: string, ...args: readonly string[]) {
    return this.host.run(`gofleet-sandbox ${verb} -config ${CONFIG} ${args.join(" ")}`);
  }

  /** Starts a unit that runs once: how that ended, and what it said. */
  async unit(name: string): Promise<{ readonly code: number; readonly said: string }> {
    const journal = `journalctl -q -u ${name} -o cat`;
    const { stdout } = await this.host.run(
      `before=$(${journal} | wc -l); systemctl start ${name}; echo $?; journalctl --sync; ${journal} | tail -n +$((before + 1))`,
    );
    const [code, ...said] = stdout.split("\n");
    return { code: Number(code), said: said.join("\n") };
  }

  /** Writes a file of the host from outside. */
  write(path: string, content: string, mode = 0o644): void {
    const file = join(this.host.rootDir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, mode);
  }

  private async install(args: Partial<SandboxArgs>, change: ConfigChange, caches: string): Promise<void> {
    const made = parts({ agent: { kind: "exec", command: [RUNNER] }, confinement: "off", ...args });
    const plan = sandboxPlan(
      made,
      knownTexts(made, { network: resolveNetwork({}), moduleEnv: args.modules?.env ?? {} }),
    );
    for (const { path, text, mode } of plan.files) this.write(path, text, Number.parseInt(mode ?? "0644", 8));
    const config = JSON.parse(readFileSync(join(this.host.rootDir, CONFIG), "utf8")) as SandboxConfig;
    change(config);
    this.write(CONFIG, JSON.stringify(config));
    this.write(RUNNER, readFileSync(join(__dirname, "runner.sh"), "utf8"), 0o755);
    this.place(sandboxBinary(), made.program);
    this.write("/etc/systemd/system/gofleet-ci@.service.d/results.conf", "[Service]\nReadWritePaths=/srv/results\n");
    await this.host.exec(
      `echo 'tmpfs /var/cache/gofleet-ci tmpfs size=${caches},mode=755 0 0' >>/etc/fstab
       mkdir -p /usr/local/lib/gofleet/go /srv/data /srv/jobs /srv/results /var/cache/gofleet-ci && chmod 1777 /srv/results
       ln -s ${made.program} /usr/local/bin/gofleet-sandbox
       systemctl daemon-reload && systemctl start var-cache-gofleet\\\\x2dci.mount
       systemd-sysusers /etc/sysusers.d/gofleet-ci.conf && systemd-tmpfiles --create /etc/tmpfiles.d/gofleet-ci.conf
       systemctl enable --quiet --now gofleet-ci@1 gofleet-ci@2 || { journalctl --no-pager -n 40 >&2; exit 1; }`,
    );
  }

  /** Puts a program of this machine onto the host. */
  place(from: string, to: string): void {
    const file = join(this.host.rootDir, to);
    mkdirSync(dirname(file), { recursive: true });
    copyFileSync(from, file);
    chmodSync(file, 0o755);
  }
}
