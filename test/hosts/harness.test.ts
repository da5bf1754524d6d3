import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GoProxy } from "./support/goproxy";
import { pause } from "./support/machine";
import { difference, type Host, hosts, needsHosts } from "./support/hosts";

describe("test hosts", function () {
  let first: Host;
  let second: Host;

  before(async function () {
    needsHosts(this);
    [first, second] = await Promise.all([hosts.boot("rack-01"), hosts.boot("rack-02", { disk: "200M" })]);
  });

  after(() => hosts.stopAll());

  it("are hosts of their own, with systemd as PID 1 and nothing failed", async () => {
    assert.equal((await first.exec("cat /proc/1/comm")).trim(), "systemd");
    assert.equal((await first.exec("systemctl is-system-running")).trim(), "running");
    assert.equal((await first.exec("hostname")).trim(), "rack-01");
    assert.equal((await first.exec("cat /etc/machine-id")).trim(), first.machineId);
    assert.notEqual(first.machineId, second.machineId);
    assert.notEqual(first.hostKey, second.hostKey);
    assert.notEqual(first.address, second.address);
  });

  it("reach each other and this machine, and nothing beyond", async () => {
    await first.exec(`timeout 5 bash -c '</dev/tcp/${second.address}/22'`);
    const beyond = await first.run("timeout 5 bash -c '</dev/tcp/198.51.100.1/22'");
    assert.match(beyond.stderr, /unreachable/);
  });

  it("reach a server that the test runs", async () => {
    const proxy = await GoProxy.start({ address: await hosts.operatorAddress(), cache: "/nonexistent" });
    const status = await first.exec(`curl -s -o /dev/null -w '%{http_code}' ${proxy.url}/anything`);
    await proxy.stop();
    assert.equal(status, "404");
    assert.deepEqual(proxy.requests, ["/anything"]);
  });

  it("refuse a login when the host key is not the pinned one", async () => {
    const pinned = readFileSync(first.knownHostsFile, "utf8");
    writeFileSync(first.knownHostsFile, `${first.address} ${second.hostKey}\n`);
    try {
      const result = await first.run("true");
      assert.equal(result.code, 255);
      assert.match(result.stderr, /host key/i);
    } finally {
      writeFileSync(first.knownHostsFile, pinned);
    }
  });

  it("let one user become root without a password and another only with it", async () => {
    assert.equal(await first.exec("sudo -n id -u", { user: "fleet" }), "0\n");
    const without = await first.run("sudo -n id -u", { user: "secure" });
    assert.match(without.stderr, /password is required/);
    const input = `${await hosts.sudoPassword()}\n`;
    assert.equal(await first.exec("sudo -S -p '' id -u", { user: "secure", input }), "0\n");
  });

  it("write nothing by themselves, so that listings can be compared", async () => {
    const before = await first.listing();
    assert.ok(before.size > 5000, `only ${before.size} paths`);
    await pause(3000);
    await first.exec("systemctl daemon-reload");
    assert.deepEqual(difference(before, await first.listing()), []);
  });

  it("show every kind of change in a listing", async () => {
    const before = await first.listing();
    await first.exec("echo a >/etc/new; chmod 600 /etc/crontab; chown fleet /etc/fstab; ln -sf /x /etc/localtime");
    await first.exec("rm /etc/issue; echo b >>/etc/issue.net");
    const lines = difference(before, await first.listing());
    const changed = [...new Set(lines.map((line) => /^[-+] ([^:]*):/.exec(line)?.[1]))].sort();
    const expected = ["crontab", "fstab", "issue", "issue.net", "localtime", "new"].map((name) => `/etc/${name}`);
    assert.deepEqual(changed, expected);
  });

  it("come back from a reboot as the same host", async () => {
    const boots = first.bootCount;
    await first.exec("echo kept >/var/tmp/kept; echo lost >/run/lost");
    await first.reboot();
    assert.equal(first.bootCount, boots + 1);
    assert.equal(await first.exec("cat /var/tmp/kept; test -e /run/lost || echo gone"), "kept\ngone\n");
    assert.equal((await first.exec("cat /etc/machine-id")).trim(), first.machineId);
  });

  it("stay off after a power-off, until they are switched on", async () => {
    await first.powerOff();
    assert.equal(first.running, false);
    assert.equal((await first.run("true")).code, 255);
    await first.powerOn();
    await first.exec("true");
  });

  it("lose what ran, not what was written, when the power is cut", async () => {
    await first.exec("systemd-run --unit=at-stop -p ExecStop='/bin/touch /var/tmp/stopped' sleep infinity");
    await first.exec("echo written >/var/tmp/written; sync");
    await first.kill();
    assert.equal((await first.run("true")).code, 255);
    await first.powerOn();
    assert.equal(
      await first.exec("cat /var/tmp/written; test -e /var/tmp/stopped || echo untold"),
      "written\nuntold\n",
    );
  });

  it("go on alone while the network is cut", async () => {
    await first.exec("systemd-run --quiet sh -c 'sleep 1; echo done >/var/tmp/alone'");
    await first.cut();
    assert.equal((await first.run("true")).code, 255);
    assert.equal(readFileSync(join(first.rootDir, "var/tmp/alone"), "utf8"), "done\n");
    await first.restore();
    await first.exec("true");
  });

  it("run out of space on a disk of limited size only", async () => {
    await assert.rejects(first.fillDisk(), /shares this machine's disk/);
    await second.fillDisk();
    const full = await second.run("head -c 100000 /dev/zero >/etc/big");
    assert.match(full.stderr, /No space left/);
    second.freeDisk();
    await second.exec("head -c 100000 /dev/zero >/etc/big");
  });

  it("are somebody else after a reinstall", async () => {
    const { machineId, hostKey, address } = second;
    await second.exec("touch /var/tmp/from-before");
    await second.reinstall();
    assert.equal(second.address, address);
    assert.notEqual(second.machineId, machineId);
    assert.notEqual(second.hostKey, hostKey);
    assert.equal((await second.exec("cat /etc/machine-id")).trim(), second.machineId);
    assert.equal((await second.run("test -e /var/tmp/from-before")).code, 1);
  });

  it("leave nothing behind: not on SIGTERM, and after a kill -9 not past the next run", async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const left = await bootAndEnd(signal);
      if (signal === "SIGKILL") {
        assert.ok(existsSync(left.rootDir), "the killed run should have left its host");
        await (
          await bootAndEnd("SIGTERM")
        ).ended;
      }
      assert.equal(existsSync(left.rootDir), false, `${left.rootDir} is still there after ${signal}`);
      assert.doesNotMatch(readFileSync("/proc/mounts", "utf8"), new RegExp(left.rootDir));
      assert.ok(!commandLines().some((line) => line.includes(left.rootDir)), "systemd-nspawn still runs");
    }
  });
});

/** Boots a host in a process of its own and ends that process with a signal. */
async function bootAndEnd(signal: NodeJS.Signals): Promise<{ rootDir: string; ended: Promise<void> }> {
  const program = `
    const { hosts } = require(${JSON.stringify(join(__dirname, "support/hosts"))});
    hosts.boot("left").then((host) => { console.log(host.rootDir); setInterval(() => undefined, 1000); });`;
  const child = spawn(process.execPath, ["--import", "tsx", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit").then(() => undefined);
  const [output] = (await once(child.stdout, "data")) as [Buffer];
  child.kill(signal);
  await ended;
  return { rootDir: output.toString().trim(), ended };
}

function commandLines(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "utf8");
      } catch {
        return ""; // ended meanwhile
      }
    });
}
