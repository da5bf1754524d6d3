import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hosts, type Host } from "../../test/hosts/support/hosts";
import { must } from "../../test/hosts/support/commands";
import { PlannedHost } from "../../test/sandbox/support/planned-host";
import { machineGo } from "../../test/support/go";
import { cacheMount } from "../../src/render/sandbox/cache-units";
import { median, progress } from "../support";
import type { Project } from "./project";

/** Seconds that a build of all kinds may take. */
const WITHIN = 1800;
/** The size of a cache in memory; more than any build here fills. */
const CACHE_SIZE = "4 GiB";
const CACHE_BYTES = 4 * 1024 ** 3;
const PROCESSORS = 2;
/** Size of the host's disk: what other work does to the machine's own file system is no part of the figures. */
const DISK = "12G";
const GOROOT = "/usr/local/lib/gofleet/go/tree";
const HOME = "/home/plain";
const SOURCE = "/srv/data";
const SLOT = { cache: "/var/cache/gofleet-ci/slots/1/build", unit: "gofleet-ci@1" };

/** Who builds, and where the build cache is: a user in a login, or a job in a slot. */
export type Builder = "disk" | "tmpfs" | "sandbox";

/** A build with an empty cache, or from what one has left. */
export type Kind = "cold" | "warm";

/** User and system time of the go command and all that it started, in seconds. */
export type Spent = Readonly<Record<Kind, number>>;

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
      { disk: DISK, caches: "1g" },
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
       useradd --create-home plain && install -d -o plain -g plain ${HOME}/disk ${HOME}/tmpfs ${HOME}/tmp-disk ${HOME}/tmp-tmpfs
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

  /** Builds with an empty cache, then from what that left: the medians of each kind. */
  async build(builder: Builder): Promise<Spent> {
    const said = builder === "sandbox" ? await this.inSlot() : await this.plainly(builder);
    const middle = (kind: Kind): number => {
      const times = said.split("\n").flatMap((line) => parse(kind, line));
      if (times.length === 0) throw new Error(`build.sh said ${JSON.stringify(said)}`);
      return median(times);
    };
    return { cold: middle("cold"), warm: middle("warm") };
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
    const temporary = `${HOME}/tmp-${where}`;
    const environment = {
      ...{ HOME, TMPDIR: temporary, GOTMPDIR: temporary, GOCACHE: `${HOME}/${where}` },
      ...{ GOMODCACHE: "/srv/modules", GOMAXPROCS: PROCESSORS, PATH: `${GOROOT}/bin:/usr/bin:/bin` },
    };
    const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    return this.host.exec(`runuser -u plain -- env -i ${words.join(" ")} sh /srv/build.sh ${SOURCE}`, {
      timeout: WITHIN * 1000,
    });
  }
}

/** User and system time of a line of build.sh of this kind. */
function parse(kind: Kind, line: string): number[] {
  const [said, user = "", system = ""] = line.split(" ");
  return said === kind ? [toSeconds(user) + toSeconds(system)] : [];
}

/** @param time as times of sh(1) has it, such as `1m2.345s` */
function toSeconds(time: string): number {
  const [minutes, seconds] = time.replace(/s$/, "").split("m").map(Number);
  return (minutes ?? Number.NaN) * 60 + (seconds ?? Number.NaN);
}
