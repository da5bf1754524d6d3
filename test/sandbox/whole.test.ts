/**
 * A whole build sandbox on one machine whose kernel enforces everything: profiles, control groups, the firewall. Jobs
 * build there, try every way out, and take all there is.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { hosts } from "../hosts/support/hosts";
import { skipFor } from "../support/skip";
import { EnforcingHost, noEnforcingHost, type Ended, type Job } from "./support/enforcing-host";

const SLOT = "gofleet-ci@1";
const CACHE = "/var/cache/gofleet-ci/slots/1/build";
const GOROOT = "/usr/local/lib/gofleet/go/tree";

/** Builds and runs a module. */
const BUILD = `
printf 'module example.com/app\\n\\ngo 1.24\\n' >go.mod
printf 'package main\\n\\nimport "os"\\n\\nfunc main() { os.Stdout.WriteString("built here\\\\n") }\\n' >main.go
go build -buildvcs=false -o app . && ./app
`;

/** Ways out of a slot, by what they are answered; a job's environment names whom to attack. */
const WAYS_OUT: Readonly<Record<string, readonly string[]>> = {
  "permission denied": [
    ...["neighbour-file", "neighbour-write", "neighbour-lock", "neighbour-symlink", "shadow", "goroot-write"],
    ...["modules-write", "modules-create", "same-user-signal", "cgroup", "hostname", "leave-profile"],
    ...["setuid-program", "setuid-shadow", "raw-socket"],
  ],
  "operation not permitted": [
    ...["device", "ptrace", "signal", "same-user-ptrace", "mount", "bind", "namespace-and-mount", "chroot", "module"],
    ...["setuid-unknown", "become-root"],
  ],
  "read-only file system": ["outside-write", "goroot-create", "hardlink-out", "policy"],
  "invalid cross-device link": ["hardlink-in", "rename-out"],
  // Not even to be seen.
  "no such file or directory": ["host-process", "same-user-memory"],
  "address family not supported": ["packet-socket"],
  "no route to host": ["metadata", "egress"],
};
/** Those that nothing but the sandbox denies: without it the slot's own user has them all. */
const OPEN_WITHOUT = ["outside-write", "same-user-signal", "setuid-unknown", "setuid-shadow", "egress"];

/** What the kernel's log says of them. What is stopped by modes of files or by seccomp is not logged by any kernel. */
const LOGGED = {
  signal: /apparmor="DENIED" operation="signal" .*profile="gofleet-ci-1"/,
  "a program of others' rights": /apparmor="DENIED" operation="exec" .*profile="gofleet-ci-1" name="\/usr\/bin\/su"/,
  "leaving the profile": /apparmor="DENIED" operation="open" .*profile="gofleet-ci-1" name="\/proc\/.*attr\/current"/,
  "the metadata address": /gofleet ci metadata: .*DST=169\.254\.169\.254 /,
  "another server": /gofleet ci denied: .*DPT=\d+ /,
};

describe("a whole build sandbox in a kernel that enforces", function () {
  this.timeout(1_800_000);
  let sandbox: EnforcingHost;
  let allowed: Server;
  let elsewhere: Server;

  const port = (server: Server) => (server.address() as AddressInfo).port;
  const address = (server: Server, ip: string) => `${ip}:${port(server)}`;
  const kernelLog = () => sandbox.host.exec("journalctl -q -o cat -b _TRANSPORT=kernel + _TRANSPORT=audit");
  const denials = async () =>
    (JSON.parse((await sandbox.program("gofleet-sandbox", "denials", "-json")).stdout) as { groups: unknown[] }).groups;
  const builds = async () => {
    const { code, output } = await sandbox.job(1, BUILD);
    assert.deepEqual([code, /^built here$/m.test(output)], [0, true], output);
  };

  before(async function () {
    skipFor(this, noEnforcingHost());
    const ip = await hosts.operatorAddress();
    [allowed, elsewhere] = [await serve(ip), await serve(ip)];
    sandbox = await EnforcingHost.boot({ allowed: { host: ip, ports: [port(allowed)] }, warm: BUILD });
  });

  after(async () => {
    for (const server of [allowed, elsewhere]) server?.close();
    await hosts.stopAll();
  });

  it("comes on at boot: slots under their profiles, within their limits, with the caches that were kept", async () => {
    for (const { name, script } of sandbox.plan.probes) {
      const { code, stdout, stderr } = await sandbox.probe(script);
      assert.equal(code, 0, `probe ${name}: ${stdout}${stderr}`);
    }
    const facts = await sandbox.host.exec(
      `cat /proc/$(systemctl show -P MainPID ${SLOT})/attr/current
       cat /sys/fs/cgroup$(systemctl show -P ControlGroup ${SLOT})/memory.max
       ls ${CACHE}/*/*-d | wc -l`,
    );
    const [profile, memory, outputs] = facts.trim().split("\n");
    assert.deepEqual([profile, memory], ["gofleet-ci-1 (enforce)", String(1280 * 2 ** 20)]);
    assert.ok(Number(outputs) > 20, `${outputs} outputs were restored`);
  });

  it("counts what is in a slot's cache against that slot: what was restored, and what an ended job left", async () => {
    const counted = async (slot: number) => {
      const path = `/sys/fs/cgroup/gofleet.slice/gofleet-ci.slice/gofleet-ci-${slot}.slice/memory.stat`;
      return Number(await sandbox.host.exec(`sed -n 's/^shmem //p' ${path}`));
    };
    const kept = Number(await sandbox.host.exec(`du -sB1 ${CACHE} | cut -f 1`));
    const [restored, neighbours] = [await counted(1), await counted(2)];
    // Directories are the kernel's memory, not shmem.
    assert.ok(kept > 2 ** 20 && restored > 0.9 * kept, `${restored} of ${kept} bytes`);
    const left = await sandbox.job(1, 'head -c 64M /dev/zero >"$GOCACHE/left"');
    assert.equal(left.code, 0, left.output);
    assert.ok((await counted(1)) >= restored + 64 * 2 ** 20);
    assert.ok((await counted(2)) <= neighbours + 2 ** 20);
    // What is no entry of the cache goes before the next job.
    assert.equal((await sandbox.job(1, 'test ! -e "$GOCACHE/left"')).code, 0);
    assert.ok((await counted(1)) < restored + 2 ** 20);
  });

  it("lets a job build, and reach what is allowed, with nothing denied", async () => {
    await builds();
    const { code, output } = await sandbox.job(
      1,
      `curl -sS http://${address(allowed, await hosts.operatorAddress())}/`,
    );
    assert.deepEqual([code, output], [0, "hello\n"]);
    assert.deepEqual(await denials(), []);
  });

  describe("under attack", () => {
    let tried: ReadonlyMap<string, string>;

    before(async () => {
      const neighbour = await sandbox.start(
        2,
        `umask 0; echo secret >secret; chmod 777 .
         until [ -e "$HOME/../inputs/queue/stop" ]; do sleep 1; done`,
      );
      const processes = await sandbox.host.exec(
        `sleep 1000 >/dev/null 2>&1 & echo $!
         setsid runuser -u gofleet-ci-1 -- sleep 1000 >/dev/null 2>&1 &
         for i in $(seq 50); do pgrep -u gofleet-ci-1 -x sleep -a | grep -q 'sleep 1000' && break; sleep 0.2; done
         pgrep -u gofleet-ci-1 -f '^sleep 1000'`,
      );
      const [other, same] = processes.trim().split("\n");
      const server = address(elsewhere, await hosts.operatorAddress());
      const environment = `export GOROOT=${GOROOT} OTHER=${other} SAME=${same} ELSEWHERE=${server}`;
      const open = await sandbox.host.exec(
        `${environment}; runuser -u gofleet-ci-1 -- attempts try ${OPEN_WITHOUT.join(" ").replace("egress", "")}
         attempts try egress`,
      );
      for (const way of OPEN_WITHOUT) assert.match(open, new RegExp(`^${way}\tok$`, "m"), "without the sandbox");
      const { output } = await sandbox.job(
        1,
        `mkdir mnt; echo x >file; ${environment}; attempts try ${Object.values(WAYS_OUT).flat().join(" ")}`,
      );
      tried = new Map([...output.matchAll(/^([a-z-]+)\t(.*)$/gm)].map(([, way = "", answer = ""]) => [way, answer]));
      await sandbox.host.exec("touch /srv/queue/stop");
      assert.equal((await sandbox.ended(neighbour)).code, 0);
      await sandbox.host.exec("rm /srv/queue/stop");
    });

    for (const [answer, ways] of Object.entries(WAYS_OUT)) {
      for (const way of ways) {
        it(`denies ${way}: ${answer}`, () => {
          assert.ok(tried.get(way)?.includes(answer), tried.get(way) ?? "it was not tried");
        });
      }
    }

    it("logs what profiles and the firewall denied, and counts it", async () => {
      const log = await kernelLog();
      for (const [what, line] of Object.entries(LOGGED)) assert.match(log, line, what);
      assert.ok((await denials()).length > 0);
      const counters = await sandbox.host.exec("nft list counters table inet gofleet_ci");
      for (const name of ["metadata", "denied"])
        assert.match(counters, new RegExp(`counter ${name} \\{\\s+packets [1-9]`), name);
    });
  });

  describe("against a job that takes all there is, with another slot at work", () => {
    let neighbour: Job;

    before(async () => {
      neighbour = await sandbox.start(
        2,
        'until [ -e "$HOME/../inputs/queue/stop" ]; do echo work >file; echo "beat $(date +%s%N)"; sleep 1; done',
      );
    });

    /** The host answers, and the other slot's job goes on: what it did from now on, it did while the bomb was there. */
    const othersWork = async () => {
      assert.equal((await sandbox.host.exec("systemctl is-active ssh cron")).trim(), "active\nactive");
      const now = await sandbox.host.exec("date +%s%N");
      await sandbox.until(neighbour, (said) =>
        [...said.matchAll(/^beat (\d+)$/gm)].some(([, at]) => Number(at) > Number(now)),
      );
    };
    /** A job that holds what it took until the others were looked at. Where it has no process left, it cannot sleep. */
    const attack = async (take: string, taken: RegExp, { rest = "sleep 0.5", meanwhile = async () => {} } = {}) => {
      const bomb = await sandbox.start(
        1,
        `${take}\necho taken\nuntil [ -e "$HOME/../inputs/queue/enough" ]; do ${rest}; done`,
      );
      await sandbox.until(bomb, (said) => /^taken$/m.test(said));
      await othersWork();
      await meanwhile();
      await sandbox.host.exec("touch /srv/queue/enough");
      const { code, output } = await sandbox.ended(bomb);
      await sandbox.host.exec("rm /srv/queue/enough");
      assert.equal(code, 0, output);
      assert.match(output, taken);
      assert.deepEqual(await sandbox.job(1, "echo next"), { code: 0, output: "next\n" });
    };

    it("bounds processes by TasksMax: a fork bomb", async () => {
      await attack("bomb() { bomb | bomb & }\nbomb 2>/dev/null", /^taken$/m, { rest: ":" });
      assert.match(await kernelLog(), /cgroup: fork rejected by pids controller in .*gofleet-ci@1\.service/);
    });

    it("bounds memory by MemoryMax: what takes too much is killed, and the kernel names the slot", async () => {
      await attack('GOGC=off GOMEMLIMIT=off attempts try much-memory || echo "killed: $?"', /^killed: 137$/m);
      const log = await kernelLog();
      assert.match(log, /oom-kill:constraint=CONSTRAINT_MEMCG,.*oom_memcg=\S*gofleet-ci-1\.slice/);
      assert.match(log, /Memory cgroup out of memory: Killed process \d+ \(attempts\)/);
    });

    it("bounds what is written, wherever: a disk bomb", async () => {
      const used = async () => Number((await sandbox.host.exec("sync; df --output=used -B1 / | tail -n 1")).trim());
      const before = await used();
      const places = [".", "$HOME", "$TMPDIR", "$GOTMPDIR", "/tmp", "/var/tmp", "$GOMODCACHE", "$GOCACHE"];
      const fill = places.map((place) => `{ head -c 1G /dev/zero >"${place}/bomb"; } 2>&1 | sed 's/.*: //'`);
      const full = places.map(() => "No space left on device\n").join("");
      // Without its own, the build cache is full for the next job, too.
      await attack([...fill, 'rm "$GOCACHE/bomb"'].join("\n"), new RegExp(`^${full}`, "m"), {
        meanwhile: async () => {
          const grown = (await used()) - before;
          assert.ok(grown < 16 * 2 ** 20, `${grown} bytes more on the disk`);
        },
      });
    });

    it("bounds open files by LimitNOFILE", async () => {
      await attack("attempts try many-files || true", /^many-files\t.*too many open files$/m);
    });

    it("and that other job comes to its own end", async () => {
      await sandbox.host.exec("touch /srv/queue/stop");
      const { code, output }: Ended = await sandbox.ended(neighbour);
      await sandbox.host.exec("rm /srv/queue/stop");
      assert.equal(code, 0, output);
    });
  });
});

async function serve(ip: string): Promise<Server> {
  const server = createServer((_, response) => response.end("hello\n"));
  server.listen(0, ip);
  await once(server, "listening");
  return server;
}
