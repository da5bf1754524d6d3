import assert from "node:assert/strict";
import { hosts, needsHosts } from "../hosts/support/hosts";
import { needsGo } from "../support/go";
import { PlannedHost } from "./support/planned-host";

/** Bytes in use on the host's own disk. */
async function used({ host }: PlannedHost): Promise<number> {
  return Number((await host.exec("sync; df --output=used -B1 / | tail -n 1")).trim());
}

/** Commands that write without end in each place, and say how that ended. */
const bomb = (places: readonly string[]) =>
  places
    .map((place) => `head -c 2000000000 /dev/zero 2>&1 >"${place}/bomb" | sed 's/.*: //'; rm -f "${place}/bomb"`)
    .join("\n");

const PLACES = [".", "$HOME", "$TMPDIR", "$GOTMPDIR", "/tmp", "/var/tmp", "/dev/shm", "$GOMODCACHE", "$GOCACHE"];
const FULL = "No space left on device";

describe("a disk bomb in a slot", function () {
  before(function () {
    needsHosts(this);
    needsGo(this);
  });
  afterEach(() => hosts.stopAll());

  it("ends at the bound of its workspace, wherever it writes, and touches no disk and no neighbour", async () => {
    const sandbox = await PlannedHost.boot("bounded", {
      cache: { kind: "tmpfs", size: "64 MiB", persist: false },
      limits: { memory: "4 GiB", workspace: "128 MiB" },
    });
    assert.equal((await sandbox.job(2, "echo ready")).output, "ready\n");
    const before = await used(sandbox);
    const attack = sandbox.start(1, `${bomb(PLACES)}\ndf --output=size -B1M . /tmp /var/tmp /dev/shm | tail -n 4`);
    const neighbour = await sandbox.job(2, 'head -c 20000000 /dev/zero >file && mkdir "$HOME/x" && echo works');
    assert.deepEqual(neighbour, { code: 0, output: "works\n" });
    const { code, output } = await sandbox.ended(attack);
    assert.equal(code, 0, output);
    const lines = output.trim().split("\n");
    assert.deepEqual(
      lines.map((line) => line.trim()),
      [...PLACES.map(() => FULL), "128", "128", "128", "128"],
    );
    const grown = (await used(sandbox)) - before;
    assert.ok(grown < 8 * 2 ** 20, `${grown} bytes more on the disk`);
    const look = 'find . /tmp /var/tmp /dev/shm "$HOME" -mindepth 1; head -c 100000000 /dev/zero >file && echo room';
    assert.deepEqual(await sandbox.job(1, look), { code: 0, output: "room\n" });
  });

  it("without a bound fills the disk, fails, and goes; meanwhile no other job begins", async () => {
    const args = { cache: { kind: "disk", size: "64 MiB" } } as const;
    const sandbox = await PlannedHost.boot("unbounded", args, ({ watch, job }) => {
      watch.waitSeconds = 2;
      job.pauseWaitSeconds = 2;
    });
    const watch = () => sandbox.unit("gofleet-ci-watch");
    assert.equal((await watch()).code, 0);
    // It leaves a little, so that the test hears of it.
    const attack = sandbox.start(
      1,
      `head -c 2000000000 /dev/zero >bomb 2>/dev/null && exit 0
       truncate -s -8M bomb; echo full >/srv/results/full
       while [ ! -e /srv/jobs/go-on ]; do sleep 0.1; done; exit 3`,
    );
    await sandbox.said("full");
    const full = await watch();
    assert.match(full.said, /paused: no new job begins: \S*: 9\d/);
    const waiting = sandbox.start(2, "echo after");
    const refused = "journalctl -u gofleet-ci@2 --no-pager | grep 'no new job may begin: watch: '";
    await sandbox.untilCommand("refusal", refused);
    assert.equal((await sandbox.host.run(`ls /srv/results/${waiting}.taken`)).code, 2);
    sandbox.write("/srv/jobs/go-on", "");
    assert.equal((await sandbox.ended(attack)).code, 3);
    const over = await sandbox.until("end of the pause", async () => {
      const { said } = await watch();
      return said.includes("the pause is over") ? said : undefined;
    });
    assert.match(over, /below 80 %/);
    assert.deepEqual(await sandbox.ended(waiting), { code: 0, output: "after\n" });
  });
});
