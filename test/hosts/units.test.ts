import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { TestStack } from "../support/engine";
import { hostRelease, said, stateReleases, target } from "./programs";
import { file, raw, type RawArgs } from "./raw-program";
import { difference, type Host, hosts, type Listing, needsHosts } from "./support/hosts";

const SYSTEM = "/etc/systemd/system";
const SECRET = "/etc/gofleet/raw/current/.gofleet/secrets/token";
const PLANTED = { old: "planted-ohX7eiv0-secret", next: "planted-Quei9aez-secret", bad: "planted-Ahy4chie-secret" };

interface Version {
  readonly secret: string;
  /** What the second unit says; a change is its own. */
  readonly second?: string;
  readonly probe?: string;
  readonly dropIn?: string;
}

/** Two units of which one reads a secret, their user, a timer, and a drop-in of a unit that is the host's own. */
function release({ secret, second = "one", probe = "true", dropIn = "one" }: Version): Omit<RawArgs, "target"> {
  const service = (lines: string[]) => ["[Service]", "User=demo", ...lines, ""].join("\n");
  const path = (name: string) => `${SYSTEM}/${name}`;
  const cron = path("cron.service.d/50-demo.conf");
  return {
    secrets: { token: secret },
    plan: {
      files: [
        file("/etc/sysusers.d/demo.conf", 'u demo - "Demo" /nonexistent\n'),
        file(
          path("first.service"),
          service([
            `LoadCredential=token:${SECRET}`,
            "ExecStart=/bin/sh -c 'sha256sum <$${CREDENTIALS_DIRECTORY}/token; exec sleep infinity'",
          ]),
        ),
        file(path("second.service"), service([`Environment=SAYS=${second}`, "ExecStart=sleep infinity"])),
        file(path("third.service"), service(["Type=oneshot", "ExecStart=true"])),
        file(path("third.timer"), "[Timer]\nOnCalendar=daily\n"),
        file(cron, `[Service]\nEnvironment=DEMO=${dropIn}\n`),
      ],
      symlinks: [
        ...["first.service", "second.service"].map((name) => ({
          path: path(`multi-user.target.wants/${name}`),
          target: `../${name}`,
          switched: false,
        })),
        { path: path("timers.target.wants/third.timer"), target: "../third.timer", switched: false },
      ],
      units: [
        { name: "first.service", onChange: "restart", reads: [path("first.service"), "token"] },
        { name: "second.service", onChange: "restart", reads: [path("second.service")] },
        { name: "third.timer", onChange: "restart", reads: [path("third.timer")] },
        { name: "cron.service", onChange: "restart", reads: [cron] },
      ],
      probes: [{ name: "probe", timeout: 10, script: `${probe}\n` }],
    },
  };
}

describe("units and secrets on a real host", function () {
  let host: Host;
  let stack: TestStack;
  let untouched: Listing;

  const program = (version: Version) => raw({ target: target(host), ...release(version) });
  const mainPid = async (unit: string) => (await host.exec(`systemctl show -P MainPID ${unit}`)).trim();
  const environment = async (unit: string) => host.exec(`tr '\\0' '\\n' </proc/${await mainPid(unit)}/environ`);
  /** The secret as the running unit got it. */
  const credential = () => host.exec("cat /run/credentials/first.service/token");
  const truth = async () =>
    assert.deepEqual(Object.values(await stateReleases(stack, "raw-release")), [await hostRelease(host, "raw")]);

  before(async function () {
    needsHosts(this);
    host = await hosts.boot("rack-01");
    untouched = await host.listing();
    stack = await TestStack.create(program({ secret: PLANTED.old }));
  });

  after(async () => {
    stack?.remove();
    await hosts.stopAll();
  });

  it("come on: user, units, timer, secret, and the host's own unit with its drop-in", async () => {
    await stack.up();
    assert.equal(
      (await host.exec("systemctl is-active first second third.timer cron")).trim(),
      "active\n".repeat(4).trim(),
    );
    assert.equal(
      (await host.exec("systemctl is-enabled first second third.timer")).trim(),
      "enabled\n".repeat(3).trim(),
    );
    assert.match(await host.exec("id demo"), /uid=\d+\(demo\)/);
    assert.equal(await credential(), PLANTED.old);
    assert.match(await environment("cron"), /DEMO=one/);
    await truth();
    assert.deepEqual((await stack.up()).changes, {});
  });

  it("restart only where something they read changed", async () => {
    const [first, second, cron] = await Promise.all(["first", "second", "cron"].map(mainPid));
    stack.program = program({ secret: PLANTED.old, second: "two" });
    await stack.up();
    assert.equal(await mainPid("first"), first);
    assert.equal(await mainPid("cron"), cron);
    assert.notEqual(await mainPid("second"), second);
    assert.match(await environment("second"), /SAYS=two/);
  });

  it("get a rotated secret, and the old one back with a failed release", async () => {
    const second = await mainPid("second");
    stack.program = program({ secret: PLANTED.next, second: "two" });
    const seen = await argumentsDuring(() => stack.up());
    assert.ok(
      seen.some((line) => line.includes("/agent apply")),
      "no command of the host was seen",
    );
    assert.deepEqual(
      seen.filter((line) => line.includes(PLANTED.next)),
      [],
    );
    assert.equal(await credential(), PLANTED.next);
    assert.equal(await mainPid("second"), second);

    stack.program = program({ secret: PLANTED.bad, second: "two", probe: "exit 1" });
    assert.match(said(await stack.up({ expect: "failure" })), /back on/);
    assert.equal(await credential(), PLANTED.next);
    await truth();
    stack.program = program({ secret: PLANTED.next, second: "two" });
    assert.deepEqual((await stack.up()).changes, {});
  });

  it("of the host's own are never stopped when the release loses them: they take up their own files again", async () => {
    const before = await mainPid("cron");
    const { plan, ...rest } = release({ secret: PLANTED.next, second: "two" });
    const files = (plan.files ?? []).filter(({ path }) => !path.includes("cron"));
    const units = (plan.units ?? []).filter(({ name }) => name !== "cron.service");
    stack.program = raw({ target: target(host), ...rest, plan: { ...plan, files, units } });
    await stack.up();
    assert.equal((await host.exec("systemctl is-active cron")).trim(), "active");
    assert.notEqual(await mainPid("cron"), before);
    assert.doesNotMatch(await environment("cron"), /DEMO/);
  });

  it("that leave are stopped as their files say, with what those read, also an instance of a template that stays", async () => {
    const template = `${SYSTEM}/leaving@.service`;
    const word = "/etc/gofleet/raw/word";
    const leaving = (instances: readonly string[], text: string) => {
      const { plan, ...rest } = release({ secret: PLANTED.next, second: "two" });
      const stop = `ExecStop=/bin/sh -c 'cat ${word} >/var/tmp/left-%i'`;
      const unit = ["[Service]", "Type=oneshot", "RemainAfterExit=yes", "ExecStart=true", stop, ""].join("\n");
      const files = instances.length === 0 ? [] : [file(template, unit), file(word, text)];
      const units = instances.map((name) => ({
        name: `leaving@${name}.service`,
        onChange: "none" as const,
        reads: [template],
      }));
      const starts = instances.map((name) => ({
        name: `start-${name}`,
        timeout: 10,
        script: `systemctl start leaving@${name}\n`,
      }));
      return raw({
        target: target(host),
        ...rest,
        plan: {
          ...plan,
          files: [...(plan.files ?? []), ...files],
          units: [...(plan.units ?? []), ...units],
          probes: starts,
        },
      });
    };
    stack.program = leaving(["a", "b"], "first\n");
    await stack.up();
    stack.program = leaving(["a"], "second\n");
    await stack.up();
    assert.equal(
      await host.exec("cat /var/tmp/left-b; systemctl is-active leaving@a leaving@b || true"),
      "first\nactive\ninactive\n",
    );
    stack.program = leaving([], "");
    await stack.up();
    assert.equal(await host.exec("cat /var/tmp/left-a; rm /var/tmp/left-*"), "second\n");
  });

  it("come back after a reboot without the operator", async () => {
    await host.reboot();
    assert.equal((await host.exec("systemctl is-active first second third.timer")).trim(), "active\n".repeat(3).trim());
    assert.equal(await credential(), PLANTED.next);
    assert.deepEqual((await stack.up()).changes, {});
  });

  it("show drift: a changed unit, a drop-in of somebody else, a stopped unit; up heals it", async () => {
    await host.exec(`printf '[Service]\\nNice=5\\n' >>${SYSTEM}/second.service; systemctl stop first`);
    await host.exec(`mkdir -p ${SYSTEM}/first.service.d && echo '[Service]' >${SYSTEM}/first.service.d/x.conf`);
    await stack.refresh();
    const text = await stack.previewText();
    assert.match(text, /second\.service *: "modified/);
    assert.match(text, /first\.service\.d\/x\.conf *: "added/);
    assert.match(text, /first\.service *: "unit is inactive/);
    await host.exec(`rm -r ${SYSTEM}/first.service.d`);
    await stack.up();
    assert.equal((await host.exec("systemctl is-active first second")).trim(), "active\nactive");
    assert.doesNotMatch(await host.exec(`cat ${SYSTEM}/second.service`), /Nice/);
    await stack.refresh();
    assert.deepEqual((await stack.preview()).changes, {});
  });

  it("leak no secret: not into state, events, output, logs or releases, and on the host into one closed file", async () => {
    for (const secret of Object.values(PLANTED)) {
      const journal = await host.exec("journalctl --no-pager --output=export");
      assert.deepEqual(await stack.leaksOf(secret, { journal }), []);
      // Not as an argument of this search either.
      const search = "grep -rlsF -f - /etc /var /run /usr/local /home /root /tmp 2>/dev/null | sort";
      const found = (await host.run(search, { input: `${secret}\n` })).stdout.trim().split("\n");
      const files = found.filter((path) => path !== "" && !path.startsWith("/run/credentials/"));
      for (const path of files) {
        assert.match(path, /^\/var\/lib\/gofleet\/raw\/secrets\/[0-9a-f]{64}$/);
        assert.equal((await host.exec(`stat -c '%a %U' ${path}`)).trim(), "400 root");
      }
      assert.ok(files.length <= 1, files.join(" "));
      assert.ok(secret !== PLANTED.next || files.length === 1, "the search finds nothing at all");
    }
  });

  it("go with the component, and leave the host as it was but for the user", async () => {
    await stack.destroy();
    assert.equal(
      (await host.run("systemctl is-active first second third.timer")).stdout.trim(),
      "inactive\n".repeat(3).trim(),
    );
    const lines = difference(untouched, await host.listing());
    const users = /^[-+] \/etc\/(passwd|shadow|group|gshadow)-?: /;
    assert.deepEqual(
      lines.filter((line) => !users.test(line)),
      [],
    );
    assert.match(await host.exec("getent passwd demo"), /nologin/);
  });
});

/** Every command line of this machine and its hosts while the operation runs, as anybody could see it. */
async function argumentsDuring(operation: () => Promise<unknown>): Promise<string[]> {
  const seen = new Set<string>();
  const timer = setInterval(() => {
    for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
      try {
        seen.add(readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " "));
      } catch {
        // Ended meanwhile.
      }
    }
  }, 20);
  try {
    await operation();
  } finally {
    clearInterval(timer);
  }
  return [...seen];
}
