import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { request } from "node:https";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import { DOMAIN, testMirrors, zip, type TestMirror } from "../support/front";

const MODULE = "example.com/big";
/** More than buffers on the way mostly hold, so that nginx is in the middle of a download. */
const SIZE = 2 ** 20;
/** More than they ever hold; few, so that all are through before the old workers have to end. */
const LARGE = 8 * SIZE;
const DOWNLOADS = 1000;
const PER_LARGE = 50;

describe("the front's reload", function () {
  const make = testMirrors();
  let mirror: TestMirror;
  beforeEach(async () => {
    // The time that somebody has who has connected and not yet asked: three reloads may take longer here.
    const edit = (config: string): string =>
      config.replace("client_header_timeout 30s;", "client_header_timeout 600s;");
    mirror = make({ files: { edit } });
    mirror.version(MODULE, "v1.0.0");
    mirror.version(MODULE, "v1.0.0", { "source.zip": zip(MODULE, "v1.0.0", SIZE) });
    mirror.version(MODULE, "v1.1.0");
    mirror.version(MODULE, "v1.1.0", { "source.zip": zip(MODULE, "v1.1.0", LARGE) });
    await mirror.start();
  });

  /** A download of which nothing has been read but the headers. */
  async function open(version: string): Promise<IncomingMessage> {
    const { front, files } = mirror;
    const path = `/${MODULE}/@v/${version}.zip`;
    const sent = request({ host: "127.0.0.1", port: front.port, path, servername: DOMAIN, ca: files.ca, agent: false });
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.pause();
    return response;
  }

  /** The serial number of the certificate that a new connection sees. */
  async function serial(): Promise<string> {
    const { front, files } = mirror;
    const socket = connect({ host: "127.0.0.1", port: front.port, servername: DOMAIN, ca: files.ca });
    await once(socket, "secureConnect");
    const { raw } = socket.getPeerCertificate();
    socket.destroy();
    return new X509Certificate(raw).serialNumber;
  }

  it(`breaks none of ${DOWNLOADS} open downloads, and renews the certificate`, async () => {
    const versions = Array.from({ length: PER_LARGE }, (_, index) => (index === 0 ? "v1.1.0" : "v1.0.0"));
    const downloads: IncomingMessage[] = [];
    while (downloads.length < DOWNLOADS) downloads.push(...(await Promise.all(versions.map(open))));
    const old = mirror.front.workers();
    const renewed = mirror.ca.leaf(DOMAIN);
    const before = await serial();
    await mirror.front.reload({ files: { ...mirror.files, certificate: mirror.ca.chain(renewed), key: renewed.key } });
    const after = await serial();
    assert.notEqual(after, before);
    assert.equal(after, new X509Certificate(renewed.certificate).serialNumber);
    const busy = old.filter((worker) => mirror.front.workers().includes(worker));
    assert.notDeepEqual(busy, [], "every download was over before the reload");
    const wholes = [zip(MODULE, "v1.1.0", LARGE), zip(MODULE, "v1.0.0", SIZE)] as const;
    for (const [index, download] of downloads.entries()) {
      const whole = wholes[index % PER_LARGE === 0 ? 0 : 1];
      let at = 0;
      for await (const chunk of download as AsyncIterable<Buffer>) {
        assert.ok(chunk.equals(whole.subarray(at, at + chunk.length)));
        at += chunk.length;
      }
      assert.equal(at, whole.length);
    }
    assert.equal((await mirror.front.get(`/${MODULE}/@v/v1.0.0.info`)).status, 200);
  });

  it("hangs up on nobody who has connected and not yet asked, or connects meanwhile", async () => {
    const { front, files } = mirror;
    const path = `/${MODULE}/@v/v1.0.0.info`;
    const waiting = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const socket = connect({ host: "127.0.0.1", port: front.port, servername: DOMAIN, ca: files.ca });
        await once(socket, "secureConnect");
        return socket;
      }),
    );
    let reloading = true;
    const connecting = Array.from({ length: 10 }, async () => {
      const found: number[] = [];
      while (reloading) found.push((await front.get(path)).status);
      return found;
    });
    for (let reloads = 0; reloads < 3; reloads++) await front.reload();
    reloading = false;
    const met = (await Promise.all(connecting)).flat();
    assert.deepEqual([...new Set(met)], [200]);
    for (const socket of waiting) {
      socket.end(`GET ${path} HTTP/1.1\r\nHost: ${DOMAIN}\r\nConnection: close\r\n\r\n`);
      assert.match(await text(socket), /^HTTP\/1\.1 200 /);
    }
  });

  it("keeps what runs where the new configuration is not good", async () => {
    const before = await serial();
    const stranger = mirror.ca.leaf("stranger.example");
    const broken = { ...mirror.files, key: stranger.key };
    await assert.rejects(mirror.front.reload({ files: broken }), /key values mismatch/);
    assert.equal(await serial(), before);
    assert.equal((await mirror.front.get(`/${MODULE}/@v/v1.0.0.info`)).status, 200);
  });
});
