import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { AGENT_CREDENTIAL } from "../../src/plan/sandbox/agents";
import { hosts, needsHosts } from "../hosts/support/hosts";
import { GITHUB_AGENT, PLANTED_TOKEN } from "../support/agents";
import { needsGo, temporaryDirectory } from "../support/go";
import { FakeGithub } from "./support/fake-github";
import { PlannedHost } from "./support/planned-host";

const CREDENTIAL = `/etc/gofleet/ci/current/.gofleet/secrets/${AGENT_CREDENTIAL}`;
const TREE = "/usr/local/lib/gofleet/ci/actions-runner-2.336.0";

/** One host from its start up to its end, with a forge beside it: each test goes on from where the one before left it. */
describe("agents of a forge on a host", function () {
  let folder: string;
  let github: FakeGithub;
  let sandbox: PlannedHost;

  before(async function () {
    needsHosts(this);
    needsGo(this);
    folder = temporaryDirectory();
    github = await new FakeGithub(PLANTED_TOKEN).listen(await hosts.operatorAddress(), folder);
    sandbox = await PlannedHost.boot(
      "agents",
      {
        agent: { ...GITHUB_AGENT, url: github.url, stop: { within: "20 s" } },
        cache: { kind: "disk", size: "64 MiB" },
      },
      ({ job }) => (job.pauseWaitSeconds = 2),
      (host) => {
        host.write(CREDENTIAL, `${PLANTED_TOKEN}\n`, 0o400);
        host.write("/etc/ssl/certs/test-forge.pem", github.ca);
        host.write(`${TREE}/run.sh`, readFileSync(join(__dirname, "support", "run.sh"), "utf8"), 0o755);
      },
    );
  });
  after(async () => {
    await github?.stop();
    await hosts.stopAll();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  /** The slot's runner, as soon as GitHub knows one that is not this. */
  const runner = (slot: number, not?: string) =>
    sandbox.until(`runner of slot ${slot}`, () => {
      const { name } = github.of(slot) ?? {};
      return name === not ? undefined : name;
    });
  const none = (slot: number) =>
    sandbox.until(`end of slot ${slot}'s runner`, () => (github.of(slot) === undefined ? true : undefined));
  /** A job that lasts until it is told to end; GitHub knows that its runner is busy. */
  const longJob = async (slot: number, name: string) => {
    const job = sandbox.start(
      slot,
      `echo >/srv/results/begun-${name}; while [ ! -e /srv/jobs/end-${name} ]; do sleep 0.1; done; echo done`,
    );
    await sandbox.said(`begun-${name}`);
    const known = github.of(slot);
    assert.ok(known);
    known.busy = true;
    return job;
  };
  const endJob = (slot: number, name: string) => {
    github.jobEnded(slot);
    sandbox.write(`/srv/jobs/end-${name}`, "");
  };

  it("are known for one job each, and have nothing of the credential", async () => {
    const [one, two] = [await runner(1), await runner(2)];
    assert.notEqual(one, two);
    const { code, output } = await sandbox.job(
      1,
      `env; cat ../agent/.credentials; cat ../.handed ${CREDENTIAL} /var/lib/gofleet-ci/agents/1.json 2>&1
       tr '\\0' ' ' </proc/self/cmdline; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; touch ../agent/left; exit 0`,
    );
    assert.equal(code, 0);
    assert.match(output, new RegExp(`^jit-config-of-${one}$`, "m"));
    assert.equal(output.match(/Permission denied/g)?.length, 2, output);
    assert.match(output, /\.handed: No such file/);
    assert.doesNotMatch(output, /planted|JITCONFIG|jit-config.*jit-config/);
    const next = await runner(1, one);
    assert.deepEqual([...github.runners.keys()].sort(), [next, two].sort());
    assert.deepEqual(await sandbox.job(1, "ls -A ../agent"), { code: 0, output: ".credentials\nrun.sh\n" });
    assert.equal(await sandbox.host.exec(`ls -A ${TREE}`), "run.sh\n");
  });

  it("leave no trace of the credential but its file", async () => {
    const places = "/etc /opt /run /srv /tmp /usr/local /var";
    const found = await sandbox.host.run(`grep -rlsF --devices=skip ${PLANTED_TOKEN} ${places}`);
    assert.equal(found.stdout, `${CREDENTIAL}\n`);
    // What is looked for is read from files, so that the commands that look are not found themselves.
    const processes = await sandbox.host.run(`grep -lsF -f ${CREDENTIAL} /proc/[0-9]*/cmdline /proc/[0-9]*/environ`);
    assert.equal(processes.stdout, "");
    sandbox.write("/srv/handed", "jit-config-of\n");
    const argv = await sandbox.host.run("grep -lsF -f /srv/handed /proc/[0-9]*/cmdline");
    assert.equal(argv.stdout, "");
    const journal = await sandbox.host.run(
      `journalctl --no-pager -o json | grep -c -e ${PLANTED_TOKEN} -e jit-config-of`,
    );
    assert.equal(journal.stdout, "0\n");
  });

  it("are forgotten after a crash and a power cut", async () => {
    const crashed = await runner(1);
    await sandbox.host.exec("systemctl kill --signal=KILL gofleet-ci@1");
    const cut = await runner(1, crashed);
    assert.deepEqual([...github.runners.keys()].length, 2);
    const other = await runner(2);
    await sandbox.host.kill();
    assert.deepEqual([...github.runners.keys()].sort(), [cut, other].sort());
    await sandbox.host.powerOn();
    await runner(1, cut);
    await runner(2, other);
    await sandbox.until("removal of both", () =>
      github.runners.has(cut) || github.runners.has(other) ? undefined : true,
    );
    assert.equal(github.runners.size, 2);
  });

  it("are drained: one without a job goes at once, one with a job after it", async () => {
    await runner(1);
    const job = await longJob(1, "drain");
    const first = await sandbox.program("drain", "-wait", "2s");
    assert.equal(first.code, 75, first.stderr);
    await none(2);
    assert.ok(github.of(1));
    endJob(1, "drain");
    assert.deepEqual(await sandbox.ended(job), { code: 0, output: "done\n" });
    const second = await sandbox.program("drain", "-wait", "30s");
    assert.equal(second.code, 0, second.stderr);
    assert.equal(github.runners.size, 0);
    assert.equal((await sandbox.program("resume")).code, 0);
    await runner(1);
    await runner(2);
  });

  it("finish their job when their slot is stopped, and are unknown then", async () => {
    const job = await longJob(1, "stop");
    await sandbox.host.exec("systemctl stop --no-block gofleet-ci@1 gofleet-ci@2");
    await none(2);
    assert.equal((await sandbox.host.run("systemctl is-active gofleet-ci@1")).stdout, "deactivating\n");
    endJob(1, "stop");
    assert.deepEqual(await sandbox.ended(job), { code: 0, output: "done\n" });
    await sandbox.untilCommand(
      "end of both slots",
      '[ "$(systemctl is-active gofleet-ci@1 gofleet-ci@2 | sort -u)" = inactive ] && echo yes',
    );
    assert.equal(github.runners.size, 0);
    assert.equal(await sandbox.host.exec("ls -A /var/lib/gofleet-ci/agents"), "");
  });

  it("hold up no stop where the forge is gone, which is said", async () => {
    await sandbox.host.exec("systemctl start gofleet-ci@2");
    const known = await runner(2);
    const { url } = github;
    await github.stop();
    await sandbox.host.exec("systemctl stop gofleet-ci@2");
    const words = "journalctl --no-pager -q -o cat -u gofleet-ci@2 | grep 'still knows'";
    const said = await sandbox.untilCommand("word of it", words);
    assert.match(said, new RegExp(`the forge still knows an agent of slot 2: ${known} at ${url}`));
  });
});
