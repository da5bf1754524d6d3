import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { resolveNetwork, type AllowedHost } from "../../../src/model/sandbox/network";
import type { HostPlan } from "../../../src/plan/host-plan";
import { knownTexts, sandboxPlan } from "../../../src/plan/sandbox/sandbox";
import { must } from "../../hosts/support/commands";
import { hosts, noVirtualHosts, type VirtualHost } from "../../hosts/support/hosts";
import { hasCommand } from "../../hosts/support/commands";
import { pause } from "../../hosts/support/machine";
import { machineGo, temporaryDirectory } from "../../support/go";
import { parts } from "../../plan/sandbox/parts";
import { copyPackages, notInstalled } from "./installed";

const PACKAGES = ["apparmor"];
const GOROOT = "/usr/local/lib/gofleet/go/tree";
const AGENT = "/usr/local/bin/test-agent";
const QUEUE = "/srv/queue";
const STAGED = "/etc/gofleet/ci/releases/0123456789abcdef";
const COPY = "var/lib/gofleet-ci/caches/1";
const CANARY_CACHE = "/srv/canary";
const HERE = join(__dirname, "enforcing");
const ATTEMPTS = join(__dirname, "guest", "attempts");
const SANDBOX = join(__dirname, "..", "..", "..", "hosttools", "sandbox");
/** Seconds; every instruction is emulated. */
const PATIENCE = 300;

/**
 * Takes one job, a script, runs it in the job's checkout, says in the journal how it ended, and ends. The job is gone
 * before it runs: it may take the agent down, and the next agent must not run it again.
 */
const AGENT_SCRIPT = `#!/bin/sh
job=$HOME/../inputs/queue/\${USER##*-}
until [ -s "$job" ]; do sleep 0.5; done
script=$(cat "$job")
echo "job taken"
while [ -e "$job" ]; do sleep 0.2; done
sh -euc "$script" 2>&1
echo "job ended: $?"
`;

/** Why such a host, with these packages of this machine, cannot run here, or undefined if it can. */
export function noEnforcingHost(packages: readonly string[] = []): string | undefined {
  const reason = noVirtualHosts() ?? notInstalled([...PACKAGES, ...packages]);
  if (reason !== undefined) return reason;
  if (machineGo() === undefined) return "there is no go command";
  return hasCommand("apparmor_parser") ? undefined : "there is no apparmor_parser: run .ci/prepare";
}

/** What such a host has besides. */
export interface EnforcingOptions {
  /** A server that jobs may reach. Default: none. */
  readonly allowed?: AllowedHost;
  /** A script whose builds slot 1 finds in its cache, as after a reboot. Default: its cache is empty. */
  readonly warm?: string;
  /** A script whose builds the canary finds in its own cache. Default: that is empty, as it is on any host. */
  readonly warmCanary?: string;
  /** Packages of this machine that it has, with all they need. Default: none but AppArmor's own. */
  readonly packages?: readonly string[];
}

/** How a job ended and what it said. */
export interface Ended {
  readonly code: number;
  readonly output: string;
}

/**
 * A virtual machine with a whole build sandbox of two slots: a kernel that enforces AppArmor profiles, control groups of
 * its own, the firewall, and a clock. Everything that the plan places is on its disk before it starts.
 */
export class EnforcingHost {
  private constructor(
    readonly host: VirtualHost,
    readonly plan: HostPlan,
  ) {}

  static async boot({ allowed, warm, warmCanary, packages = [] }: EnforcingOptions): Promise<EnforcingHost> {
    const made = parts({
      agent: { kind: "exec", command: [AGENT], stop: { within: "10 s" } },
      slots: 2,
      cache: { kind: "tmpfs", size: "192 MiB", persist: "1 d" },
      limits: { memory: "2560 MiB", tasks: 512, openFiles: 4096, cpus: 4, workspace: "64 MiB" },
      inputs: { queue: QUEUE },
      confinement: "enforce",
    });
    const network = resolveNetwork({ allow: allowed === undefined ? [] : [allowed] });
    const plan = sandboxPlan(made, knownTexts(made, { network, moduleEnv: {} }));
    const prepare = (root: string) => install(root, { plan, program: made.program, warm, warmCanary, packages });
    const host = await hosts.bootVirtual("enforcing", {
      clock: new Date(),
      memoryMiB: 3584,
      bootsWithin: 900_000,
      prepare,
    });
    // Every denial is wanted, not ten in five seconds; and what is sent out has somewhere to go.
    await host.exec("echo 0 >/proc/sys/kernel/printk_ratelimit; ip route add default dev eth0");
    return new EnforcingHost(host, plan);
  }

  /** Runs one of the plan's probes. */
  probe(script: string) {
    return this.host.run("sh", { input: script, timeout: PATIENCE * 1000 });
  }

  /**
   * Runs one of the plan's checks, of what is on the host as of a staged release.
   *
   * @param seconds it may take, in place of its own limit, which is for machines
   */
  check(name: string, seconds: number) {
    const check = this.plan.checks.find((each) => each.name === name);
    if (check === undefined) throw new Error(`the plan has no check ${name}`);
    const patient = check.script.replace(/ -limit \d+s /, ` -limit ${seconds}s `);
    return this.host.run(`GOFLEET_STAGED=${STAGED} sh`, { input: patient, timeout: (seconds + 60) * 1000 });
  }

  /** Runs `gofleet-sandbox` or `gofleet-cache` as root. */
  program(name: string, verb: string, ...args: readonly string[]) {
    const config = "-config /etc/gofleet/ci/sandbox.json";
    return this.host.run(`/etc/gofleet/ci/bin/${name} ${verb} ${config} ${args.join(" ")}`, { timeout: 300_000 });
  }

  /** One job of a slot. */
  async job(slot: number, script: string): Promise<Ended> {
    return this.ended(await this.start(slot, script));
  }

  /** Gives a slot a job, and resolves when its agent has taken it. */
  async start(slot: number, script: string): Promise<Job> {
    const unit = `journalctl -q -o cat -u gofleet-ci@${slot}`;
    // Of the unit's own last entry: journalctl passes over one of the unit's that comes after a cursor of another's.
    const cursor = await this.host.exec(`${unit} -n 1 --show-cursor | sed -n 's/^-- cursor: //p'`);
    const file = `${QUEUE}/${slot}`;
    const log = `${unit} --after-cursor='${cursor.trim()}'`;
    await this.host.exec(
      `cat >${file}.new && chmod 644 ${file}.new && mv ${file}.new ${file}
       for i in $(seq 120); do ${log} | grep -q '^job taken$' && exec rm ${file}; sleep 0.5; done
       systemctl status --no-pager gofleet-ci@${slot} >&2; exit 1`,
      { input: script, timeout: PATIENCE * 1000 },
    );
    return { slot, log };
  }

  async ended(job: Job): Promise<Ended> {
    const said = await this.until(job, (text) => /^job ended: \d+$/m.test(text));
    const [, output = "", code] = /^job taken\n([^]*?)^job ended: (\d+)$/m.exec(said) ?? [];
    return { code: Number(code), output };
  }

  /** Waits until a job has said something, and resolves with all that its unit has said since the job was given to it. */
  async until({ slot, log }: Job, enough: (said: string) => boolean): Promise<string> {
    const deadline = Date.now() + PATIENCE * 1000;
    for (;;) {
      const said = await this.host.exec(log, { timeout: PATIENCE * 1000 });
      if (enough(said)) return said;
      if (Date.now() > deadline) throw new Error(`the job of slot ${slot} does not get there:\n${said}`);
      await pause(500);
    }
  }
}

/** A job that was given to a slot. */
export interface Job {
  readonly slot: number;
  /** Prints what the slot's unit has said since. */
  readonly log: string;
}

interface Installed {
  readonly plan: HostPlan;
  /** Where the host has `gofleet-sandbox`. */
  readonly program: string;
  readonly warm: string | undefined;
  readonly warmCanary: string | undefined;
  readonly packages: readonly string[];
}

async function install(root: string, installed: Installed): Promise<void> {
  const { plan, program, warm, warmCanary, packages } = installed;
  await copyPackages(root, [...PACKAGES, ...packages]);
  release(root, plan);
  put(root, AGENT, AGENT_SCRIPT, 0o755);
  const scratch = temporaryDirectory();
  try {
    const built = { sandbox: join(scratch, "gofleet-sandbox"), attempts: join(scratch, "attempts") };
    await goBuild(SANDBOX, built.sandbox);
    await goBuild(ATTEMPTS, built.attempts);
    put(root, program, "", 0o755);
    copyFileSync(built.sandbox, join(root, program));
    await must("sh", [join(HERE, "tree.sh"), root, machineGo()?.root ?? "", built.attempts]);
    if (warm !== undefined) await warmSlot(root, built.sandbox, warm);
    if (warmCanary !== undefined) await warmCanaryOf(root, warmCanary);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Places a plan as the agent of hosts does: profiles look at the paths behind its links. */
function release(root: string, { files, symlinks }: HostPlan): void {
  for (const { path, text, mode, place } of files) {
    put(root, `${STAGED}${path}`, text, Number.parseInt(mode, 8));
    if (place === "copy") put(root, path, text, Number.parseInt(mode, 8));
    else link(root, path, `/etc/gofleet/ci/current${path}`);
  }
  link(root, "/etc/gofleet/ci/current", STAGED);
  for (const { path, target } of symlinks) link(root, path, target);
}

function put(root: string, path: string, text: string, mode: number): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
}

function link(root: string, path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
}

async function goBuild(source: string, binary: string): Promise<void> {
  const environment = ["CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "GOPROXY=off"];
  await must("env", [...environment, "go", "build", "-C", source, "-buildvcs=false", "-o", binary, "."]);
}

/** Leaves the cache of a script's builds as a copy that a reboot left. */
async function warmSlot(root: string, program: string, script: string): Promise<void> {
  const cache = "var/tmp/warm";
  await build(root, `/${cache}`, script);
  mkdirSync(dirname(join(root, COPY)), { recursive: true });
  await must(program, ["cache", "persist", "-cache", join(root, cache), join(root, COPY)]);
  rmSync(join(root, cache), { recursive: true });
}

/** The canary makes its cache anew each time: what a script has built is put there just before its unit starts. */
async function warmCanaryOf(root: string, script: string): Promise<void> {
  await build(root, CANARY_CACHE, script);
  const link = `cp -aln ${CANARY_CACHE}/. /var/cache/gofleet-ci/slots/canary1/build/`;
  put(root, "/etc/systemd/system/gofleet-ci-canary1-.service.d/warm.conf", `[Service]\nExecStartPre=+${link}\n`, 0o644);
}

/** Builds at slot 1's own paths, as its user, at this machine's full speed. */
async function build(root: string, cache: string, script: string): Promise<void> {
  const slot = "/var/lib/gofleet-ci/slots/1";
  for (const path of [`${slot}/work`, cache]) mkdirSync(join(root, path), { recursive: true });
  await must("chroot", [root, "chown", "-R", "gofleet-ci-1:gofleet-ci", slot, cache]);
  const environment = [`HOME=${slot}`, `GOCACHE=${cache}`, `GOROOT=${GOROOT}`, `PATH=${GOROOT}/bin:/usr/bin:/bin`];
  const job = ["env", "-i", ...environment, "GOPROXY=off", "sh", "-euc", `cd ${slot}/work\n${script}`];
  await must("chroot", ["--userspec=gofleet-ci-1:gofleet-ci", root, ...job]);
  rmSync(join(root, slot), { recursive: true });
}
