import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "./commands";
import { makeKey } from "./ssh";

/** What makes a copy of the base tree one certain host. */
export interface Identity {
  readonly machineId: string;
  /** Public host key, `ssh-ed25519 …`. */
  readonly hostKey: string;
}

export interface Personal {
  readonly name: string;
  /** Who may log in. */
  readonly publicKey: string;
  /** Password of the user `secure`. */
  readonly sudoPassword: string;
}

/** Gives the tree a name, a machine-id and a host key of its own, and lets the run's client key in. */
export async function personalize(root: string, { name, publicKey, sudoPassword }: Personal): Promise<Identity> {
  const etc = join(root, "etc");
  const hostKey = await makeKey(join(etc, "ssh/ssh_host_ed25519_key"));
  const machineId = randomBytes(16).toString("hex");
  writeFileSync(join(etc, "machine-id"), `${machineId}\n`);
  writeFileSync(join(etc, "hostname"), `${name}\n`);
  writeFileSync(join(etc, "hosts"), `127.0.0.1 localhost\n127.0.1.1 ${name}\n`);
  for (const user of ["root", "fleet", "secure"]) authorize(root, user, publicKey);
  await must("chroot", [root, "chpasswd"], { input: `secure:${sudoPassword}\n` });
  return { machineId, hostKey };
}

function authorize(root: string, user: string, publicKey: string): void {
  const account = readFileSync(join(root, "etc/passwd"), "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find(([name]) => name === user);
  if (!account?.[5]) throw new Error(`the base tree has no user ${user}`);
  const folder = join(root, account[5], ".ssh");
  const keys = join(folder, "authorized_keys");
  mkdirSync(folder, { recursive: true });
  writeFileSync(keys, `${publicKey}\n`);
  for (const [path, mode] of [
    [folder, 0o700],
    [keys, 0o600],
  ] as const) {
    chmodSync(path, mode);
    chownSync(path, Number(account[2]), Number(account[3]));
  }
}
