import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../../support/free-ports";
import { temporaryDirectory } from "../../support/go";
import { pebblePrograms } from "../../support/pebble";

/** A name for which the server gives no certificate to anybody. */
export const DENIED = "denied.test.example";

interface Ports {
  readonly acme: number;
  readonly management: number;
  readonly dns: number;
  readonly names: number;
}

/** A real ACME server (Pebble), with its default of refusing one good request in twenty, and the DNS that it asks. */
export class AcmeServer {
  private log = "";

  private constructor(
    readonly name: string,
    private readonly address: string,
    private readonly ports: Ports,
    private readonly folder: string,
    private readonly processes: readonly ChildProcess[],
  ) {
    for (const { stdout, stderr } of processes) {
      for (const stream of [stdout, stderr]) {
        stream?.setEncoding("utf8").on("data", (text: string) => (this.log += text));
      }
    }
  }

  /** @param tls the certificate of `name`, by which hosts know the server */
  static async start(
    name: string,
    address: string,
    tls: { readonly cert: string; readonly key: string },
  ): Promise<AcmeServer> {
    const programs = await pebblePrograms();
    const folder = temporaryDirectory();
    const [acme = 0, management = 0, dns = 0, names = 0] = await freePorts(4, address);
    const [config, certificate, privateKey] = ["pebble.json", "cert.pem", "key.pem"].map((file) => join(folder, file));
    writeFileSync(certificate ?? "", tls.cert);
    writeFileSync(privateKey ?? "", tls.key);
    const pebble = {
      listenAddress: `${address}:${acme}`,
      managementListenAddress: `${address}:${management}`,
      ...{ certificate, privateKey, httpPort: 80, tlsPort: 443, domainBlocklist: [DENIED], keyAlgorithm: "ecdsa" },
      retryAfter: { authz: 1, order: 1 },
      profiles: { default: { description: "the only one", validityPeriod: 90 * 86_400 } },
    };
    writeFileSync(config ?? "", JSON.stringify({ pebble }));
    const resolver = `${address}:${dns}`;
    const off = ["http01", "https01", "tlsalpn01", "doh"].flatMap((kind) => [`-${kind}`, ""]);
    const dnsArgs = ["-dnsserver", resolver, "-management", `${address}:${names}`, "-defaultIPv6", "", ...off];
    const server = new AcmeServer(name, address, { acme, management, dns, names }, folder, [
      spawn(programs.dns, dnsArgs),
      spawn(programs.pebble, ["-config", config ?? "", "-dnsserver", resolver], {
        env: { ...process.env, PEBBLE_VA_NOSLEEP: "1", PEBBLE_AUTHZREUSE: "0" },
      }),
    ]);
    await server.answers();
    return server;
  }

  get directory(): string {
    return `https://${this.name}:${this.ports.acme}/dir`;
  }

  /** How many requests it had. */
  get asked(): number {
    return this.log.split("calling handler").length - 1;
  }

  /** How many certificates it gave. */
  get issued(): number {
    return this.log.split("Issued certificate serial").length - 1;
  }

  /** Where every name leads from now on. */
  async leadTo(address: string): Promise<void> {
    const url = `http://${this.address}:${this.ports.names}/set-default-ipv4`;
    const { status } = await fetch(url, { method: "POST", body: JSON.stringify({ ip: address }) });
    assert.equal(status, 200);
  }

  /** The CA of the certificates that it gives, PEM; a new one in each run. */
  async root(): Promise<string> {
    const options = { host: this.address, port: this.ports.management, path: "/roots/0", rejectUnauthorized: false };
    const sent = request(options).end();
    const [response] = (await once(sent, "response")) as [AsyncIterable<Buffer>];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }

  async stop(): Promise<void> {
    for (const child of this.processes) {
      if (child.exitCode !== null) continue;
      const ended = once(child, "exit");
      child.kill();
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async answers(): Promise<void> {
    for (let tries = 0; tries < 1200; tries++) {
      try {
        await this.leadTo("");
        await this.root();
        return;
      } catch {
        await sleep(100);
      }
    }
    await this.stop();
    throw new Error(`the ACME server does not answer:\n${this.log}`);
  }
}
