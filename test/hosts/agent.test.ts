import assert from "node:assert/strict";
import { onHost, runOn, service } from "../agent/on-host";
import { COMPONENT, file, plan, release, type Answer, type Event } from "../agent/support";
import { difference, type Host, hosts, needsHosts } from "./support/hosts";

const units = (answer: Answer, ev: string): unknown[] =>
  answer.events.filter((event) => event.ev === ev).map(({ unit }) => unit);
const one = service("one");
const two = service("two");

/** Steps between the first change and the last, and the state a host must never be left in: between the two. */
const STEPS = [
  "txn",
  "ledger",
  "dropped",
  "flipped",
  "linked",
  "users",
  "reloaded",
  "restarting",
  "restarted",
  "probing",
  "probed",
];

describe("agent on a systemd host", function () {
  let host: Host;
  before(async function () {
    needsHosts(this);
    host = await hosts.boot("agent");
  });
  after(() => hosts.stopAll());

  const says = async (): Promise<string> =>
    (await host.exec("cat /run/demo/said /etc/demo/main.conf")).replace(/serving /, "").trim();
  const settled = async (): Promise<void> =>
    assert.equal(
      await host.exec(`ls /etc/gofleet/${COMPONENT}/txn 2>/dev/null; systemctl --failed --no-legend; true`),
      "",
    );

  it("installs, restarts what changed and nothing else, goes back from bad releases, and leaves no trace", async () => {
    const before = await host.listing();
    const on = await runOn(host, one);
    assert.equal(on.code, 0, JSON.stringify(on));
    assert.deepEqual(units(on, "restart"), ["demo.service", "demo.timer"]);
    assert.equal(await host.exec("stat -c %U:%a /etc/gofleet/go/current/etc/demo/main.conf"), "demo:640\n");
    assert.equal((await runOn(host, one)).result["status"], "same");
    const up = await runOn(host, two);
    assert.deepEqual([up.code, units(up, "restart"), await says()], [0, ["demo.service"], "two\ntwo"]);
    assert.equal(
      (await host.exec("systemctl is-enabled demo.timer demo.service gofleet-boot")).trim(),
      "enabled\nenabled\nenabled",
    );
    assert.deepEqual(
      (await onHost(host, "read")).events.filter(({ ev }) => ev === "drift"),
      [],
    );

    const unhealthy = service("bad", { probes: [{ name: "no", timeout: 2, script: "echo why >&2; exit 4\n" }] });
    const back = await runOn(host, unhealthy);
    assert.deepEqual([back.code, back.result["current"], await says()], [20, two.id, "two\ntwo"]);
    assert.ok(back.events.some(({ ev, msg }) => ev === "evidence" && String(msg).includes("why")));
    const refused = await runOn(
      host,
      release(plan({ files: [file("/etc/systemd/system/demo.service", "[Service]\nExecStart=/nowhere\n")] })),
    );
    assert.deepEqual([refused.code, await says()], [13, "two\ntwo"]);
    assert.match(String(refused.result["msg"]), /nowhere/);

    await host.exec("systemctl stop demo.service");
    const started = await runOn(host, two);
    assert.deepEqual([started.result["status"], units(started, "restart")], ["ok", ["demo.service"]]);
    await host.exec("rm /etc/systemd/system/demo.timer && echo '# by hand' >>/etc/demo/conf.d/3.conf");
    const drift = (await onHost(host, "read")).events
      .filter(({ ev }) => ev === "drift")
      .map(({ path, kind }) => `${String(kind)} ${String(path)}`);
    assert.deepEqual(drift.sort(), ["missing /etc/systemd/system/demo.timer", "modified /etc/demo/conf.d/3.conf"]);
    assert.equal((await runOn(host, two)).code, 0);

    const off = await onHost(host, "remove");
    assert.deepEqual([off.code, units(off, "stopped")], [0, ["demo.service", "demo.timer"]]);
    const left = difference(before, await host.listing()).filter(
      (line) => !/^[-+] \/etc\/(passwd|group|shadow|gshadow)-?:/.test(line),
    );
    assert.deepEqual(left, []);
    assert.equal(
      await host.exec("ls /run/gofleet 2>/dev/null; systemctl list-units --all --no-legend 'demo*' 'gofleet*'; true"),
      "",
    );
  });

  it("goes back by itself when it is killed, at whatever step", async () => {
    assert.equal((await runOn(host, one)).code, 0);
    for (const step of STEPS) {
      const kill = (event: Event): void => {
        if (event.ev === "paused") void host.exec(`kill -9 "$(cat /var/lib/gofleet/${COMPONENT}/runs/${step}/pid)"`);
      };
      const answer = await runOn(host, two, { tx: step, pause: step }, kill);
      assert.deepEqual(
        [answer.code, answer.result["current"], await says()],
        [20, one.id, "one\none"],
        `${step}: ${JSON.stringify(answer)}`,
      );
      await settled();
    }
    assert.equal((await runOn(host, two)).code, 0);
    assert.equal((await runOn(host, one)).code, 0);
  });

  it("runs a plan's checks as a unit of their own may need: over a cut, without the lock, before anything is switched", async () => {
    assert.equal((await runOn(host, one)).code, 0);
    const checked = (script: string) => service("two", { checks: [{ name: "canary", timeout: 30, script }] });
    const refused = await runOn(
      host,
      checked(
        `systemd-run --quiet --wait --collect --pipe -p MemoryMax=64M sh -c 'echo "$0" in a unit; exit 9' "$GOFLEET_STAGED"\n`,
      ),
      { tx: "refused" },
    );
    const staged = String(refused.result["to"]);
    assert.deepEqual([refused.code, refused.result["current"], await says()], [23, one.id, "one\none"]);
    assert.equal(
      refused.result["msg"],
      `check canary: exit code 9: /etc/gofleet/${COMPONENT}/releases/${staged} in a unit`,
    );
    assert.equal(
      await host.exec(`cat /var/lib/gofleet/${COMPONENT}/runs/refused/evidence/check-canary`),
      `/etc/gofleet/${COMPONENT}/releases/${staged} in a unit\n`,
    );

    const waits = checked("echo run >>/run/checked; while [ ! -e /run/go-on ]; do sleep 0.1; done\n");
    await runOn(host, waits, { tx: "waits" }, ({ ev }, cut) => ev === "check" && cut());
    await host.exec("flock -n /run/gofleet/lock true");
    assert.equal(await says(), "one\none");
    await host.exec("touch /run/go-on");
    const again = await runOn(host, waits, { tx: "waits" });
    assert.deepEqual([again.code, await says()], [0, "two\ntwo"], JSON.stringify(again));
    await settled();
    assert.equal((await runOn(host, one)).code, 0);
  });

  it("is on one release after a power cut, before any service starts", async () => {
    const cut = (event: Event, stop: () => void): void => {
      if (event.ev === "paused") stop();
    };
    for (const step of ["dropped", "linked", "probing", "unconfirmed"]) {
      await runOn(host, two, { tx: `cut-${step}`, pause: step, confirm: step === "unconfirmed" ? 300 : 0 }, cut);
      await host.kill();
      await host.powerOn();
      assert.equal(await says(), "one\none", step);
      await settled();
      assert.match(await host.exec(`cat /var/lib/gofleet/${COMPONENT}/decision`), /cause the host was restarted/);
      assert.equal((await host.exec("systemctl is-active demo.timer gofleet-boot")).trim(), "active\nactive");
      assert.equal((await runOn(host, one)).result["status"], "same");
    }
    assert.equal(
      (await runOn(host, two, { expect: one.id })).code,
      0,
      "the next run is not taken for somebody else's move",
    );
    await host.reboot();
    assert.equal(await says(), "two\ntwo");
    assert.equal((await runOn(host, two)).result["status"], "same");
    assert.equal((await onHost(host, "remove")).code, 0);
    assert.equal((await host.exec("systemctl list-units --all --plain --no-legend 'gofleet*'")).trim(), "");

    await runOn(host, one, { tx: "cut-first", pause: "linked" }, cut);
    await host.kill();
    await host.powerOn();
    assert.equal(
      await host.exec("ls -d /etc/gofleet/go /etc/demo /etc/systemd/system/demo.service 2>/dev/null; true"),
      "",
    );
    assert.equal((await runOn(host, one)).code, 0);
    assert.equal((await onHost(host, "remove")).code, 0);
  });

  it("opens the way in again when a release has closed it, and never stops a unit that is not its own", async () => {
    const sshd = (text: string) =>
      release(
        plan({
          files: [file("/etc/ssh/sshd_config.d/fleet.conf", text, { place: "copy", mode: "0600" })],
          units: [{ name: "ssh.service", onChange: "restart", reads: ["/etc/ssh/sshd_config.d/fleet.conf"] }],
          confirm: 4,
        }),
      );
    const open = sshd("PermitEmptyPasswords no\n");
    assert.equal((await runOn(host, open, { tx: "open" })).result["status"], "unconfirmed");
    assert.equal((await onHost(host, "confirm", { tx: "open" })).code, 0);
    const refused = await runOn(host, sshd("NoSuchOption yes\n"));
    assert.equal(refused.code, 13, JSON.stringify(refused));
    const closed = await runOn(host, sshd("AllowUsers nobody-at-all\n"), { tx: "closed" });
    assert.equal(closed.result["status"], "unconfirmed");
    assert.notEqual((await host.run("true")).code, 0, "the release really closed the way in");
    await new Promise((resolve) => setTimeout(resolve, 6000));
    assert.equal((await host.run("true")).code, 0);
    assert.equal((await onHost(host, "follow", { tx: "closed" })).result["current"], open.id);
    const off = await onHost(host, "remove");
    assert.deepEqual([off.code, units(off, "stopped"), units(off, "restart")], [0, [], ["ssh.service"]]);
    assert.equal((await host.exec("systemctl is-active ssh; ls /etc/ssh/sshd_config.d")).trim(), "active");
  });

  it("refuses units and users of the host, and gives kernel settings back", async () => {
    const hides = await runOn(host, release(plan({ files: [file("/etc/systemd/system/ssh.service", "[Service]\n")] })));
    assert.equal(hides.code, 18);
    assert.match(String(hides.result["msg"]), /would hide .*ssh\.service/);
    const user = await runOn(
      host,
      release(plan({ files: [file("/etc/sysusers.d/x.conf", "u www-data - - /srv/other -\n")] })),
    );
    assert.equal(user.code, 18);
    assert.match(String(user.result["msg"]), /www-data with home \/var\/www/);

    const key = "net.ipv4.conf.lo.log_martians";
    const read = async (): Promise<string> => (await host.exec(`cat /proc/sys/${key.replaceAll(".", "/")}`)).trim();
    const before = await read();
    const after = before === "1" ? "0" : "1";
    const on = await runOn(
      host,
      release(plan({ files: [file("/etc/sysctl.d/90-x.conf", `# why\n${key} = ${after}\n`)] })),
    );
    assert.deepEqual([on.code, await read()], [0, after], JSON.stringify(on));
    assert.equal((await onHost(host, "remove")).code, 0);
    assert.equal(await read(), before);
  });
});
