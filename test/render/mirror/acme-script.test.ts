import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Acme } from "../../../src/model/mirror/front-acme";
import type { AbsolutePath } from "../../../src/model/names";
import { acmeScript, type AcmePlaces } from "../../../src/render/mirror/acme-script";
import { temporaryDirectory } from "../../support/go";
import { program } from "../../support/nginx";
import { skip } from "../../support/skip";

const DOMAIN = "goproxy.test.example";
const NAME = `${DOMAIN}-0badcafe`;

/** A host as far as the script sees it: real openssl, and programs that note how they were called. */
class Host {
  readonly root = temporaryDirectory();
  readonly state: AbsolutePath = `/${this.root.slice(1)}/state`;
  readonly pairs: AbsolutePath = `${this.state}/certificates/${NAME}`;
  readonly live = `${this.state}/certbot/config/live/${NAME}`;

  constructor(private readonly acme: Partial<Acme> = {}) {
    for (const folder of ["bin", "state/certbot/logs", "state/challenges", "next"]) {
      mkdirSync(join(this.root, folder), { recursive: true });
    }
    const refusal = "acme.messages.Error: the server says no\nProblem for it\n";
    writeFileSync(join(this.root, "log"), `Traceback (most recent call last):\n${refusal}\nTraceback, again\n`);
    // Gives what the test has put into `next`, as certbot does, or says no.
    this.program(
      "certbot",
      `echo "$*" >>${this.root}/asked; [ -e ${this.root}/next/fullchain.pem ] || { cp ${this.root}/log ${this.state}/certbot/logs/letsencrypt.log; echo "certbot broke" >&2; exit 1; }
mkdir -p ${this.live} ${this.state}/certbot/config/renewal; cp ${this.root}/next/* ${this.live}/
: >${this.state}/certbot/config/renewal/${NAME}.conf`,
    );
    this.program("systemctl", `echo "$*" >>${this.root}/reloads; [ ! -e ${this.root}/broken ]`);
  }

  run(verb: string): { readonly status: number | null; readonly stderr: string } {
    const acme: Acme = {
      directory: "https://ca.test.example/directory",
      email: undefined,
      keyType: "ecdsa",
      ca: false,
      keep: false,
      ...this.acme,
    };
    const places: AcmePlaces = {
      domain: DOMAIN,
      client: `${this.state}/certbot`,
      challenges: `${this.state}/challenges`,
      certificate: NAME,
      pairs: this.pairs,
      request: `${this.state}/renew`,
      ca: `${this.state}/ca.pem`,
      front: "front.service",
    };
    return spawnSync("/bin/sh", ["-s", verb], {
      input: acmeScript(acme, places),
      encoding: "utf8",
      env: { ...process.env, PATH: `${this.root}/bin:${process.env["PATH"]}` },
    });
  }

  good(verb: string): void {
    const { status, stderr } = this.run(verb);
    assert.equal(status, 0, stderr);
  }

  /** What the ACME server would give next. */
  next(days = 90, domain = DOMAIN, age = 0): void {
    const start = new Date(Date.now() - age * 86_400_000).toISOString();
    const [from, to] = [start, new Date(Date.parse(start) + days * 86_400_000).toISOString()].map((time) =>
      time.replace(/[-:T]|\.\d+/g, ""),
    );
    const next = join(this.root, "next");
    const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
    openssl(
      ...["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"],
      ...["-addext", `subjectAltName=DNS:${domain}`, "-keyout", `${next}/privkey.pem`, "-out", `${this.root}/csr`],
    );
    writeFileSync(join(this.root, "ca.conf"), CA_CONF.replaceAll("DIR", this.root));
    for (const file of ["index", "index.attr"]) writeFileSync(join(this.root, file), "");
    openssl(
      ...["ca", "-batch", "-notext", "-config", `${this.root}/ca.conf`, "-selfsign"],
      ...["-keyfile", `${next}/privkey.pem`, "-in", `${this.root}/csr`, "-out", `${next}/fullchain.pem`],
      ...["-startdate", from ?? "", "-enddate", to ?? ""],
    );
  }

  /** What it would give is there already. */
  got(...of: Parameters<Host["next"]>): void {
    this.next(...of);
    rmSync(this.live, { recursive: true, force: true });
    mkdirSync(this.live, { recursive: true });
    for (const file of ["fullchain.pem", "privkey.pem"])
      copyFileSync(join(this.root, "next", file), join(this.live, file));
  }

  get current(): string {
    return readlinkSync(join(this.pairs, "current"));
  }

  text(name: string): string {
    const file = join(this.root, name);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  times(name: string): number {
    return this.text(name).split("\n").filter(Boolean).length;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  private program(name: string, body: string): void {
    writeFileSync(join(this.root, "bin", name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
}

const CA_CONF = `[ca]
default_ca = own
[own]
database = DIR/index
new_certs_dir = DIR
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
`;

describe("the script that keeps a front's ACME certificate", function () {
  let host: Host;
  before(function () {
    if (program("openssl") === undefined) skip(this, "there is no openssl");
  });
  beforeEach(() => (host = new Host()));
  afterEach(() => host.remove());

  it("gives nginx a pair to start with, once, whose key is root's alone", () => {
    host.good("prepare");
    assert.equal(host.current, "self-signed");
    assert.equal(statSync(join(host.pairs, "current/key.pem")).mode & 0o777, 0o600);
    assert.equal(statSync(join(host.pairs, "current/chain.pem")).mode & 0o777, 0o644);
    const before = readFileSync(join(host.pairs, "current/chain.pem"), "utf8");
    host.good("prepare");
    assert.equal(readFileSync(join(host.pairs, "current/chain.pem"), "utf8"), before);
    assert.match(host.run("served").stderr, /there is no certificate yet/);
    assert.equal(host.times("asked"), 0);
  });

  it("makes a new pair where the one at hand is not one", () => {
    host.good("prepare");
    writeFileSync(join(host.pairs, "current/key.pem"), "");
    host.good("prepare");
    assert.notEqual(readFileSync(join(host.pairs, "current/key.pem"), "utf8"), "");
  });

  it("asks the ACME server once, gives nginx what it got, and cleans up", () => {
    host.good("prepare");
    host.next();
    for (const verb of ["renew", "deploy", "renew", "deploy", "served"]) host.good(verb);
    assert.equal(host.times("asked"), 1);
    assert.equal(host.times("reloads"), 1);
    assert.match(host.text("asked"), /--key-type ecdsa .*--domain goproxy\.test\.example/);
    assert.match(host.current, /^[0-9A-F]{16}$/);
    assert.deepEqual(readdirSync(host.pairs).sort(), [host.current, "current"].sort());
    const key = join(host.pairs, "current/key.pem");
    assert.equal(readFileSync(key, "utf8"), readFileSync(join(host.live, "privkey.pem"), "utf8"));
    assert.equal(statSync(key).mode & 0o777, 0o600);
  });

  const ages: Record<string, [days: number, age: number, asks: boolean]> = {
    "90 days, 31 of them left": [90, 59, false],
    "90 days, 29 of them left": [90, 61, true],
    "one day, 9 hours of it left": [1, 15 / 24, false],
    "one day, 7 hours of it left": [1, 17 / 24, true],
    "90 days, over since yesterday": [90, 91, true],
  };
  for (const [name, [days, age, asks]] of Object.entries(ages)) {
    it(`${asks ? "renews" : "leaves"} a certificate of ${name}`, () => {
      host.next(days, DOMAIN, age);
      host.good("renew");
      host.good("renew");
      assert.equal(host.times("asked"), asks ? 2 : 1);
    });
  }

  it("renews when a person asks, and says no longer than needed that one did", () => {
    host.next();
    host.good("renew");
    writeFileSync(join(host.state, "renew"), "");
    rmSync(join(host.root, "next/fullchain.pem"));
    assert.equal(host.run("renew").status, 1);
    assert.ok(existsSync(join(host.state, "renew")));
    host.next();
    host.good("renew");
    assert.ok(!existsSync(join(host.state, "renew")));
    assert.equal(host.times("asked"), 3);
  });

  it("says what the ACME server said, and keeps what there is", () => {
    host.good("prepare");
    const { status, stderr } = host.run("renew");
    assert.equal(status, 1);
    assert.match(stderr, /certbot broke\nacme\.messages\.Error: the server says no\nProblem for it\n/);
    assert.ok(!/traceback/i.test(stderr));
    assert.equal(host.current, "self-signed");
  });

  it("clears away what a run that was cut has left, and nothing that is whole", () => {
    mkdirSync(host.live, { recursive: true });
    writeFileSync(join(host.live, "left"), "");
    host.next();
    host.good("renew");
    assert.ok(!existsSync(join(host.live, "left")));
    writeFileSync(join(host.live, "left"), "");
    writeFileSync(join(host.state, "renew"), "");
    host.good("renew");
    assert.ok(existsSync(join(host.live, "left")));
  });

  it("never gives nginx a pair that would not do", () => {
    host.good("prepare");
    const otherKey = () => execFileSync("openssl", ["ecparam", "-genkey", "-name", "prime256v1", "-noout"]);
    const wrong: Record<string, [spoil: () => void, says: RegExp]> = {
      "the key of another": [
        () => writeFileSync(join(host.live, "privkey.pem"), otherKey()),
        /the key in .* is not that of its certificate/,
      ],
      "another name": [() => host.got(90, "other.example"), /is not for goproxy\.test\.example/],
      "a past end": [() => host.got(90, DOMAIN, 91), /has expired/],
    };
    for (const [name, [spoil, says]] of Object.entries(wrong)) {
      host.got();
      spoil();
      const { status, stderr } = host.run("deploy");
      assert.equal(status, 1, name);
      assert.match(stderr, says);
      host.good("prepare");
      assert.equal(host.current, "self-signed", name);
    }
    assert.equal(host.times("reloads"), 0);
  });

  it("gives nginx nothing that the clients' CA has not signed", () => {
    host.remove();
    host = new Host({ ca: true });
    host.next();
    writeFileSync(join(host.state, "ca.pem"), readFileSync(join(host.root, "next/fullchain.pem")));
    host.good("prepare");
    host.next();
    host.good("renew");
    assert.match(host.run("deploy").stderr, /not signed by the CA that clients are told to trust/);
    assert.equal(host.current, "self-signed");
    writeFileSync(join(host.state, "ca.pem"), readFileSync(join(host.root, "next/fullchain.pem")));
    host.good("deploy");
  });

  it("tries a reload that failed again", () => {
    host.good("prepare");
    host.next();
    host.good("renew");
    writeFileSync(join(host.root, "broken"), "");
    assert.notEqual(host.run("deploy").status, 0);
    rmSync(join(host.root, "broken"));
    host.good("deploy");
    host.good("deploy");
    assert.equal(host.times("reloads"), 2);
  });

  it("starts with the certificate it got before where the pair is gone", () => {
    host.next();
    host.good("renew");
    host.good("prepare");
    assert.match(host.current, /^[0-9A-F]{16}$/);
    host.good("served");
    assert.equal(host.times("asked"), 1);
  });

  it("says what it can do", () =>
    assert.match(host.run("dance").stderr, /usage: sh .* prepare\|renew\|deploy\|served/));

  it("is something that shellcheck has nothing to say of", function () {
    if (program("shellcheck") === undefined) return skip(this, "there is no shellcheck");
    for (const ca of [true, false]) {
      const acme: Acme = { directory: "https://a.example/d", email: "a@b.example", keyType: "rsa", ca, keep: false };
      const places = { domain: DOMAIN, client: "/a", challenges: "/b", certificate: NAME, pairs: "/c" } as const;
      const text = acmeScript(acme, { ...places, request: "/d", ca: "/e", front: "f.service" });
      assert.equal(spawnSync("shellcheck", ["--shell=sh", "-"], { input: text, encoding: "utf8" }).stdout, "");
    }
  });
});
