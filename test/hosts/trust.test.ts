import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onHost, runOn } from "../agent/on-host";
import { file, plan, release, type Release } from "../agent/support";
import { must } from "./support/commands";
import { difference, type Host, hosts, type Listing, needsHosts } from "./support/hosts";

const PATH = "/usr/local/share/ca-certificates/fleet.crt";

describe("what a real host trusts", function () {
  let host: Host;
  let work: string;
  let untouched: Listing;
  let certificates: readonly string[];

  before(async function () {
    needsHosts(this);
    work = mkdtempSync(join(tmpdir(), "gofleet-trust-"));
    certificates = await Promise.all([authority("one"), authority("two")]);
    host = await hosts.boot("trust");
    untouched = await host.listing();
  });
  after(async () => {
    if (work) rmSync(work, { recursive: true, force: true });
    await hosts.stopAll();
  });

  const authority = async (name: string): Promise<string> => {
    const [key, certificate] = [join(work, `${name}.key`), join(work, `${name}.crt`)];
    const subject = ["-subj", `/CN=fleet ${name}`, "-days", "2"];
    await must("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-keyout", key, "-out", certificate, ...subject],
    ]);
    return readFileSync(certificate, "utf8");
  };
  const trusting = (which: number, probe = "true\n", more: Parameters<typeof plan>[0] = {}): Release =>
    release(
      plan({
        files: [file(PATH, certificates[which] ?? "", { place: "copy" })],
        probes: [{ name: "p", timeout: 5, script: probe }],
        ...more,
      }),
    );
  /** The certificates of ours in the bundle that programs read, by number. */
  const trusted = async (): Promise<number[]> => {
    const bundle = await host.exec("cat /etc/ssl/certs/ca-certificates.crt");
    return certificates.flatMap((text, index) => (bundle.includes(text.trim()) ? [index] : []));
  };
  const bundleMade = (): Promise<string> => host.exec("stat -c %Y%i /etc/ssl/certs/ca-certificates.crt");

  it("follows a release: added before its probes run, changed, and untouched by what is not about it", async () => {
    const asks = 'test -n "$(ls /etc/ssl/certs/fleet.pem)"\n';
    const on = await runOn(host, trusting(0, asks));
    assert.equal(on.code, 0, JSON.stringify(on));
    assert.deepEqual(await trusted(), [0]);
    assert.equal((await runOn(host, trusting(1))).code, 0);
    assert.deepEqual(await trusted(), [1]);
    const made = await bundleMade();
    assert.equal((await runOn(host, trusting(1, "exit 0\n"))).code, 0);
    assert.equal(await bundleMade(), made);
  });

  it("goes back with a release that is not healthy", async () => {
    assert.equal((await runOn(host, trusting(0, "exit 1\n"))).code, 20);
    assert.deepEqual(await trusted(), [1]);
  });

  it("is mended with the file", async () => {
    await host.exec(`rm ${PATH} && update-ca-certificates`);
    assert.deepEqual(await trusted(), []);
    assert.equal((await runOn(host, trusting(1))).result["status"], "ok");
    assert.deepEqual(await trusted(), [1]);
  });

  for (const step of ["flipped", "linked", "users"]) {
    it(`is right after a kill at step ${step} and the end of the agent`, async () => {
      const killed = runOn(
        host,
        trusting(0, "true\n", { symlinks: [{ path: "/etc/x", target: step, switched: false }] }),
        {
          pause: step,
        },
      );
      let found = "";
      while (found === "") found = (await host.run("grep -l paused /var/lib/gofleet/go/runs/*/log")).stdout.trim();
      const directory =
        found
          .split("\n")
          .at(-1)
          ?.replace(/\/log$/, "") ?? "";
      await host.exec(`kill -9 $(cat ${directory}/pid)`);
      assert.equal((await killed).code, 20);
      assert.deepEqual(await trusted(), [1]);
      await host.exec("rm -rf /var/lib/gofleet/go/runs/*");
    });
  }

  it("is as before when the component goes, and after a first release that failed", async () => {
    assert.equal((await onHost(host, "remove")).code, 0);
    assert.deepEqual(difference(untouched, await host.listing()), []);
    assert.equal((await runOn(host, trusting(0, "exit 1\n"))).code, 21);
    assert.deepEqual(await trusted(), []);
    assert.equal((await onHost(host, "remove")).code, 0);
    assert.deepEqual(difference(untouched, await host.listing()), []);
  });

  it("is refused where nothing could make it trusted", async () => {
    await host.exec("mv /usr/sbin/update-ca-certificates /usr/sbin/hidden");
    const refused = await runOn(host, trusting(0));
    assert.deepEqual([refused.code, await host.run(`ls ${PATH}`).then(({ code }) => code)], [14, 2]);
    assert.match(
      String(refused.result["msg"]),
      /missing: update-ca-certificates, for \S+fleet\.crt \(install ca-certificates/,
    );
    await host.exec("mv /usr/sbin/hidden /usr/sbin/update-ca-certificates");
    assert.deepEqual(difference(untouched, await host.listing()), []);
  });
});
