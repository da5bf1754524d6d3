import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { kernelTree } from "../../hosts/support/base-tree";
import { hasCommand, must } from "../../hosts/support/commands";
import { QEMU } from "../../hosts/support/virtual-host";
import { machineGo } from "../../support/go";

/** Files of the guest besides its system, by path. */
export type GuestFiles = Readonly<Record<string, string>>;

const HERE = join(__dirname, "guest");
const DISK = "1G";
/** Milliseconds; every instruction is emulated. */
const ENDS_WITHIN = 600_000;

/** Why a machine with a kernel that enforces profiles cannot run here, or undefined if it can. */
export function noGuest(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "the virtual machine's disk needs Linux and root";
  if (process.arch !== "x64") return `virtual machines are set up for x64 processors, this is ${process.arch}`;
  if (machineGo() === undefined) return "there is no go command";
  const needed = {
    [QEMU]: "qemu-system-x86",
    apparmor_parser: "apparmor",
    busybox: "busybox-static",
    mke2fs: "e2fsprogs",
  };
  const missing = Object.entries(needed).filter(([command]) => !hasCommand(command));
  if (missing.length === 0) return undefined;
  return `missing: run .ci/prepare, or apt-get install ${missing.map(([, name]) => name).join(" ")}`;
}

/**
 * Starts Debian's own kernel with a small system in software emulation, lets it run `guest/init.sh` and power off.
 *
 * @returns what it printed, by section
 */
export async function runGuest(files: GuestFiles): Promise<ReadonlyMap<string, string>> {
  const scratch = mkdtempSync(join(tmpdir(), "gofleet-guest-"));
  try {
    const kernel = await kernelTree((line) => process.stdout.write(`${line}\n`));
    const [tree, disk, attempts] = ["tree", "disk", "attempts"].map((name) => join(scratch, name)) as [
      string,
      string,
      string,
    ];
    const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off" };
    await must("env", [
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      "go",
      "build",
      "-C",
      join(HERE, "attempts"),
      "-o",
      attempts,
      ".",
    ]);
    await must("sh", [join(HERE, "tree.sh"), tree, machineGo()?.root ?? "", kernel, attempts]);
    copyFileSync(join(HERE, "init.sh"), join(tree, "init"));
    await must("chmod", ["755", join(tree, "init")]);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
    await must("truncate", ["-s", DISK, disk]);
    await must("mke2fs", ["-q", "-t", "ext4", "-d", tree, disk]);
    return sections(await boot(kernel, disk));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function boot(kernel: string, disk: string): Promise<string> {
  const image = readdirSync(join(kernel, "boot")).find((name) => name.startsWith("vmlinuz-"));
  if (image === undefined) throw new Error(`${kernel}/boot: no kernel`);
  const args = [
    ...["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024"],
    ...["-drive", `file=${disk},if=none,id=disk,format=raw,cache=unsafe`, "-device", "nvme,drive=disk,serial=disk"],
    ...["-nic", "none", "-nographic", "-no-reboot", "-kernel", join(kernel, "boot", image)],
    ...["-append", "root=/dev/nvme0n1 rw init=/init quiet loglevel=1 console=ttyS0 panic=-1"],
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(QEMU, args, { stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => (printed += data.toString()));
    const timer = setTimeout(() => child.kill("SIGKILL"), ENDS_WITHIN);
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      if (/^=== end/m.test(printed)) resolve(printed.replaceAll("\r", ""));
      else reject(new Error(`the virtual machine did not come to its end:\n${printed.slice(-3000)}`));
    });
  });
}

function sections(printed: string): Map<string, string> {
  return new Map(
    printed.split(/^=== /m).map((part) => {
      const end = part.indexOf("\n");
      return [part.slice(0, end).trim(), part.slice(end + 1)];
    }),
  );
}
