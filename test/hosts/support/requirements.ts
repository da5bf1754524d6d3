import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Context } from "mocha";
import { skipFor } from "../../support/skip";
import { baseTreePath } from "./base-tree";
import { hasCommand, script } from "./commands";
import { QEMU } from "./virtual-host";

const COMMANDS: Readonly<Record<string, string>> = {
  "systemd-nspawn": "systemd-container",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  ip: "iproute2",
  flock: "util-linux",
  "mkfs.ext4": "e2fsprogs",
};

/** Why test hosts cannot run on this machine, or undefined if they can. Changes nothing. */
export function unavailable(): string | undefined {
  answer ??= { reason: findReason() };
  return answer.reason;
}

/** Why a host with a kernel of its own cannot run on this machine, or undefined if it can. Changes nothing. */
export function noVirtualHosts(): string | undefined {
  if (process.arch !== "x64") return `virtual machines are set up for x64 processors, this is ${process.arch}`;
  if (!hasCommand(QEMU)) return `a virtual machine needs ${QEMU}: run .ci/prepare, or apt-get install qemu-system-x86`;
  if (!existsSync("/dev/net/tun")) return "a virtual machine's network needs /dev/net/tun, which this machine has not";
  return unavailable();
}

/** Skips the tests where test hosts cannot run. */
export function needsHosts(context: Context): void {
  skipFor(context, unavailable());
}

/** Skips the tests where a host with a kernel of its own cannot run. */
export function needsVirtualHosts(context: Context): void {
  skipFor(context, noVirtualHosts());
}

let answer: { reason: string | undefined } | undefined;

function findReason(): string | undefined {
  if (process.platform !== "linux") return `test hosts need Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "test hosts need root (namespaces, mounts, a bridge)";

  const wanted = existsSync(baseTreePath()) ? COMMANDS : { ...COMMANDS, mmdebstrap: "mmdebstrap" };
  const missing = Object.keys(wanted).filter((command) => !hasCommand(command));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((command) => wanted[command]))].sort().join(" ");
    return `test hosts need ${missing.join(", ")}: run .ci/prepare, or apt-get install ${packages}`;
  }
  if (!["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].some((root) => existsSync(`${root}/cgroup.procs`))) {
    return "test hosts need a cgroup2 hierarchy at /sys/fs/cgroup or /sys/fs/cgroup/unified";
  }
  return noMirror() ?? bridgeRefused();
}

function noMirror(): string | undefined {
  if (existsSync(baseTreePath())) return undefined;
  const { status, stderr } = spawnSync("sh", [script("base-tree.sh"), "--mirrors"], { encoding: "utf8" });
  return status === 0 ? undefined : `test hosts have nothing to start from: ${stderr.trim()}`;
}

/** Root in a container without CAP_NET_ADMIN cannot make a bridge; only trying tells. */
function bridgeRefused(): string | undefined {
  const name = `gfprobe${process.pid}`;
  try {
    execFileSync("ip", ["link", "add", name, "type", "bridge"], { stdio: ["ignore", "ignore", "pipe"] });
    execFileSync("ip", ["link", "delete", name], { stdio: "ignore" });
    return undefined;
  } catch (error) {
    const text = error instanceof Error ? (error.message.split("\n")[1] ?? error.message) : String(error);
    return `test hosts need a network bridge, which this machine refuses: ${text.trim()}`;
  }
}
