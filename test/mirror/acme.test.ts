import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { request } from "node:https";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { GoProxyMirror, GoToolchainHost, type GoProxyMirrorArgs } from "../../src/index";
import { mirrorPlace } from "../../src/plan/mirror/place";
import { hostRelease, release, said, target } from "../hosts/programs";
import { hosts, type Host } from "../hosts/support/hosts";
import { TestStack } from "../support/engine";
import { AcmeServer, DENIED } from "./support/acme-server";
import { DOMAIN, Surroundings } from "./support/mirror-host";

const COMPONENT = "gofleet-test-goproxy";
const STATE = `/var/lib/${mirrorPlace(COMPONENT).frontUser}`;
const RENEWAL = `gofleet-${COMPONENT}-acme`;
const NGINX = `gofleet-${COMPONENT}-nginx`;
const SERVER = "acme.test.example";

/** Its zip is larger than what buffers on the way hold. */
const LARGE = "/golang.org/x/text/@v/v0.14.0.zip";
const DOWNLOADS = 200;

/** One stack from its first up to its end: each test goes on from where the one before left it. */
describe("a mirror's certificate from an ACME server, on a real host", function () {
  this.timeout(600_000);
  let around: Surroundings;
  let acme: AcmeServer;
  let roots: string;
  let server: Host;
  let client: Host;
  let stack: TestStack;

  const program =
    (more: Partial<GoProxyMirrorArgs> = {}) =>
    async () => {
      const { directory } = acme;
      const tls = { acme: { acceptTerms: true, directory, ca: around.authority.root.certificate + roots } } as const;
      const mirror = new GoProxyMirror("goproxy", around.args(server, { tls, ...more }));
      const source = { kind: "module", proxy: around.upstream.url } as const;
      new GoToolchainHost("go", { target: target(client), go: release("1.26.7"), source, mirror });
      return { origin: mirror.origin };
    };

  before(async function () {
    around = await Surroundings.start(this, ["certbot"]);
    const address = await hosts.operatorAddress();
    const { certificate, key } = around.authority.leaf(SERVER);
    const cert = around.authority.chain({ name: SERVER, certificate, key });
    acme = await AcmeServer.start(SERVER, address, { cert, key });
    roots = await acme.root();
    server = await around.host("mirror");
    client = await around.host("builder", server);
    await server.exec(`echo '${address} ${SERVER}' >>/etc/hosts`);
    await acme.leadTo(server.address);
    stack = await TestStack.create(program());
  });

  after(async () => {
    stack?.remove();
    await acme?.stop();
    await around?.stop();
  });

  /** The certificate that clients are shown, which they trust by the ACME server's CA alone. */
  async function shown(): Promise<X509Certificate> {
    const socket = connect({ host: server.address, port: 443, servername: DOMAIN, ca: roots });
    await once(socket, "secureConnect");
    const { raw } = socket.getPeerCertificate();
    socket.destroy();
    return new X509Certificate(raw);
  }

  /** Resolves when clients see another certificate: a reload takes effect a moment after it was asked for. */
  async function renewedFrom(serial: string): Promise<void> {
    for (let tries = 0; (await shown()).serialNumber === serial; tries++) {
      assert.ok(tries < 600, "clients still see the certificate of before");
      await sleep(200);
    }
  }

  /** A download of which nothing but the headers has been read. */
  async function open(): Promise<IncomingMessage> {
    const options = { host: server.address, servername: DOMAIN, ca: roots, headers: { host: DOMAIN }, agent: false };
    const sent = request({ ...options, path: LARGE });
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    assert.equal(response.statusCode, 200);
    return response.pause();
  }

  async function whole(response: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  /** Asks the ACME server for nothing while this goes on. */
  async function unasked(body: () => Promise<unknown>): Promise<void> {
    const before = acme.asked;
    await body();
    assert.equal(acme.asked, before);
  }

  it("is not asked for where something else has port 80", async () => {
    await server.exec("systemd-run --unit=theirs python3 -m http.server 80");
    await server.exec("until ss -Hltn | grep -q ':80 '; do sleep 0.1; done");
    await unasked(async () => {
      const failed = await stack.up({ expect: "failure" });
      assert.match(said(failed), /port 0\.0\.0\.0:80.*is held .*by python3 .*theirs\.service/);
    });
    await server.exec("systemctl stop theirs");
  });

  it("is what a first release cannot do without: what the ACME server saw is said", async () => {
    await acme.leadTo(await hosts.operatorAddress());
    const failed = await stack.up({ expect: "failure" });
    assert.match(said(failed), /there is no certificate yet.*connection refused/is);
    assert.equal(await hostRelease(server, COMPONENT), "");
    assert.equal((await server.exec("systemctl --failed --plain --no-legend")).trim(), "");
    await acme.leadTo(server.address);
  });

  it("comes with the first release, and clients trust it", async () => {
    await stack.up();
    assert.equal(acme.issued, 1);
    const certificate = await shown();
    assert.equal(certificate.checkHost(DOMAIN), DOMAIN);
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
    const status = `curl -s -o /dev/null -w '%{http_code}' https://${DOMAIN}${LARGE}`;
    assert.equal(await client.exec(status), "200");
  });

  it("has its key for root alone, and nothing of certbot's package at work", async () => {
    const keys = `find ${STATE} \\( -name '*key*.pem' -o -name private_key.json \\) -type f -printf '%m %u:%g\\n' | sort -u`;
    assert.deepEqual((await server.exec(keys)).trim().split("\n"), ["400 root:root", "600 root:root"]);
    assert.equal((await server.exec(`stat -c %a ${STATE}/certbot`)).trim(), "700");
    const { stdout } = await server.run("systemctl is-enabled certbot.timer; systemctl is-active certbot.timer");
    assert.equal(stdout, "disabled\ninactive\n");
    await server.exec("test ! -e /etc/letsencrypt/accounts && test ! -e /var/lib/letsencrypt/backups");
    assert.equal((await server.exec(`systemctl is-active ${RENEWAL}.timer`)).trim(), "active");
  });

  it("has its end among the metrics", async () => {
    const end = Date.parse((await shown()).validTo) / 1000;
    const metric = "gofleet_mirror_certificate_not_after_timestamp_seconds";
    await server.exec(
      `for i in $(seq 300); do curl -s http://127.0.0.1:9180/metrics/store | grep -q '^${metric}.* ${end}$' && exit; sleep 1; done; exit 1`,
    );
  });

  it("is all that is spoken of over plain HTTP", async () => {
    const get = (path: string) =>
      server.exec(`curl -s -o /dev/null -w '%{http_code}' --path-as-is 'http://${DOMAIN}${path}'`);
    for (const path of [
      "/",
      LARGE,
      "/.well-known/acme-challenge/",
      "/.well-known/acme-challenge/../../../certbot/said",
    ]) {
      assert.match(await get(path), /^40[034]$/, path);
    }
    await server.exec(
      `mkdir -p ${STATE}/challenges/.well-known/acme-challenge && cd $_ && umask 022 && echo yes >token`,
    );
    assert.equal(await get("/.well-known/acme-challenge/token"), "200");
    await server.exec(`rm ${STATE}/challenges/.well-known/acme-challenge/token`);
  });

  it("is not asked for again: by a second up, another release, a restart, the timer, or the release that comes back", () =>
    unasked(async () => {
      const first = await hostRelease(server, COMPONENT);
      const before = (await shown()).serialNumber;
      assert.deepEqual((await stack.up()).changes, {});
      stack.program = program({ log: { requests: "all" } });
      await stack.up();
      assert.notEqual(await hostRelease(server, COMPONENT), first);
      await server.exec(`systemctl restart ${NGINX} && systemctl start ${RENEWAL}`);
      stack.program = program();
      await stack.up();
      assert.equal(await hostRelease(server, COMPONENT), first);
      assert.equal((await shown()).serialNumber, before);
    }));

  it(`is renewed in the middle of ${DOWNLOADS} downloads and while others begin; none is broken`, async () => {
    const wanted = await whole(await open());
    const before = (await shown()).serialNumber;
    const downloads: IncomingMessage[] = [];
    while (downloads.length < DOWNLOADS) downloads.push(...(await Promise.all(Array.from({ length: 20 }, open))));
    let renewed = false;
    const renewal = server.exec(`touch ${STATE}/renew && systemctl start ${RENEWAL}`).finally(() => (renewed = true));
    let others = 0;
    while (!renewed || others === 0) {
      assert.ok((await whole(await open())).equals(wanted));
      others += 1;
    }
    await renewal;
    for (const download of downloads) assert.ok((await whole(download)).equals(wanted));
    assert.equal(acme.issued, 2);
    await renewedFrom(before);
    await server.exec(`test ! -e ${STATE}/renew`);
  });

  it("stays where it cannot be renewed, and keeps no release from going on", async () => {
    const before = (await shown()).serialNumber;
    await acme.leadTo(await hosts.operatorAddress());
    await server.exec(`touch ${STATE}/renew`);
    const { code } = await server.run(`systemctl start ${RENEWAL}`);
    assert.notEqual(code, 0);
    stack.program = program({ log: { requests: "none" } });
    await stack.up();
    assert.equal((await shown()).serialNumber, before);
    await acme.leadTo(server.address);
    await server.exec(`systemctl start ${RENEWAL}`);
    await renewedFrom(before);
    stack.program = program();
    await stack.up();
  });

  it("takes the release back that asks for what the ACME server denies, with what it said", async () => {
    const [before, serial] = [await hostRelease(server, COMPONENT), (await shown()).serialNumber];
    const issued = acme.issued;
    stack.program = program({ domain: DENIED });
    const failed = await stack.up({ expect: "failure" });
    assert.match(said(failed), /there is no certificate yet.*rejectedIdentifier.*forbidden by policy/s);
    assert.equal(await hostRelease(server, COMPONENT), before);
    assert.equal((await shown()).serialNumber, serial);
    assert.equal(acme.issued, issued);
  });

  it("takes the release back whose challenge goes astray, with what the ACME server saw", async () => {
    const [before, serial] = [await hostRelease(server, COMPONENT), (await shown()).serialNumber];
    await acme.leadTo(await hosts.operatorAddress());
    stack.program = program({ domain: "astray.test.example" });
    const failed = await stack.up({ expect: "failure" });
    assert.match(said(failed), /there is no certificate yet.*astray\.test\.example.*connection refused/is);
    assert.equal(await hostRelease(server, COMPONENT), before);
    assert.equal((await shown()).serialNumber, serial);
    await acme.leadTo(server.address);
    stack.program = program();
    await unasked(() => stack.up());
  });

  it("goes with the mirror, its key and the account as well", () =>
    unasked(async () => {
      await stack.destroy();
      await server.exec(`test ! -e ${STATE} && ! find / -xdev -name '*${DOMAIN}*' | grep -v /srv/ | grep .`);
      const { stdout } = await server.run(`systemctl list-units --all --plain --no-legend '*${COMPONENT}*'`);
      assert.equal(stdout, "");
    }));
});
