import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Context } from "mocha";
import { GoProxyMirror, type GoProxyMirrorArgs } from "../../../src/index";
import { release, target } from "../../hosts/programs";
import { hosts, needsHosts, type Host } from "../../hosts/support/hosts";
import { athensBinary } from "../../support/athens";
import { TestAuthority, type Issued } from "../../support/certificates";
import { packageRepository } from "./packages";
import { Upstream } from "./upstream";

export const DOMAIN = "goproxy.test.example";
export const STORE = "/srv/athens";
/** The only way out of a mirror's host. */
const UPSTREAM = "upstream.test.example";
/** Where the hosts have the tests' CA, as an administrator would put it. */
const CA = "/usr/local/share/ca-certificates/test.crt";

/** What a mirror's tests need around their hosts: packages, Athens' program, an upstream, certificates. */
export class Surroundings {
  private constructor(
    readonly upstream: Upstream,
    readonly authority: TestAuthority,
    readonly leaf: Issued,
    private readonly files: Server,
    private readonly address: string,
    private readonly athens: string,
    private readonly folder: string,
  ) {}

  /**
   * Skips the tests where there can be no test hosts.
   * @param more packages that hosts can install, besides those that every mirror needs
   */
  static async start(context: Context, more: readonly string[] = []): Promise<Surroundings> {
    needsHosts(context);
    const address = await hosts.operatorAddress();
    const packages = ["git", "nginx", "openssh-client", ...more];
    const [athens, repository] = [await athensBinary(), await packageRepository(packages)];
    const folder = mkdtempSync(join(tmpdir(), "gofleet-mirror-"));
    const authority = new TestAuthority(join(folder, "ca"));
    const files = createServer((request, response) => {
      const name = basename(decodeURIComponent(request.url ?? ""));
      const path = name === "athens" ? athens : join(repository, name);
      if (!existsSync(path)) return response.writeHead(404).end();
      createReadStream(path).pipe(response);
    });
    files.listen(0, address);
    await once(files, "listening");
    const { certificate, key } = authority.leaf(UPSTREAM);
    const upstream = await Upstream.start(address, {
      cert: authority.chain({ name: UPSTREAM, certificate, key }),
      key,
    });
    return new Surroundings(upstream, authority, authority.leaf(DOMAIN), files, address, athens, folder);
  }

  /** A host that finds packages and the mirror's name, and nothing else. */
  async host(name: string, mirror?: Host): Promise<Host> {
    const host = await hosts.boot(name);
    await host.exec(
      `rm -rf /etc/apt/sources.list.d/*; echo 'deb [trusted=yes] ${this.url} ./' >/etc/apt/sources.list
       echo '${(mirror ?? host).address} ${DOMAIN}' >>/etc/hosts
       echo '${this.address} ${UPSTREAM}' >>/etc/hosts`,
    );
    if (mirror === undefined) {
      await host.exec(`cat >${CA} && update-ca-certificates >/dev/null 2>&1`, {
        input: this.authority.root.certificate,
      });
    }
    return host;
  }

  /** A program with one mirror. */
  program(host: Host, more: Partial<GoProxyMirrorArgs> = {}): () => Promise<{ mirror: GoProxyMirror }> {
    return async () => ({ mirror: new GoProxyMirror("goproxy", this.args(host, more)) });
  }

  args(host: Host, more: Partial<GoProxyMirrorArgs> = {}): GoProxyMirrorArgs {
    const { athens, ...rest } = more;
    return {
      target: target(host),
      domain: DOMAIN,
      tls: {
        certificate: this.authority.chain(this.leaf),
        key: this.leaf.key,
        ca: this.authority.root.certificate,
      },
      storage: { kind: "disk", path: STORE, max: "4 GiB" },
      go: release("1.26.7"),
      source: { kind: "module", proxy: this.upstream.url },
      upstream: [this.upstream.url, "direct"],
      sumdb: { through: `https://${UPSTREAM}:${this.upstream.tlsPort}` },
      athens: { binary: this.binary, ...athens },
      ...rest,
    };
  }

  /** Ends the hosts too. */
  async stop(): Promise<void> {
    await this.upstream.stop();
    this.files.closeAllConnections();
    this.files.close();
    rmSync(this.folder, { recursive: true, force: true });
    await hosts.stopAll();
  }

  private get url(): string {
    const { port } = this.files.address() as AddressInfo;
    return `http://${this.address}:${port}/`;
  }

  private get binary() {
    const sha256 = createHash("sha256").update(readFileSync(this.athens)).digest("hex");
    const arch = process.arch === "arm64" ? "arm64" : "amd64";
    return { kind: "file" as const, [arch]: { url: `${this.url}athens`, sha256 } };
  }
}
