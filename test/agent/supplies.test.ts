/** Packages, ports and certificates: the agent's own functions, between programs that stand for apt, dpkg and ss. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { agentSource } from "../../src/host/agent-source";
import type { PlanListen } from "../../src/plan/host-plan";
import { manifest } from "../../src/plan/manifest";
import { file, plan, release, Root, shells, type Event, type Shell } from "./support";

/** Knows the packages of a file; `apt-get install` adds to it once the lists were updated, unless told to say something. */
const FAKES = {
  "dpkg-query": `while [ "$1" != -- ]; do shift; done; shift
for name; do ! grep -qx "$name" "$FAKE/installed" || printf 'ii \\t%s\\n' "$name"; done`,
  "apt-get": `printf '%s ' "$@" >>"$FAKE/log"; echo >>"$FAKE/log"
case " $* " in *' update '*) : >"$FAKE/updated"; exit 0 ;; esac
[ ! -f "$FAKE/says" ] || { cat "$FAKE/says"; exit 100; }
case " $* " in *' --simulate '*) echo 'Inst common (1.0)'; echo 'Inst nginx (1.0)'; echo 'Inst libc6 [1] (2)'; exit 0 ;; esac
[ -f "$FAKE/updated" ] || { echo 'E: Unable to locate package nginx'; exit 100; }
case " $* " in *' --download-only '*) exit 0 ;; esac
cat "$FAKE/../root/usr/sbin/policy-rc.d" >>"$FAKE/policy"
printf '%s\\n' common nginx >>"$FAKE/installed"`,
  ss: 'cat "$FAKE/sockets"',
};

describe("agent: supplies", function () {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "gofleet-supplies-"));
    for (const path of ["bin", "fake", "up", "root/usr/sbin", "root/var/lib/gofleet/go", "root/run/gofleet", "run"]) {
      mkdirSync(join(folder, path), { recursive: true });
    }
    for (const [name, body] of Object.entries(FAKES)) {
      writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    }
    write("fake/installed", "libc6\n");
    write("up/request", `component\tgo\nroot\t${folder}/root\ndeadline\t240\nlockwait\t7\n`);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (path: string, text: string): void => writeFileSync(join(folder, path), text);
  const read = (path: string): string => readFileSync(join(folder, path), "utf8");
  const has = (path: string): boolean => existsSync(join(folder, path));
  /** Runs a few lines of sh where the agent would run a verb. */
  const agent = (shell: Shell, lines: string) => {
    const source = agentSource().replace(/main "\$@"\n*$/, "");
    assert.notEqual(source, agentSource());
    const begin = `begin test '${folder}/up'; set_paths; set_component go; WORK='${folder}/up'; RUN=; `;
    write("up/agent", `${source}\n${begin}\n${lines}\n`);
    const path = [join(folder, "bin"), shell.bin, process.env["PATH"]].join(delimiter);
    const { stdout, stderr, status } = spawnSync("sh", [join(folder, "up/agent")], {
      env: { ...process.env, PATH: path, FAKE: join(folder, "fake") },
      encoding: "utf8",
    });
    const events = stdout.split("\n").filter((line) => line.startsWith("{"));
    return { stdout, stderr, code: status, events: events.map((line) => JSON.parse(line) as Event) };
  };

  for (const shell of shells()) {
    describe(`under ${shell.name}`, () => {
      it("installs with fresh lists, under a policy that starts nothing, and remembers what came", () => {
        const ran = agent(
          shell,
          `RUN='${folder}/run'; _wanted='nginx libc6'; with_packages_lock install_wanted >"$RUN/apt"`,
        );
        assert.deepEqual([ran.code, ran.stderr], [0, ""], JSON.stringify(ran));
        const calls = read("fake/log").trim().split("\n");
        assert.deepEqual(
          calls.map((call) => call.replace(/^.*--no-remove /, "").trim()),
          [
            "--download-only install nginx",
            "update",
            "--download-only install nginx",
            "--simulate install nginx",
            "install nginx",
          ],
        );
        for (const option of [
          "-y",
          "--no-install-recommends",
          "DPkg::Lock::Timeout=7",
          "Dpkg::Options::=--force-confold",
        ]) {
          assert.ok(
            calls.every((call) => call.includes(option)),
            option,
          );
        }
        assert.match(read("fake/policy"), /^#!\/bin\/sh\n# gofleet: .*\nexit 101\n$/);
        assert.ok(!has("root/usr/sbin/policy-rc.d") && !has("root/var/lib/gofleet/go/packages.coming"));
        assert.deepEqual(
          [read("root/var/lib/gofleet/go/packages"), read("run/added")],
          ["common\nnginx\n", "common nginx\n"],
        );
        write("fake/log", "");
        assert.equal(agent(shell, "_wanted=nginx; with_packages_lock install_wanted").code, 0);
        assert.equal(read("fake/log"), "");
      });

      it("leaves a policy of the host's own, and removes one that a dead installer left", () => {
        write("root/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n");
        write("fake/updated", "");
        agent(shell, `RUN='${folder}/run'; _wanted=nginx; with_packages_lock install_wanted`);
        assert.deepEqual(
          [read("fake/policy"), read("root/usr/sbin/policy-rc.d")],
          Array(2).fill("#!/bin/sh\nexit 0\n"),
        );
        rmSync(join(folder, "root/usr/sbin/policy-rc.d"));
        write("fake/installed", "nginx\n");
        write("root/var/lib/gofleet/go/packages.coming", "nginx other\n");
        agent(shell, "deny_services; sweep_packages");
        assert.ok(!has("root/usr/sbin/policy-rc.d") && !has("root/var/lib/gofleet/go/packages.coming"));
        assert.equal(read("root/var/lib/gofleet/go/packages"), "common\nnginx\n");
      });

      const refusals: readonly (readonly [string, number, RegExp])[] = [
        ["E: Unable to locate package nginx", 14, /to do: correct the name/],
        ["E: Could not get lock /var/lib/dpkg/lock-frontend", 14, /to do: wait for the other package operation/],
        ["E: dpkg was interrupted, you must manually run 'dpkg --configure -a'", 14, /to do: run dpkg --configure -a/],
        [
          "Err:1 http://ann:hunter2@deb.corp x\n  Could not resolve 'deb.corp'",
          14,
          /http:\/\/deb\.corp.*to do: give the host a repo/s,
        ],
        ["E: You don't have enough free space in /var/cache/apt/archives/.", 12, /enough free space/],
        ["something else", 14, /something else; to do: install it by hand \(apt-get install nginx\), then run again/],
      ];
      it("says apt's last words and what would do", () => {
        for (const [says, code, wanted] of refusals) {
          write("run/apt", `${says}\n`);
          const { events, code: ended } = agent(shell, `RUN='${folder}/run'; LOG=; MISSING=nginx; packages_failed`);
          assert.equal(ended, code, says);
          assert.match(String(events.at(-1)?.["msg"]), wanted);
          assert.ok(!JSON.stringify(events).includes("hunter2"));
        }
      });

      it("finds who holds a port, at which addresses it matters", () => {
        const socket = (at: string, name = "nginx", ...pids: number[]): string =>
          `LISTEN 0 511 ${at} 0.0.0.0:* users:(${(pids.length ? pids : [7]).map((pid) => `("${name}",pid=${pid},fd=6)`).join()})`;
        const taken = (wanted: string, ...sockets: string[]): string[] => {
          const listens: PlanListen[] = [{ address: wanted, port: 443, unit: "our.service" }];
          write("up/manifest", manifest(plan({ listens })));
          return agent(shell, `MANIFEST='${folder}/up/manifest'; taken_ports <<'S'\n${sockets.join("\n")}\nS`)
            .stdout.split("\n")
            .filter((line) => line !== "");
        };
        assert.deepEqual(taken("10.0.0.1", socket("10.0.0.1:443", "nginx", 12, 13), socket("10.0.0.1:80")), [
          "10.0.0.1:443\tour.service\t10.0.0.1:443\tnginx\t 12 13",
        ]);
        const meets: Readonly<Record<string, string>> = {
          "10.0.0.1": "0.0.0.0:443 *:443 10.0.0.1%eth0:443",
          "0.0.0.0": "0.0.0.0:443 *:443 127.0.0.1:443 10.0.0.1:443",
          "::1": "[::]:443 *:443 [::1]:443",
          "::": "[::]:443 *:443 [::1]:443 [fe80::1]%eth0:443",
        };
        const apart: Readonly<Record<string, string>> = {
          "10.0.0.1": "10.0.0.2:443 [::]:443 10.0.0.1:8443 10.0.0.1:44",
          "0.0.0.0": "[::]:443 [::1]:443 0.0.0.0:4430",
          "::1": "0.0.0.0:443 [::2]:443 127.0.0.1:443",
          "::": "0.0.0.0:443 127.0.0.1:443",
        };
        for (const [wanted, sockets] of Object.entries(meets)) {
          for (const each of sockets.split(" "))
            assert.equal(taken(wanted, socket(each)).length, 1, `${wanted} ${each}`);
        }
        for (const [wanted, sockets] of Object.entries(apart)) {
          for (const each of sockets.split(" ")) assert.deepEqual(taken(wanted, socket(each)), [], `${wanted} ${each}`);
        }
        assert.match(taken("::1", "LISTEN 0 5 [::1]:443 [::]:*").join(), /\tan unknown process\t$/);
      });
    });
  }

  it("applies nothing of it under a root, and says so", async () => {
    const root = new Root(shells()[0]);
    try {
      const what = release(
        plan({
          packages: ["no-such-package"],
          files: [file("/usr/local/share/ca-certificates/fleet.crt", "x\n", { place: "copy" })],
          listens: [{ address: "::", port: 1, unit: "a.service" }],
        }),
      );
      const answer = await root.run(what);
      assert.equal(answer.code, 0, JSON.stringify(answer));
      assert.deepEqual(
        answer.events.filter(({ ev }) => ev === "out" || ev === "package").map(({ msg }) => msg),
        ["not applied under a root: /usr/local/share/ca-certificates/fleet.crt package no-such-package"],
      );
      assert.equal((await root.run(what)).result["status"], "same");
      const read = await root.start("read");
      assert.deepEqual(
        read.events.filter(({ ev }) => ev === "drift"),
        [],
      );
      assert.equal((await root.start("remove")).result["msg"], `component go is off; it was on ${what.id}`);
    } finally {
      root.dispose();
    }
  });

  it("takes no record for one that could do harm", async () => {
    const root = new Root(shells()[0]);
    try {
      for (const parts of [
        { packages: ["nginx-"] },
        { packages: ["-oDir=/"] },
        { listens: [{ address: "localhost", port: 1, unit: "a.service" }] },
        { listens: [{ address: "::", port: 1, unit: "../a" }] },
      ]) {
        const answer = await root.run(release(plan(parts)));
        assert.equal(answer.code, 11, JSON.stringify(parts));
        assert.match(String(answer.result["msg"]), /manifest line \d+: not a record/);
      }
    } finally {
      root.dispose();
    }
  });
});
