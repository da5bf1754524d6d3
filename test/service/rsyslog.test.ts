import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { GoServiceUnitArgs, RsyslogArgs } from "../../src/index";
import { rsyslogCheck } from "../../src/render/service/rsyslog-check";
import { said } from "../hosts/programs";
import { type Host, hosts } from "../hosts/support/hosts";
import { packageRepository } from "../mirror/support/packages";
import { PackageServer } from "../sandbox/support/package-server";
import { TestAuthority } from "../support/certificates";
import { TestStack } from "../support/engine";
import { temporaryDirectory } from "../support/go";
import { until } from "../support/until";
import { comesTrue, COMPONENT, property, ServiceLab, told, UNIT } from "./support/service-lab";
import { SyslogReceiver, type Pair } from "./support/syslog-receiver";

const FILE = "/var/log/served.log";
const RULE = `/etc/rsyslog.d/30-gofleet-${COMPONENT}.conf`;
const NAME = "logs.corp.example";
const PLANTED = "a-variable-that-is-nobody-elses";

/** One stack on a host with an rsyslog of its own; each test goes on from where the one before left it. */
describe("a service whose lines rsyslog gets", function () {
  let lab: ServiceLab;
  let packages: PackageServer;
  let receiver: SyslogReceiver;
  let host: Host;
  let stack: TestStack;
  let ca: string;
  let right: Pair;
  let wrong: Pair;
  let folder: string;

  before(async function () {
    lab = await ServiceLab.start(this);
    const address = await hosts.operatorAddress();
    const repository = await packageRepository(["rsyslog", "rsyslog-gnutls", "logrotate"]);
    packages = await PackageServer.start(address, repository);
    folder = temporaryDirectory();
    const authority = new TestAuthority(join(folder, "ca"));
    const pair = (name: string): Pair => {
      const leaf = authority.leaf(name);
      return { cert: authority.chain(leaf), key: leaf.key };
    };
    ca = authority.root.certificate;
    [right, wrong] = [pair(NAME), pair("other.corp.example")];
    receiver = new SyslogReceiver(address);
    await receiver.start(right);
    host = await hosts.boot("server");
    await host.exec(`rm -rf /etc/apt/sources.list.d/*; echo '${packages.source}' >/etc/apt/sources.list`);
    await host.exec("apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy rsyslog");
    stack = await TestStack.create(run());
  });

  after(async () => {
    stack?.remove();
    if (folder) rmSync(folder, { recursive: true, force: true });
    await receiver?.stop();
    await packages?.stop();
    await lab?.stop();
  });

  const rsyslog = (): RsyslogArgs<string> => ({
    file: FILE,
    server: { address: receiver.address, protocol: "tcp", tls: { ca, name: NAME } },
  });
  const run = (more: Partial<GoServiceUnitArgs> = {}) =>
    lab.program(host, {
      env: told({ SERVED_GREETING: PLANTED }),
      journal: { rsyslog: rsyslog() },
      rollback: { watch: false },
      ...more,
    });

  /** A line under the service's name. */
  const say = (text: string) => host.exec(`echo '${text}' | systemd-cat -t served`);
  const inFile = (text: string, file = FILE) => comesTrue(host, `grep -q 'served.*: ${text}' ${file}`);
  const atServer = (text: string) => until(() => receiver.texts("served").includes(text), 240);

  it("has rsyslog put them into a file and send them to a server with the right certificate", async () => {
    await stack.up();
    await inFile("served v1 listens on 1 sockets");
    await atServer("served v1 listens on 1 sockets");
    assert.equal((await host.exec(`stat -c '%a %U:%G' ${FILE}`)).trim(), "640 root:adm");
    assert.equal(await host.exec("grep ' served[:[]' /var/log/syslog || true"), "");
    assert.match(await host.exec(`journalctl -q -o cat -u ${UNIT}`), /^served v1 listens/m);
    assert.equal((await host.exec("systemctl is-active rsyslog.service logrotate.timer")).trim(), "active\nactive");
    assert.equal(await host.exec(`grep -rl ${PLANTED} /etc/rsyslog.d /etc/logrotate.d || true`), "");
    assert.deepEqual((await stack.up()).changes, {});
  });

  it("has the file rotated", async () => {
    await host.exec(`logrotate --force --state /run/rotated /etc/logrotate.d/gofleet-${COMPONENT}-log`);
    await say("after the rotation");
    await inFile("after the rotation");
    await inFile("served v1 listens on 1 sockets", `${FILE}.1`);
  });

  it("loses nothing to a server that is down, nor to an rsyslog that is restarted meanwhile", async () => {
    await say("before it goes");
    await atServer("before it goes");
    await receiver.stop();
    // What is sent into a connection that just broke is the one line that is sent again.
    await say("as it goes");
    await comesTrue(host, `grep -q 'cannot connect to ${receiver.address}' /var/log/syslog`);
    await say("while it is away");
    await inFile("while it is away");
    await receiver.start(right);
    await atServer("as it goes");
    await atServer("while it is away");

    await receiver.stop();
    await host.exec(`systemctl restart rsyslog.service
      for i in $(seq 300); do echo "counted $i"; done | systemd-cat -t served; echo 'last of them' | systemd-cat -t served`);
    await inFile("last of them");
    await host.exec("systemctl restart rsyslog.service");
    await receiver.start(right);
    await atServer("last of them");
    // journald forwards to rsyslog what that can take; all of it comes to the server.
    const counted = [...(await host.exec(`cat ${FILE}`)).matchAll(/: (counted \d+)$/gm)].map(([, text]) => text ?? "");
    assert.ok(counted.length > 0);
    await until(() => counted.every((text) => receiver.texts("served").includes(text)), 240);
  });

  it("tells nothing to a server with another name", async () => {
    await receiver.stop();
    await receiver.start(wrong);
    const before = receiver.messages.length;
    await host.exec("systemctl restart rsyslog.service");
    await say("for the right one only");
    await comesTrue(host, "grep -q 'peer name not authorized.*other.corp.example' /var/log/syslog");
    assert.equal(receiver.messages.length, before);
    await receiver.stop();
    await receiver.start(right);
    await atServer("for the right one only");
  });

  it("stays as it is where rsyslog would not take its configuration", async () => {
    const state = async () => [await host.exec(`cat ${RULE}`), await property(host, "MainPID", "rsyslog.service")];
    const before = await state();
    await host.exec(`echo 'action(type="omfile" fil="/var/log/x")' >/etc/rsyslog.d/10-broken.conf`);
    stack.program = run({ journal: { rsyslog: { file: FILE } } });
    const failed = said(await stack.up({ expect: "failure" }));
    await host.exec("rm /etc/rsyslog.d/10-broken.conf");
    assert.match(failed, /refused, nothing changed: .*rsyslogd -N1: .*10-broken\.conf, on or before line 1: omfile/);
    assert.deepEqual(await state(), before);

    await host.exec("systemctl disable rsyslog.service");
    const disabled = said(await stack.up({ expect: "failure" }));
    await host.exec("systemctl enable rsyslog.service");
    assert.match(disabled, /rsyslog\.service is not enabled on this host: systemctl enable --now rsyslog\.service/);
    assert.deepEqual(await state(), before);
  });

  it("is checked with its own rule in its place", async () => {
    const script = rsyslogCheck({ rule: RULE, identifier: "served" });
    const check = async (rule: string) => {
      const folder = "/run/gofleet-test-staged";
      await host.exec(`mkdir -p ${folder}/etc/rsyslog.d && cat >${folder}${RULE}`, { input: rule });
      return host.run(`GOFLEET_STAGED=${folder} sh -s`, { input: script });
    };
    const good = await host.exec(`cat ${RULE}`);
    assert.deepEqual(await check(good), { code: 0, stdout: "", stderr: "" });
    const broken = await check(good.replace("queue.size", "queue.sise"));
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /^rsyslogd -N1: .*parameter 'queue\.sise' not known/s);
    assert.equal(await host.exec(`cat ${RULE}`), good);

    await host.exec(`cp ${RULE} /etc/rsyslog.d/30-gofleet-other.conf`);
    assert.match((await check(good)).stderr, /^30-gofleet-other\.conf has the lines of the same identifier/);
    await host.exec("rm /etc/rsyslog.d/30-gofleet-other.conf");

    const settings = "/etc/systemd/journald.conf.d/forward.conf";
    await host.exec(
      `mkdir -p ${settings.replace(/\/[^/]*$/, "")} && printf '[Journal]\\nForwardToSyslog = No\\n' >${settings}`,
    );
    assert.match((await check(good)).stderr, /^journald gives rsyslog nothing: set ForwardToSyslog=yes/);
    await host.exec(`rm ${settings}`);
  });

  it("leaves rsyslog running without the rule where the service wants none any more", async () => {
    stack.program = run({ journal: {} });
    await stack.up();
    await withoutRule("no rule any more");
  });

  it("has it again, and goes without a trace of its own", async () => {
    stack.program = run();
    await stack.up();
    await say("with a rule again");
    await atServer("with a rule again");
    await stack.destroy();
    await withoutRule("all is gone");
    assert.match(await host.exec("systemctl is-enabled rsyslog.service"), /^enabled/);
  });

  async function withoutRule(text: string): Promise<void> {
    const paths = `/etc/rsyslog.d/*gofleet* /etc/logrotate.d/*gofleet*`;
    assert.equal(await host.exec(`ls -d ${paths} 2>/dev/null || true`), "");
    // systemd starts one again that fails as it starts.
    await comesTrue(host, "systemctl is-active rsyslog.service");
    await say(text);
    await inFile(text, "/var/log/syslog");
  }
});
