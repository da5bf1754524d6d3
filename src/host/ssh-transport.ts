import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quote } from "../render/shell";
import { bootstrap, MARKER } from "./bootstrap";
import { placeName, type SshConnection } from "./connection";
import { runProcess } from "./process";
import type { ExecRequest, ExecResult, Transport } from "./transport";

/** Seconds an unused login is kept for the next operation of the same run. */
const PERSIST = 15;
const CONNECT_TIMEOUT = 15;
const RUN_DIRECTORY = "/run/gofleet";
/** For what may be large: /run is in the host's memory. */
const LARGE_DIRECTORY = "/var/tmp";

/**
 * The system's OpenSSH: `ssh_config`, agents, certificates and bastions work as on the command line. One login per
 * host per run (ControlMaster); host keys are always checked. See ssh(1), ssh_config(5).
 */
export class SshTransport implements Transport {
  readonly place: string;
  #directory: string | undefined;

  /** @param password sudo's; travels on standard input only. */
  constructor(
    readonly connection: SshConnection,
    private readonly password?: string,
  ) {
    this.place = placeName(connection);
  }

  exec(request: ExecRequest): Promise<ExecResult> {
    const { become } = this.connection;
    const sudo = become === undefined ? "" : this.password === undefined ? "sudo -n -- " : "sudo -S -p '' -- ";
    const script = bootstrap(request.verb, request.verb === "put" ? LARGE_DIRECTORY : RUN_DIRECTORY, {
      skipToMarker: sudo !== "",
    });
    const prefix = sudo === "" ? "" : `${this.password === undefined ? "" : `${this.password}\n`}${MARKER}\n`;
    const command = sudo === "" ? script : `${sudo}sh -c ${quote(script)}`;
    return runProcess(
      "ssh",
      [...this.#options(request.newConnection === true), "--", this.#destination(), command],
      request,
      prefix,
    );
  }

  close(): void {
    if (this.#directory === undefined) return;
    const control = this.#control();
    spawnSync("ssh", ["-o", `ControlPath=${control}`, "-O", "exit", "--", this.#destination()], { stdio: "ignore" });
    rmSync(this.#directory, { recursive: true, force: true });
    this.#directory = undefined;
  }

  #destination(): string {
    return this.connection.host;
  }

  #options(newConnection: boolean): string[] {
    const { port, user, jump, identity, hostKey } = this.connection;
    return [
      ...option("BatchMode", "yes"),
      ...option("StrictHostKeyChecking", "yes"),
      ...option("ConnectTimeout", String(CONNECT_TIMEOUT)),
      ...option("ServerAliveInterval", "5"),
      ...option("ServerAliveCountMax", "3"),
      ...option("LogLevel", "ERROR"),
      ...(newConnection
        ? [...option("ControlMaster", "no"), ...option("ControlPath", "none")]
        : [
            ...option("ControlMaster", "auto"),
            ...option("ControlPath", this.#control()),
            ...option("ControlPersist", String(PERSIST)),
          ]),
      ...(hostKey === undefined ? [] : this.#pinned(hostKey)),
      ...(port === undefined ? [] : ["-p", String(port)]),
      ...(user === undefined ? [] : ["-l", user]),
      ...(jump === undefined ? [] : ["-J", jump]),
      ...(identity === undefined ? [] : ["-i", identity, ...option("IdentitiesOnly", "yes")]),
      "-T",
    ];
  }

  /** The pinned key under a name of its own, so that no `known_hosts` entry of the operator's can add to it. */
  #pinned(hostKey: string): string[] {
    const file = join(this.#private(), "known_hosts");
    writeFileSync(file, `gofleet-pinned ${hostKey}\n`);
    return [
      ...option("HostKeyAlias", "gofleet-pinned"),
      ...option("UserKnownHostsFile", file),
      ...option("GlobalKnownHostsFile", "/dev/null"),
      ...option("HostKeyAlgorithms", algorithms(hostKey)),
    ];
  }

  #control(): string {
    return join(this.#private(), "c");
  }

  #private(): string {
    if (this.#directory === undefined) {
      this.#directory = mkdtempSync(join(tmpdir(), "gofleet-"));
      chmodSync(this.#directory, 0o700);
    }
    return this.#directory;
  }
}

/** The signature algorithms that fit a public key; an RSA key signs by SHA-2. */
function algorithms(hostKey: string): string {
  const type = hostKey.split(" ")[0] ?? "";
  return type === "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type;
}

function option(name: string, value: string): string[] {
  return ["-o", `${name}=${value}`];
}
