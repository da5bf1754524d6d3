import { existsSync, readFileSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { must } from "./commands";

/** Makes an Ed25519 key pair at `path` and `path.pub`, replacing one that is there; returns the public key. */
export async function makeKey(path: string): Promise<string> {
  for (const old of [path, `${path}.pub`]) if (existsSync(old)) rmSync(old);
  await must("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]);
  return readFileSync(`${path}.pub`, "utf8").trim();
}

export interface Login {
  readonly address: string;
  readonly user: string;
  readonly identityFile: string;
  readonly knownHostsFile: string;
}

/** The arguments of `ssh` for a login: pinned host key, that one client key, nothing from this machine's own config. */
export function sshArguments(login: Login): string[] {
  const options = {
    BatchMode: "yes",
    ConnectTimeout: "5",
    IdentitiesOnly: "yes",
    LogLevel: "ERROR",
    ServerAliveInterval: "5",
    StrictHostKeyChecking: "yes",
    UserKnownHostsFile: login.knownHostsFile,
  };
  const flags = Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  return ["-F", "none", "-i", login.identityFile, ...flags, `${login.user}@${login.address}`];
}

/** Whether something answers at `address`:22 within a second as an SSH server does. */
export function answersSsh(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port: 22 });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => finish(false));
    socket.once("error", () => finish(false));
    socket.once("close", () => finish(false));
    socket.once("data", (bytes) => finish(bytes.toString().startsWith("SSH-")));
  });
}
