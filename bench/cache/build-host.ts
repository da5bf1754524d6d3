import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hosts, type Host } from "../../test/hosts/support/hosts";
import { must } from "../../test/hosts/support/commands";
import { PlannedHost } from "../../test/sandbox/support/planned-host";
import { machineGo } from "../../test/support/go";
import { cacheMount } from "../../src/render/sandbox/cache-units";
import { progress } from "../support";
import type { Project } from "./project";

/** Seconds that a build of all kinds may take. */
const WITHIN = 1800;
/** The size of a cache in memory; more than any build here fills. */
const CACHE_SIZE = "4 GiB";
const CACHE_BYTES = 4 * 1024 ** 3;
const PROCESSORS = 2;
const GOROOT = "/usr/local/lib/gofleet/go/tree";
const HOME = "/home/plain";
const SOURCE = "/srv/data";
const SLOT = { cache: "/var/cache/gofleet-ci/slots/1/build", unit: "gofleet-ci@1" };

/** Who builds, and where the build cache is: a user in a login, or a job in a slot. */
export type Builder = "disk" | "tmpfs" | "sandbox";

/** What one build cost, in seconds. */
export interface Spent {
  readonly kind: "cold" | "warm";
  /** User and system time of the go command and all that it started: what else the machine does hardly changes it. */
  readonly cpu: number;
  readonly wall: number;
}

/** A booted host that has a build sandbox, Go, a module to build, and a user without any sandbox. */
export class BuildHost {
  private constructor(private readonly sandbox: PlannedHost) {}

  static async boot(project: Project): Promise<BuildHost> {
    const sandbox = await PlannedHost.boot(
      "bench",
      {
        // The second slot has nothing to do; with both, a slot's part of the processors is all that there are.
        slots: 2,
        cache: { kind: "tmpfs", size: CACHE_SIZE, persist: false },
        limits: { memory: "12 GiB", cpus: 2 * PROCESSORS },
        inputs: { source: SOURCE },
      },
      undefined,
      undefined,
      { caches: "1g" },
    );
    const { host } = sandbox;
    const at = (path: string) => join(host.rootDir, path);
    await must("mkdir", ["-p", at(GOROOT), at("/etc/gofleet/go")]);
    await must("cp", ["-a", `${machineGo()?.root}/.`, at(GOROOT)]);
    await must("cp", ["-r", `${project.source}/.`, at(SOURCE)]);
    await must("cp", ["-r", project.modules, at("/srv/modules")]);
    sandbox.write("/srv/build.sh", readFileSync(join(__dirname, "build.sh"), "utf8"));
    const options = /^Options=(.*)$/m.exec(
      cacheMount({
        ...{ component: "bench", path: `${HOME}/tmpfs`, user: "plain", group: "plain", mode: "0700" },
        sizeBytes: CACHE_BYTES,
      }),
    );
    if (options?.[1] === undefined) throw new Error("the unit of a cache in memory has no options");
    await host.exec(
      `ln -s ${GOROOT} /etc/gofleet/go/goroot
       cp -r /srv/modules/. /var/cache/gofleet-ci/modules && chown -R gofleet-ci-mod: /var/cache/gofleet-ci/modules
       useradd --create-home plain && install -d -o plain -g plain ${HOME}/tmp ${HOME}/disk ${HOME}/tmpfs
       mount -t tmpfs -o ${options[1]} tmpfs ${HOME}/tmpfs
       chmod -R a+rX /srv && systemctl restart ${SLOT.unit}`,
      { timeout: 300_000 },
    );
    return new BuildHost(sandbox);
  }

  get host(): Host {
    return this.sandbox.host;
  }

  /** The directory of the build cache that a slot's jobs fill. */
  get slotCache(): string {
    return SLOT.cache;
  }

  /** Builds with an empty cache, then from what that left. */
  async build(builder: Builder): Promise<readonly Spent[]> {
    const said = builder === "sandbox" ? await this.inSlot() : await this.plainly(builder);
    const spent = said.split("\n").flatMap(parse);
    if (spent.length !== 2) throw new Error(`build.sh said ${JSON.stringify(said)}`);
    return spent;
  }

  /** Says what of a slot's confinement the figures do not hold, because this machine cannot run it. */
  async tellWhatIsMissing(): Promise<void> {
    progress("AppArmor is off: test hosts share this machine's kernel. Its part of the overhead is not measured");
    const counted = await this.host.exec(`systemctl show --value --property=MemoryCurrent ${SLOT.unit}`);
    if (!/^\d+$/.test(counted.trim()))
      progress("memory is not accounted: test hosts here have no such control group. Its part is not measured");
  }

  async stop(): Promise<void> {
    await hosts.stopAll();
  }

  private async inSlot(): Promise<string> {
    const { code, output } = await this.sandbox.job(1, "sh /srv/build.sh ../inputs/source", WITHIN);
    if (code !== 0) throw new Error(`the build in the slot ended with ${code}:\n${output}`);
    return output;
  }

  /** A user without any sandbox, but with the same Go settings, the same kind of directories, and as many processors. */
  private plainly(where: "disk" | "tmpfs"): Promise<string> {
    const environment = {
      ...{ HOME, TMPDIR: `${HOME}/tmp`, GOTMPDIR: `${HOME}/tmp`, GOCACHE: `${HOME}/${where}` },
      ...{ GOMODCACHE: "/srv/modules", GOMAXPROCS: PROCESSORS, PATH: `${GOROOT}/bin:/usr/bin:/bin` },
    };
    const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    return this.host.exec(`runuser -u plain -- env -i ${words.join(" ")} sh /srv/build.sh ${SOURCE}`, {
      timeout: WITHIN * 1000,
    });
  }
}

function parse(line: string): Spent[] {
  const found = /^(cold|warm) ([\d.]+) ([\d.]+) (\d+)m([\d.]+)s (\d+)m([\d.]+)s$/.exec(line);
  if (found === null) return [];
  const [from, to, userMinutes, user, systemMinutes, system] = found.slice(2).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const cpu = (userMinutes + systemMinutes) * 60 + user + system;
  return [{ kind: found[1] === "cold" ? "cold" : "warm", cpu, wall: to - from }];
}
