import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onHost, runOn } from "../agent/on-host";
import { COMPONENT, file, plan, release, until, type Answer, type Release } from "../agent/support";
import { enabling, offer, type Package } from "./repository";
import { difference, type Host, hosts, type Listing, needsHosts } from "./support/hosts";

const UNIT = "demod.service";
const POLICY = "/usr/sbin/policy-rc.d";
/** A daemon that is enabled and started by its package, and notes every start; it needs another package. */
const PACKAGES: readonly Package[] = [
  {
    name: "demod",
    depends: "demod-common",
    files: {
      "lib/systemd/system/demod.service": `[Service]
ExecStart=/usr/bin/demod
[Install]
WantedBy=multi-user.target
`,
      "usr/bin/demod": "#!/bin/sh\necho started >>/var/tmp/demod\nexec sleep infinity\n",
    },
    scripts: {
      // Stops while a test wants it to.
      preinst: "while [ -e /var/tmp/hold ]; do : >/var/tmp/held; sleep 0.1; done\n",
      postinst: enabling(UNIT),
    },
  },
  { name: "demod-common", files: { "usr/share/demod/common": "common\n" } },
  { name: "broken", files: {}, scripts: { postinst: "echo 'broken: no good' >&2; exit 7\n" } },
];
/** A release that needs the daemon's program for a unit of its own. */
const wants = (...packages: string[]): Release =>
  release(
    plan({
      packages,
      files: [
        file("/etc/systemd/system/ours.service", "[Service]\nType=oneshot\nExecStart=/usr/bin/demod --version\n"),
        file("/etc/demo.conf", packages.join(" ")),
      ],
    }),
  );
/** What apt and dpkg write whenever they run, and what the package holds. */
const THEIRS =
  /^[-+] \/(var\/(lib\/(dpkg|apt|systemd\/deb-systemd-helper)|cache\/(apt|ldconfig|debconf)|log\/(apt|dpkg))|usr\/(bin|share)\/demod|(usr\/)?lib\/systemd\/system\/demod)/;

describe("packages on a real host", function () {
  let host: Host;
  let untouched: Listing;

  before(async function () {
    needsHosts(this);
  });
  beforeEach(async () => {
    host = await hosts.boot("packages");
    await offer(host, PACKAGES);
    untouched = await host.listing();
  });
  afterEach(() => host?.stop());
  after(() => hosts.stopAll());

  const said = ({ events }: Answer): unknown[] => events.filter(({ ev }) => ev === "package").map(({ msg }) => msg);
  const status = async (name: string): Promise<string> =>
    (await host.run(`dpkg-query -W -f='\${db:Status-Abbrev}' ${name}`)).stdout.trim();
  const left = async (): Promise<string[]> =>
    difference(untouched, await host.listing()).filter((line) => !THEIRS.test(line));
  /** Neither runs nor would at the next boot, and never did. */
  const still = async (): Promise<void> => {
    const { stdout } = await host.run(`systemctl is-active ${UNIT}; systemctl is-enabled ${UNIT}; cat /var/tmp/demod`);
    assert.equal(stdout, "inactive\ndisabled\n");
    assert.ok(!existsSync(join(host.rootDir, POLICY)), "nothing keeps other packages from starting services");
  };

  it("are installed before the switch, start nothing, not even after a reboot, and stay", async () => {
    const on = await runOn(host, wants("demod"));
    assert.equal(on.code, 0, JSON.stringify(on));
    assert.deepEqual(said(on), ["installing demod", "installed demod demod-common"]);
    await still();
    assert.deepEqual([await status("demod"), await status("demod-common")], ["ii", "ii"]);
    const again = await runOn(host, wants("demod"));
    assert.deepEqual([again.result["status"], said(again)], ["same", []]);
    await host.reboot();
    await still();

    const off = await onHost(host, "remove");
    assert.match(String(off.result["msg"]), /packages that came with it stay: demod demod-common$/);
    assert.equal(await status("demod"), "ii");
    assert.deepEqual(await left(), []);
  });

  it("that somebody removed are drift, and come back", async () => {
    assert.equal((await runOn(host, wants("demod", "sudo"))).code, 0);
    await host.exec("apt-get -y purge demod");
    const read = await onHost(host, "read");
    assert.deepEqual(
      read.events.filter(({ ev }) => ev === "drift").map(({ path, kind }) => [path, kind]),
      [["package demod", "missing"]],
    );
    const healed = await runOn(host, wants("demod", "sudo"));
    assert.deepEqual([healed.result["status"], said(healed)], ["ok", ["installing demod", "installed demod"]]);
    await still();
  });

  it("that were there before are left as they are", async () => {
    await host.exec("apt-get update && apt-get -y install demod");
    assert.equal((await host.exec(`systemctl is-active ${UNIT}`)).trim(), "active");
    const on = await runOn(host, wants("demod"));
    assert.deepEqual([on.code, said(on)], [0, []]);
    assert.equal(
      (await host.exec(`systemctl is-active ${UNIT}; systemctl is-enabled ${UNIT}`)).trim(),
      "active\nenabled",
    );
    assert.doesNotMatch(String((await onHost(host, "remove")).result["msg"]), /stay/);
  });

  it("are stopped where a policy of the host's own lets them start; the policy stays", async () => {
    await host.exec(`printf '#!/bin/sh\\nexit 0\\n' >${POLICY}; chmod 755 ${POLICY}`);
    assert.equal((await runOn(host, wants("demod"))).code, 0);
    const { stdout } = await host.run(`systemctl is-active ${UNIT}; systemctl is-enabled ${UNIT}; cat ${POLICY}`);
    assert.equal(stdout, "inactive\ndisabled\n#!/bin/sh\nexit 0\n");
  });

  it("that do not exist or do not install: refused with apt's words, nothing is left", async () => {
    const none = await runOn(host, wants("nosuch"));
    assert.deepEqual([none.code, none.result["status"]], [14, "failed"]);
    assert.match(
      String(none.result["msg"]),
      /nosuch could not be installed: .*Unable to locate package nosuch.*correct the name/s,
    );
    assert.deepEqual(await left(), []);
    const broken = await runOn(host, wants("broken"));
    assert.equal(broken.code, 14);
    assert.match(String(broken.result["msg"]), /dpkg: error processing package broken.*status 7/s);
    assert.ok(JSON.stringify(broken.events).includes("broken: no good"));
    assert.ok(!existsSync(join(host.rootDir, POLICY)));
  });

  it("wait for others that use dpkg, but not for ever", async () => {
    const hold = (seconds: number): Promise<unknown> =>
      host.exec(
        `python3 -c "import fcntl,time; f=open('/var/lib/dpkg/lock-frontend','w'); fcntl.lockf(f,fcntl.LOCK_EX); open('/var/tmp/locked','w'); time.sleep(${seconds})"; rm /var/tmp/locked`,
      );
    const locked = (): Promise<void> => until(() => existsSync(join(host.rootDir, "var/tmp/locked")));
    let others = hold(15);
    await locked();
    const refused = await runOn(host, wants("demod"), { lockwait: 2 });
    assert.equal(refused.code, 14);
    assert.match(String(refused.result["msg"]), /lock.*wait for the other package operation to end/s);
    await others;
    others = hold(4);
    await locked();
    assert.equal((await runOn(host, wants("demod"), { lockwait: 60 })).code, 0);
    await others;
    await still();
  });

  const hold = (): void => writeFileSync(join(host.rootDir, "var/tmp/hold"), "");
  const held = (): Promise<void> => until(() => existsSync(join(host.rootDir, "var/tmp/held")));
  const go = (): Promise<unknown> => host.exec("rm /var/tmp/hold /var/tmp/held");

  it("are finished by themselves when the connection is cut", async () => {
    hold();
    let cut = (): void => undefined;
    const ended = runOn(host, wants("demod"), {}, (_, kill) => (cut = kill));
    await held();
    assert.equal(readFileSync(join(host.rootDir, POLICY), "utf8").split("\n").at(-2), "exit 101");
    cut();
    assert.equal((await ended).code, 255);
    await go();
    await until(() => !existsSync(join(host.rootDir, POLICY)));
    await still();
    const on = await runOn(host, wants("demod"));
    assert.equal(on.code, 0, JSON.stringify(on));
    assert.match(String((await onHost(host, "remove")).result["msg"]), /stay: demod demod-common$/);
  });

  it("are finished by the next run when the installer is killed with apt, and nothing starts meanwhile", async () => {
    hold();
    const ended = runOn(host, wants("demod"));
    await held();
    await host.exec(
      "kill -9 $(pgrep -f '[a]gent packages|^apt-get|^/usr/bin/dpkg|[t]mp.ci/preinst') ; rm /var/tmp/hold /var/tmp/held",
    );
    const died = await ended;
    assert.equal(died.code, 14, JSON.stringify(died));
    assert.ok(!existsSync(join(host.rootDir, POLICY)), JSON.stringify(died));
    const on = await runOn(host, wants("demod"));
    assert.equal(on.code, 0, JSON.stringify(on));
    await still();
  });

  it("survive a power cut: the policy goes at boot, and the next run finishes", async () => {
    hold();
    const ended = runOn(host, wants("demod"));
    await held();
    await host.kill();
    await ended;
    await host.powerOn();
    assert.ok(!existsSync(join(host.rootDir, POLICY)));
    await go();
    const on = await runOn(host, wants("demod"));
    assert.equal(on.code, 0, JSON.stringify(on));
    await still();
    assert.equal((await onHost(host, "remove")).code, 0);
    assert.ok(!existsSync(join(host.rootDir, "var/lib/gofleet", COMPONENT)));
  });
});
