import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { AGENT_CREDENTIAL } from "../../src/plan/sandbox/agents";
import { hosts, needsHosts } from "../hosts/support/hosts";
import { JENKINS_AGENT, PLANTED_TOKEN } from "../support/agents";
import { needsGo, temporaryDirectory } from "../support/go";
import { FakeJenkins } from "./support/fake-jenkins";
import { PlannedHost } from "./support/planned-host";

const CREDENTIAL = `/etc/gofleet/ci/current/.gofleet/secrets/${AGENT_CREDENTIAL}`;
const TREE = `/usr/local/lib/gofleet/ci/jenkins-agent-${JENKINS_AGENT.runner.version}`;

/** One host from its start up to its end, with a Jenkins beside it: each test goes on from where the one before left it. */
describe("agents of a Jenkins on a host", function () {
  let folder: string;
  let jenkins: FakeJenkins;
  let sandbox: PlannedHost;

  before(async function () {
    needsHosts(this);
    needsGo(this);
    folder = temporaryDirectory();
    jenkins = await new FakeJenkins(PLANTED_TOKEN).listen(await hosts.operatorAddress(), folder);
    sandbox = await PlannedHost.boot(
      "jenkins",
      {
        agent: { ...JENKINS_AGENT, url: jenkins.url, stop: { within: "20 s" } },
        cache: { kind: "disk", size: "64 MiB" },
      },
      ({ job }) => (job.pauseWaitSeconds = 2),
      (host) => {
        host.write(CREDENTIAL, `builder:${PLANTED_TOKEN}\n`, 0o400);
        host.write("/etc/ssl/certs/test-forge.pem", jenkins.ca);
        host.write(`${TREE}/agent.jar`, "an archive\n");
        host.write("/usr/bin/java", readFileSync(join(__dirname, "support", "java.sh"), "utf8"), 0o755);
      },
    );
  });
  after(async () => {
    await jenkins?.stop();
    await hosts.stopAll();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  /** The slot's node, as soon as its agent has connected; one that is not this. */
  const agent = (slot: number, not?: string) =>
    sandbox.until(`agent of slot ${slot}`, () => {
      const { name } = jenkins.of(slot) ?? {};
      const connected = join(sandbox.host.rootDir, `srv/results/connected.${slot}.${name}`);
      return name === undefined || name === not || !existsSync(connected) ? undefined : name;
    });
  const gone = (slot: number) =>
    sandbox.until(`end of slot ${slot}'s node`, () => (jenkins.of(slot) === undefined ? true : undefined));
  /** A job that lasts until it is told to end; Jenkins knows that its node is busy. */
  const longJob = async (slot: number, name: string) => {
    const node = jenkins.of(slot);
    assert.ok(node);
    node.busy = true;
    const script = `echo >/srv/results/begun-${name}; while [ ! -e /srv/jobs/end-${name} ]; do sleep 0.1; done; echo done`;
    const job = sandbox.start(slot, script);
    await sandbox.said(`begun-${name}`);
    return { job, node };
  };
  const endJob = async ({ job, node }: Awaited<ReturnType<typeof longJob>>, name: string) => {
    sandbox.write(`/srv/jobs/end-${name}`, "");
    const ended = await sandbox.ended(job);
    node.busy = false;
    return ended;
  };
  const DONE = { code: 0, output: "done\n" };

  it("are nodes with a secret of their own each, and have nothing of the credential", async () => {
    const [one, two] = [await agent(1), await agent(2)];
    assert.notEqual(one, two);
    assert.equal(jenkins.of(1)?.labels, JENKINS_AGENT.labels.join(" "));
    assert.equal(await sandbox.said(`connected.1.${one}`), `${one} ${jenkins.secretOf(one)}\n`);
    const places = "/etc /opt /run /srv /tmp /usr/local /var";
    const found = await sandbox.host.run(`grep -rlsF --devices=skip ${PLANTED_TOKEN} ${places}`);
    assert.equal(found.stdout, `${CREDENTIAL}\n`);
    // What is looked for is read from files, so that the commands that look are not found themselves.
    sandbox.write("/srv/secrets", `${PLANTED_TOKEN}\n${jenkins.secretOf(one)}\n${jenkins.secretOf(two)}\n`);
    const processes = await sandbox.host.run("grep -lsF -f /srv/secrets /proc/[0-9]*/cmdline /proc/[0-9]*/environ");
    assert.equal(processes.stdout, "");
    const journal = await sandbox.host.run("journalctl --no-pager -o json | grep -c -F -f /srv/secrets");
    assert.equal(journal.stdout, "0\n");
    await sandbox.host.exec("rm /srv/secrets");
  });

  it("get no second job while they have one, and end after it", async () => {
    const first = await agent(1);
    const long = await longJob(1, "first");
    await sandbox.until("closed node", () => (long.node.closed ? true : undefined));
    assert.equal(jenkins.of(1)?.name, first);
    assert.deepEqual(await endJob(long, "first"), DONE);
    const next = await agent(1, first);
    assert.ok(!jenkins.nodes.has(first));
    const second = await longJob(1, "second");
    assert.equal(await sandbox.said(`${second.job}.taken`), `${next}\n`);
    assert.deepEqual(await endJob(second, "second"), DONE);
    await agent(1, next);
  });

  it("are forgotten after a crash, also one in a job that Jenkins still waits for", async () => {
    const crashed = await agent(1);
    const { node } = await longJob(1, "crash");
    await sandbox.host.exec("systemctl kill --signal=KILL gofleet-ci@1");
    await agent(1, crashed);
    assert.ok(node.busy && !jenkins.nodes.has(crashed));
    assert.equal(jenkins.nodes.size, 2);
  });

  it("are drained: one without a job goes at once, one with a job after it", async () => {
    await agent(2);
    const long = await longJob(1, "drain");
    const first = await sandbox.program("drain", "-wait", "2s");
    assert.equal(first.code, 75, first.stderr);
    await gone(2);
    assert.ok(jenkins.of(1)?.closed);
    assert.deepEqual(await endJob(long, "drain"), DONE);
    const second = await sandbox.program("drain", "-wait", "30s");
    assert.equal(second.code, 0, second.stderr);
    assert.equal(jenkins.nodes.size, 0);
    assert.equal((await sandbox.program("resume")).code, 0);
  });

  it("finish their job when their slot is stopped, and are unknown then", async () => {
    await Promise.all([agent(1), agent(2)]);
    await sandbox.host.exec("systemctl stop gofleet-ci-attendant");
    const long = await longJob(1, "stop");
    await sandbox.host.exec("systemctl stop --no-block gofleet-ci@1 gofleet-ci@2");
    await gone(2);
    assert.equal((await sandbox.host.run("systemctl is-active gofleet-ci@1")).stdout, "deactivating\n");
    assert.deepEqual(await endJob(long, "stop"), DONE);
    await sandbox.untilCommand(
      "end of both slots",
      '[ "$(systemctl is-active gofleet-ci@1 gofleet-ci@2 | sort -u)" = inactive ] && echo yes',
    );
    assert.equal(jenkins.nodes.size, 0);
    assert.equal(await sandbox.host.exec("ls -A /var/lib/gofleet-ci/agents"), "");
  });
});
