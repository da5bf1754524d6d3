import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestStack } from "../support/engine";
import { hostRelease, said, stateReleases, target } from "./programs";
import { file, raw } from "./raw-program";
import { must } from "./support/commands";
import { FileServer, type Certificate } from "./support/file-server";
import { difference, hosts, type Listing, needsVirtualHosts, type VirtualHost } from "./support/hosts";

const COMPONENT = "raw";
const DAY = 86_400_000;
const YEAR = 365 * DAY;
const CONFIG = "/etc/demo/demo.conf";
/** What a host's own services write as time goes by. */
const BY_ITSELF = /^[-+] \/(var\/lib\/(systemd|logrotate)|var\/(backups|cache)|etc\/\.updated)\b/;

/**
 * Each host has a kernel of its own (QEMU), and so really another time than the operator. One stack from its first up to
 * its end: each test goes on from where the one before left it.
 */
for (const [name, off, untimely] of [
  ["a year ahead", YEAR, /certificate has expired/],
  ["a year behind", -YEAR, /certificate is not yet valid/],
] as const) {
  describe(`a real host whose clock is ${name}`, function () {
    this.timeout(600_000);
    let host: VirtualHost;
    let work = "";
    let plain: FileServer;
    let secure: FileServer;
    let stack: TestStack;
    let untouched: Listing;

    /** A file, a unit that reads it, a probe, a window to confirm in, and a tool downloaded from there. */
    const program = (version: string, from = plain) => {
      const path = `/tool-${version}.tar.gz`;
      const archive = from.files.get(path) ?? readFileSync(join(work, path));
      from.files.set(path, archive);
      return raw({
        target: target(host),
        plan: {
          files: [
            file(CONFIG, `${version}\n`),
            file("/etc/systemd/system/demo.service", "[Service]\nExecStart=sleep infinity\n"),
          ],
          downloads: [
            {
              name: `tool-${version}`,
              format: "tar.gz",
              variants: [
                {
                  arch: "any",
                  checksum: createHash("sha256").update(archive).digest("hex"),
                  urls: [`${from.url}${path}`],
                },
              ],
            },
          ],
          units: [{ name: "demo.service", onChange: "restart", reads: [CONFIG] }],
          probes: [{ name: "runs", timeout: 60, script: "systemctl is-active demo.service\n" }],
          confirm: 60,
        },
      });
    };
    /** The host is on that version as a whole, and the state says so. */
    const isOn = async (version: string): Promise<void> => {
      assert.deepEqual(Object.values(await stateReleases(stack, "raw-release")), [await hostRelease(host, COMPONENT)]);
      const look = `cat ${CONFIG}; /usr/local/lib/gofleet/${COMPONENT}/tool-${version}/bin/tool; systemctl is-active demo`;
      assert.equal(await host.exec(look), `${version}\n${version}\nactive\n`);
    };
    const isOff = async (): Promise<void> => {
      const difference = (await host.clock()).getTime() - Date.now();
      assert.ok(Math.abs(difference - off) < DAY, `the clock is off by ${difference / DAY} days`);
    };

    before(async function () {
      needsVirtualHosts(this);
      work = mkdtempSync(join(tmpdir(), "gofleet-clock-"));
      for (const version of ["v1", "v2", "v3", "v4"]) await archive(work, version);
      const address = await hosts.operatorAddress();
      const certificate = await selfSigned(work, address);
      [plain, secure] = [await FileServer.start(address), await FileServer.start(address, certificate)];
      host = await hosts.bootVirtual("rack-01", { clock: new Date(Date.now() + off) });
      await host.exec("cat >>/etc/ssl/certs/ca-certificates.crt", { input: certificate.cert });
      untouched = await host.listing();
      stack = await TestStack.create(program("v1"));
    });

    after(async () => {
      stack?.remove();
      if (work) rmSync(work, { recursive: true, force: true });
      await plain?.stop();
      await secure?.stop();
      await hosts.stopAll();
    });

    it("comes on, with what it downloads by HTTP and checks by its sum, and stays", async () => {
      await isOff();
      await stack.up();
      await isOn("v1");
      assert.deepEqual((await stack.up()).changes, {});
      assert.deepEqual(plain.requests, ["/tool-v1.tar.gz"]);
    });

    it("takes a change", async () => {
      stack.program = program("v2");
      await stack.up();
      await isOn("v2");
    });

    it("shows what was changed by hand, and is healed", async () => {
      const tool = `/usr/local/lib/gofleet/${COMPONENT}/tool-v2/bin/tool`;
      await host.exec(`rm ${CONFIG}; echo echo other >${tool}`);
      await stack.refresh();
      const text = await stack.previewText();
      assert.match(text, /\/etc\/demo\/demo\.conf *: "missing/);
      assert.match(text, /tool-v2\/bin\/tool *: "modified/);
      await stack.up();
      await isOn("v2");
      assert.deepEqual((await stack.preview({ refresh: true })).changes, {});
    });

    it("refuses a download by TLS, saying what is wrong with the certificate's time, and goes on with what it has", async () => {
      await isOff();
      stack.program = program("v3", secure);
      const failed = said(await stack.up({ expect: "failure" }));
      assert.match(failed, /refused, nothing changed/);
      assert.match(failed, untimely);
      await isOn("v2");
    });

    it("takes the same download when its clock was put right", async () => {
      await host.setClock(new Date());
      await stack.up();
      await isOn("v3");
      assert.deepEqual((await stack.preview({ refresh: true })).changes, {});
    });

    it("keeps the releases that came last, whatever the clock said when they came", async () => {
      const before = await hostRelease(host, COMPONENT);
      stack.program = program("v4");
      await stack.up();
      // The agent throws away what is too old after it has answered.
      await host.exec("while pgrep -f '^sh /run/gofleet/[^ ]*/[a]gent'; do sleep 1; done", { timeout: 60_000 });
      const kept = (await host.exec(`ls /etc/gofleet/${COMPONENT}/releases`)).trim().split("\n");
      assert.equal(kept.length, 3);
      assert.ok(kept.includes(before), "the release before is gone, and an older one is there");
    });

    it("is as it was before when the component goes", async () => {
      await stack.destroy();
      assert.deepEqual(
        difference(untouched, await host.listing()).filter((line) => !BY_ITSELF.test(line)),
        [],
      );
    });
  });
}

/** An archive with a tool in it that says its version. */
async function archive(directory: string, version: string): Promise<void> {
  const tree = join(directory, version);
  mkdirSync(join(tree, "bin"), { recursive: true });
  writeFileSync(join(tree, "bin", "tool"), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
  await must("tar", ["-czf", join(directory, `tool-${version}.tar.gz`), "-C", directory, version]);
}

/** A certificate for that address, valid for a month from now. */
async function selfSigned(directory: string, address: string): Promise<Certificate> {
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert];
  const subject = ["-subj", "/CN=test", "-addext", `subjectAltName=IP:${address}`, "-days", "30"];
  await must("openssl", ["req", "-x509", ...made, ...subject]);
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}
