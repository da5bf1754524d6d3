import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { startAthens, type AthensServer } from "../../test/mirror/athens-server";
import { StoreLab } from "../../test/mirror/support/store-lab";
import { TestAuthority, type Issued } from "../../test/support/certificates";
import { temporaryDirectory } from "../../test/support/go";
import { TestFront } from "../../test/support/nginx";
import { processWith, type Contender } from "./load";

const DOMAIN = "goproxy.test";

/** A mirror as a host has it, and other fronts with the same certificate before the same Athens. */
export class BenchMirror {
  readonly folder = temporaryDirectory();
  readonly store = join(this.folder, "store");
  /** A file with the CA, for clients. */
  readonly ca = join(this.folder, "ca.pem");
  private readonly authority = new TestAuthority(join(this.folder, "ca"));
  private readonly leaf: Issued = this.authority.leaf(DOMAIN, { names: [`DNS:${DOMAIN}`, "IP:127.0.0.1"] });
  private readonly fronts: TestFront[] = [];
  private athens: AthensServer | undefined;

  constructor() {
    mkdirSync(this.store);
    writeFileSync(this.ca, this.authority.root.certificate);
  }

  /** `gofleet-store import`. */
  import(bundle: string): void {
    const { code, output } = new StoreLab(this.store).keeper("import", bundle);
    if (code !== 0) throw new Error(output);
  }

  /** @param upstream GOPROXY of its go command; without one it serves what is stored */
  async start(upstream?: string): Promise<void> {
    this.athens = await startAthens(this.folder, {
      storage: { kind: "disk", path: `/${this.store.slice(1)}`, max: "10 GiB" },
      networkMode: upstream === undefined ? "offline" : "strict",
      downloadMode: { mode: upstream === undefined ? "none" : "sync" },
      goEnv: { GOPROXY: upstream ?? "off", GONOSUMDB: "*", GOTOOLCHAIN: "local" },
    });
  }

  /** The front that gofleet renders. */
  ours(edit?: (config: string) => string): Promise<Contender> {
    return this.front(edit);
  }

  /** TLS and nothing more: what a front costs at least. */
  static(root: string): Promise<Contender> {
    return this.front(() =>
      this.plainConfig(`
    root ${root};
    open_file_cache max=20000 inactive=10m;
    open_file_cache_valid 60s;`),
    );
  }

  /** TLS before Athens, which answers everything. */
  uncached(): Promise<Contender> {
    return this.front(
      () =>
        this.plainConfig(`
    location / {
      proxy_pass http://athens;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }`),
      true,
    );
  }

  get cache(): string {
    const [ours] = this.fronts;
    if (ours === undefined) throw new Error("no front has been started");
    return ours.path(ours.place.front.cache);
  }

  async stop(): Promise<void> {
    for (const front of this.fronts) await front.stop();
    await this.athens?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async front(edit?: (config: string) => string, athens = edit === undefined): Promise<Contender> {
    const root = join(this.folder, `front-${this.fronts.length}`);
    mkdirSync(root);
    const front = new TestFront(
      root,
      { domain: DOMAIN, tls: { certificate: "", key: "" }, log: { file: `/${join(root, "access.log").slice(1)}` } },
      { store: `/${this.store.slice(1)}` },
      {
        certificate: this.authority.chain(this.leaf),
        key: this.leaf.key,
        ca: this.authority.root.certificate,
        ...(edit && { edit }),
      },
    );
    this.fronts.push(front);
    mkdirSync(dirname(front.athensSocket), { recursive: true });
    symlinkSync(this.socket, front.athensSocket);
    await front.start();
    return {
      port: front.port,
      pids: () => [...front.workers(), ...(athens ? [processWith(join(this.folder, "athens.toml"))] : [])],
    };
  }

  private get socket(): string {
    return join(this.folder, "athens.sock");
  }

  /** As few lines as serve TLS well, with the same protocols, curve and connections as ours. */
  private plainConfig(server: string): string {
    const front = this.fronts.at(-1);
    if (front === undefined) throw new Error("no front is being made");
    const file = (text: string, name: string) => {
      const path = join(front.root, name);
      writeFileSync(path, text);
      return path;
    };
    return `user ${userInfo().username};
worker_processes auto;
worker_rlimit_nofile 50000;
daemon off;
pid ${front.root}/plain.pid;
error_log stderr warn;
events { worker_connections 8192; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 10000;
  proxy_temp_path ${front.root}/proxy-temp;
  upstream athens { server unix:${this.socket}; keepalive 64; }
  server {
    listen 127.0.0.1:${front.port} ssl backlog=4096;
    ssl_certificate ${file(this.authority.chain(this.leaf), "chain.pem")};
    ssl_certificate_key ${file(this.leaf.key, "key.pem")};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ecdh_curve X25519:prime256v1:secp384r1;
    ssl_session_cache shared:tls:10m;${server}
  }
  server { listen 127.0.0.1:${front.statusPort}; return 200; }
}
`;
  }
}

/** Bytes on disk. */
export function diskUse(folder: string): number {
  return Number(execFileSync("du", ["--summarize", "--block-size=1", folder], { encoding: "utf8" }).split("\t")[0]);
}
