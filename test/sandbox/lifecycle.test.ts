import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { hosts, needsHosts } from "../hosts/support/hosts";
import { needsGo } from "../support/go";
import { moduleProxy } from "../support/module-proxy";
import { PlannedHost } from "./support/planned-host";

const SLOTS = "/var/lib/gofleet-ci/slots";
const CACHES = "/var/cache/gofleet-ci";
const MODULES = [
  { path: "example.com/shared", version: "v1.0.0", files: { "a.go": "package shared\n" } },
  { path: "example.com/shared", version: "v1.1.0", files: { "a.go": "package shared\n" } },
] as const;
/** The proxy is the sandbox's. */
const DOWNLOAD = "GOFLAGS= go mod download";

/** What goes before and after each job: notes who it is, where, and how the job has ended. */
const HOOK = "/usr/local/bin/hook";
const NOTE = `#!/bin/sh
echo "$1 $(id -un) $(pwd) $GOFLEET_EXIT_CODE" >>"/srv/results/hooks.$(id -un)"
`;

describe("jobs of a sandbox on a host", function () {
  let sandbox: PlannedHost;

  before(async function () {
    needsHosts(this);
    needsGo(this);
    sandbox = await PlannedHost.boot(
      "jobs",
      {
        cache: { kind: "disk", size: "64 MiB" },
        inputs: { data: "/srv/data" },
        job: { before: [HOOK, "before"], after: [HOOK, "after"] },
        modules: { env: { GOPROXY: "file:///srv/proxy", GONOSUMDB: "example.com/*" } },
      },
      ({ watch, job }) => {
        watch.waitSeconds = 2;
        job.pauseWaitSeconds = 2;
      },
      (host) => host.write(HOOK, NOTE, 0o755),
    );
    sandbox.write("/srv/data/given", "input\n");
    await placeGo(sandbox);
    await moduleProxy(join(sandbox.host.rootDir, "srv/proxy"), MODULES);
  });
  after(() => hosts.stopAll());

  it("each has its own, at the same time, and leaves nothing to the next", async () => {
    const script = `
      id -un
      find ~ "$TMPDIR" "$GOTMPDIR" . -mindepth 1
      pwd
      cat ../inputs/data/given
      touch ~/h "$TMPDIR/t" "$GOTMPDIR/g" w "$GOMODCACHE/m" /tmp/x || exit 9
      touch ../inputs/data/given ${CACHES}/modules/x ${CACHES}/slots/layers/x 2>/dev/null && exit 8
      ls ${SLOTS}/$OTHER ${CACHES}/modules 2>/dev/null && exit 7
      touch "/srv/results/here-$OTHER"
      n=0; while [ ! -e "/srv/results/here-$SELF" ]; do sleep 0.1; n=$((n + 1)); [ $n -lt 300 ] || exit 6; done`;
    for (const round of [1, 2]) {
      const [one, two] = await Promise.all(
        [1, 2].map((self) => sandbox.job(self, `SELF=${self}; OTHER=${3 - self}; ${script}`)),
      );
      assert.deepEqual(one, { code: 0, output: `gofleet-ci-1\n${SLOTS}/1/work\ninput\n` }, `round ${round}`);
      assert.deepEqual(two, { code: 0, output: `gofleet-ci-2\n${SLOTS}/2/work\ninput\n` }, `round ${round}`);
      await sandbox.host.exec("rm /srv/results/here-*");
    }
  });

  it("have no io_uring, by which sockets are made that no filter of calls sees", async () => {
    // Its number is the same on all processors. The filter's answer comes before any of the kernel's own.
    const setUp = `perl -e 'my $p = "\\0" x 120; print syscall(425, 1, $p) < 0 ? "denied: $!" : "open"'`;
    const { output } = await sandbox.job(1, setUp);
    assert.equal(output, "denied: Operation not permitted", `on the host itself: ${await sandbox.host.exec(setUp)}`);
  });

  it("have a command before and one after, which knows how it ended", async () => {
    const notes = "/srv/results/hooks.gofleet-ci-2";
    await sandbox.host.exec(`rm -f ${notes}`);
    const { code, output } = await sandbox.job(2, `cat ${notes} 2>&1; exit 7`);
    const at = `gofleet-ci-2 ${SLOTS}/2/work`;
    assert.equal(code, 7);
    const after = await sandbox.untilCommand("note", `grep '^after .* 7$' ${notes}`);
    assert.equal(after, `after ${at} 7`);
    // This job's own came before its slot took it from the test; the next one's came since.
    assert.match(output, /^(cat: .*No such file or directory|before .*)$/m);
    assert.match(await sandbox.untilCommand("next", `grep '^before' ${notes}`), new RegExp(`^before ${at} ?$`, "m"));
  });

  it("one that is killed leaves no process, mount or file, whoever is killed", async () => {
    for (const victim of ["run", "runner"]) {
      const job = sandbox.start(
        1,
        `setsid sh -c 'sleep 1000 & sleep 1000' & mkdir -p a/b; echo >/srv/results/begun-${victim}; sleep 1000`,
      );
      await sandbox.said(`begun-${victim}`);
      const main = await sandbox.host.exec("systemctl show --value -p MainPID gofleet-ci@1");
      const pid = victim === "run" ? main : await sandbox.host.exec(`pgrep -o -P ${main.trim()}`);
      await sandbox.host.exec(`kill -9 ${pid}`);
      await sandbox.untilCommand(
        "new start",
        `[ "$(systemctl show --value -p MainPID gofleet-ci@1)" != "${main.trim()}" ] && pgrep -u gofleet-ci-1 runner`,
      );
      assert.equal((await sandbox.host.run("pgrep -u gofleet-ci-1 -f 'sleep 1000'")).stdout, "", victim);
      assert.deepEqual(await sandbox.job(1, "find . -mindepth 1"), { code: 0, output: "" }, `${victim} ${job}`);
    }
  });

  it("what a hostile one leaves goes, and nothing else", async () => {
    await sandbox.host.exec("mkdir -p /srv/victim && echo kept >/srv/victim/file && chmod 777 /srv/victim");
    const { code } = await sandbox.job(
      1,
      `ln -s / root; ln -s /srv/victim victim; ln /srv/victim/file hard 2>/dev/null
       mkdir -p closed/in && touch closed/in/f && chmod 0 closed/in closed
       mkfifo pipe; mv ../inputs ../moved; rm -rf ../home; ln -s /srv/victim ../home
       python3 -c 'import os
for i in range(1000): os.mkdir("n" * 200); os.chdir("n" * 200)'
       exit 0`,
    );
    assert.equal(code, 0);
    const { output } = await sandbox.job(1, "find .. -mindepth 1 -maxdepth 2; cat ../inputs/data/given; touch ~/x");
    assert.deepEqual(output.trim().split("\n").sort(), [
      "../gotmp",
      "../home",
      "../inputs",
      "../inputs/data",
      "../tmp",
      "../work",
      "input",
    ]);
    assert.equal(
      await sandbox.host.exec("ls /srv/victim; cat /srv/victim/file /srv/data/given"),
      "file\nkept\ninput\n",
    );
  });

  it("modules that they download come into the shared cache by their names, fetched by its own user", async () => {
    const download = await sandbox.job(
      1,
      `${DOWNLOAD} example.com/shared@v1.0.0 && chmod -R u+w "$GOMODCACHE" && echo 'package evil' >"$GOMODCACHE/example.com/shared@v1.0.0/a.go"`,
    );
    assert.equal(download.code, 0, download.output);
    await sandbox.untilCommand(
      "names",
      "cat /var/lib/gofleet-ci/wanted/* 2>/dev/null || ls -d " + CACHES + "/modules/example.com/shared@v1.0.0",
    );
    const fetched = await sandbox.unit("gofleet-ci-modules");
    assert.equal(fetched.code, 0, fetched.said);
    const shared = `${CACHES}/modules/example.com/shared@v1.0.0`;
    assert.equal(
      await sandbox.host.exec(`cat ${shared}/a.go; stat -c '%U %a' ${shared}; ls /var/lib/gofleet-ci/wanted`),
      "package shared\ngofleet-ci-mod 555\n",
    );
    // From there it is had without any proxy, and another version of it beside it.
    const offline = await sandbox.job(
      2,
      `GOPROXY=off go mod download example.com/shared@v1.0.0 && cat "$GOMODCACHE/example.com/shared@v1.0.0/a.go" &&
       ${DOWNLOAD} example.com/shared@v1.1.0 && ls "$GOMODCACHE/example.com" && ! touch "$GOMODCACHE/example.com/shared@v1.0.0/x" 2>/dev/null`,
    );
    assert.deepEqual(offline, { code: 0, output: "package shared\nshared@v1.0.0\nshared@v1.1.0\n" });
    assert.equal(await sandbox.host.exec(`ls ${CACHES}/modules/example.com`), "shared@v1.0.0\n");
  });

  it("a drain lets them finish and no other begin", async () => {
    const job = sandbox.start(
      1,
      "echo >/srv/results/drained; while [ ! -e /srv/jobs/go-on ]; do sleep 0.1; done; exit 3",
    );
    await sandbox.said("drained");
    const first = await sandbox.program("drain", "-reason", "'new disks'", "-wait", "3s");
    assert.equal(first.code, 75, first.stderr);
    assert.match(first.stderr, /jobs are still running: slots 1,/);
    sandbox.write("/srv/jobs/go-on", "");
    assert.equal((await sandbox.ended(job)).code, 3);
    const second = await sandbox.program("drain", "-reason", "'new disks'", "-wait", "30s");
    assert.equal(second.code, 0, second.stderr);
    const waiting = sandbox.start(1, "echo after");
    const status = JSON.parse((await sandbox.program("status")).stdout) as {
      paused: unknown;
      slots: { busy: boolean }[];
    };
    assert.match(JSON.stringify(status.paused), /new disks/);
    assert.deepEqual(
      status.slots.map(({ busy }) => busy),
      [false, false],
    );
    await sandbox.untilCommand(
      "exit with 75",
      "journalctl -u gofleet-ci@1 --no-pager | grep 'no new job may begin: operator: new disks'",
    );
    assert.equal((await sandbox.host.run(`ls /srv/results/${waiting}.taken`)).code, 2);
    assert.equal((await sandbox.program("resume")).code, 0);
    assert.deepEqual(await sandbox.ended(waiting), { code: 0, output: "after\n" });
  });

  it("a power cut leaves nothing to the next, and the sandbox goes on", async () => {
    sandbox.start(2, "mkdir -p a/b; touch a/b/c; echo >/srv/results/cut; sleep 1000");
    await sandbox.said("cut");
    await sandbox.host.kill();
    await sandbox.host.powerOn();
    const after = await sandbox.job(2, "find . -mindepth 1; cat ../inputs/data/given");
    assert.deepEqual(after, { code: 0, output: "input\n" });
    // The next job's own workspace input and module cache, and none of before.
    const points = `findmnt -rno TARGET | grep -e ${SLOTS}/2/ -e ${CACHES}/slots/2/ | sort`;
    await sandbox.untilCommand("two mounts", `[ "$(${points} | wc -l)" = 2 ] && ${points}`);
  });

  it("a full disk lets no job begin until caches are emptied, and what nobody can empty is an alarm", async () => {
    const watch = () => sandbox.unit("gofleet-ci-watch");
    const old = `${CACHES}/modules/cache/download/example.com/old/@v`;
    await sandbox.host.exec(
      `mkdir -p ${old} ${CACHES}/modules/example.com/old@v1.0.0 && touch -d 2020-01-01 ${old}/v1.0.0.zip ${old}/v1.0.0.ziphash
       head -c 30000000 /dev/zero >${CACHES}/modules/example.com/old@v1.0.0/big
       head -c 27500000 /dev/zero >${CACHES}/filler`,
    );
    const paused = await watch();
    assert.equal(paused.code, 0, paused.said);
    assert.match(paused.said, /paused: no new job begins: \/var\/cache\/gofleet-ci: 8[5-9]/);
    await sandbox.host.exec(`head -c 6000000 /dev/zero >${CACHES}/more; true`);
    // The agents that wait for jobs are asked to end; none of them begins anew meanwhile.
    const emptied = await watch();
    assert.equal(emptied.code, 0, emptied.said);
    assert.match(emptied.said, /freed 3\d{7} bytes .*module cache/);
    assert.match(emptied.said, /the pause is over/);
    assert.equal((await sandbox.job(1, "echo on")).output, "on\n");
    await sandbox.host.exec(`head -c 60000000 /dev/zero >${CACHES}/more; true`);
    // What is left in caches goes first.
    await watch();
    const stuck = await watch();
    assert.equal(stuck.code, 1);
    assert.match(stuck.said, /nothing was freed/);
    assert.match(
      await sandbox.host.exec("cat /var/lib/gofleet-ci/metrics.prom"),
      /^gofleet_sandbox_reclaim_stuck\{component="ci"\} 1$/m,
    );
    await sandbox.host.exec(`rm ${CACHES}/more ${CACHES}/filler`);
    assert.equal((await watch()).code, 0);
    assert.equal((await sandbox.job(1, "echo on")).output, "on\n");
  });
});

describe("build caches in memory on a host", function () {
  before(function () {
    needsHosts(this);
    needsGo(this);
  });
  after(() => hosts.stopAll());

  it("one that a job has filled holds up no other slot, and has room again for the next job", async () => {
    const sandbox = await PlannedHost.boot("memory", {
      cache: { kind: "tmpfs", size: "64 MiB", persist: false },
      limits: { memory: "4 GiB" },
    });
    const name = "ab".repeat(32);
    const filled = await sandbox.job(1, `mkdir -p "$GOCACHE/ab"; head -c 80000000 /dev/zero >"$GOCACHE/ab/${name}-d"`);
    assert.match(filled.output, /No space left on device/);
    const watched = await sandbox.unit("gofleet-ci-watch");
    assert.equal((await sandbox.host.run("ls /run/gofleet-ci/paused")).code, 2, watched.said);
    assert.equal((await sandbox.job(2, 'echo x >"$GOCACHE/README" && echo other')).output, "other\n");
    const next = await sandbox.job(1, 'head -c 20000000 /dev/zero >"$GOCACHE/README" && echo room');
    assert.deepEqual(next, { code: 0, output: "room\n" });
  });
});

/** As much of Go as fetches modules. */
async function placeGo({ host }: PlannedHost): Promise<void> {
  const root = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
  const goRoot = "/etc/gofleet/go/goroot";
  await host.exec(`mkdir -p ${goRoot}/bin ${goRoot}/pkg/tool`);
  for (const name of ["bin/go", "go.env", "VERSION"]) copyFileSync(join(root, name), join(host.rootDir, goRoot, name));
}
