import assert from "node:assert/strict";
import { secret } from "@pulumi/pulumi";
import type { GoServiceUnitArgs } from "../../src/index";
import { said } from "../hosts/programs";
import { difference, hosts, type Host, type Listing } from "../hosts/support/hosts";
import { TestStack } from "../support/engine";
import { answer, comesTrue, COMPONENT, property, ServiceLab, told, UNIT } from "./support/service-lab";

const TOKEN = "a-token-that-nobody-may-see";

/** Values in which quotes, expansions or specifiers could go wrong. */
const ODD: Readonly<Record<string, string>> = {
  ODD_QUOTES: `"double" 'single' \`back\``,
  ODD_SIGNS: "$HOME ${PATH} %i %% \\n \\",
  ODD_EDGES: "  # both ends;  ",
  ODD_LETTERS: "größer 日本",
};

/** What every release of these tests has. */
const COMMON: Partial<GoServiceUnitArgs> = {
  environmentFiles: ["-/etc/default/served"],
  secrets: { token: secret(TOKEN) },
  limits: { memory: "96 MiB", cpus: 1 },
  directories: { state: true },
  keepState: false,
  // Tests of its own have it.
  rollback: { watch: false },
};

const BASE = { SERVED_GREETING: "hello", SERVED_CREDENTIAL: "token", GOMEMLIMIT: "50MiB", ...ODD };

/** One stack from its first up to its end: each test goes on from where the one before left it. */
describe("a service on a real host", function () {
  let lab: ServiceLab;
  let host: Host;
  let stack: TestStack;
  let untouched: Listing;

  before(async function () {
    lab = await ServiceLab.start(this);
    host = await hosts.boot("server");
    untouched = await host.listing();
    stack = await TestStack.create(run({}));
  });

  after(async () => {
    stack?.remove();
    await lab?.stop();
  });

  /** The program with other variables and arguments. */
  const run = (env: Readonly<Record<string, string>>, more: Partial<GoServiceUnitArgs> = {}) =>
    lab.program(host, { ...COMMON, env: told({ ...BASE, ...env }), ...more });

  it("comes on: ready, confined, with the secret and the variables that it was given", async () => {
    await stack.up();
    const { unit, exposure, activeRelease } = await stack.outputs();
    assert.equal(unit?.value, UNIT);
    assert.ok(Number(exposure?.value) <= 1.5, `exposure ${String(exposure?.value)}`);
    assert.match(String(activeRelease?.value), /^[0-9a-f]{16}$/);
    assert.equal(await answer(host), "v1 hello");
    const journal = await host.exec(`journalctl -q -o cat -u ${UNIT}`);
    assert.match(journal, new RegExp(`^the credential token has ${TOKEN.length} bytes$`, "m"));
    assert.equal(await property(host, "StatusText"), "ready");
    // A user of systemd's range for dynamic ones.
    const user = Number(await host.exec(`stat -c %u /proc/${await property(host, "MainPID")}`));
    assert.ok(user >= 61184 && user <= 65519, `user ${user}`);
    assert.deepEqual(await stack.leaksOf(TOKEN, { journal }), []);
    assert.deepEqual((await stack.up()).changes, {});
  });

  it("has each variable as it was given; the host's file wins over the program, the program over what follows from limits", async () => {
    assert.deepEqual(await variables(host), { ...ODD, GOMEMLIMIT: "50MiB", GOMAXPROCS: "1", SERVED_GREETING: "hello" });
    await host.exec(`echo SERVED_GREETING=host >/etc/default/served && systemctl restart ${UNIT}`);
    assert.equal(await answer(host), "v1 host");
    await host.exec(`rm /etc/default/served && systemctl restart ${UNIT}`);
  });

  it("restarts once for a changed variable, and for nothing where nothing changed", async () => {
    const before = await property(host, "MainPID");
    stack.program = run({ SERVED_GREETING: "hi" });
    assert.deepEqual(Object.keys((await stack.up()).changes), ["served-release"]);
    assert.notEqual(await property(host, "MainPID"), before);
    assert.equal(await answer(host), "v1 hi");
  });

  it("takes another release", async () => {
    stack.program = run({}, { release: lab.release("v2") });
    await stack.up();
    assert.equal(await answer(host), "v2 hello");
    assert.equal((await host.exec(`/etc/gofleet/${COMPONENT}/program/served --check; echo $?`)).trim(), "0");
  });

  it("takes up changed files where it is told to, and its process stays; another program or variable it is started for", async () => {
    const env = { SERVED_GREETING_FILE: "{files}/greeting" };
    const greets = (greeting: string, more: Partial<GoServiceUnitArgs> = {}) =>
      run(env, { release: lab.release("v2"), files: { greeting }, ...more });
    stack.program = greets("hello from a file");
    await stack.up();
    assert.equal(await answer(host), "v2 hello from a file");
    stack.program = greets("and another", { update: "reload" });
    await stack.up();
    const before = await property(host, "MainPID");
    for (const greeting of ["and a third", "and a fourth"]) {
      stack.program = greets(greeting, { update: "reload" });
      await stack.up();
      await answers(host, `v2 ${greeting}`);
    }
    assert.deepEqual([await property(host, "MainPID"), await property(host, "NRestarts")], [before, "0"]);

    stack.program = greets("and a fourth", { update: "reload", release: lab.release("v4") });
    await stack.up();
    assert.equal(await answer(host), "v4 and a fourth");
    const started = await property(host, "MainPID");
    assert.notEqual(started, before);

    stack.program = greets("and a fourth", {
      update: "reload",
      release: lab.release("v4"),
      env: told({ ...BASE, ...env, ODD_EDGES: "another" }),
    });
    await stack.up();
    assert.equal((await variables(host))["ODD_EDGES"], "another");
    assert.notEqual(await property(host, "MainPID"), started);
    stack.program = run({}, { release: lab.release("v2") });
    await stack.up();
    assert.equal(await answer(host), "v2 hello");
  });

  it("traces its scheduler for a time, and is as it was after that", async () => {
    const diagnose = `/etc/gofleet/${COMPONENT}/diagnose`;
    const godebug = `tr '\\0' '\\n' </proc/$(systemctl show -P MainPID ${UNIT})/environ | sed -n 's/^GODEBUG=//p'`;
    await host.exec(`echo GODEBUG=madvdontneed=1 >/etc/default/served && systemctl restart ${UNIT}`);
    assert.match(await host.exec(`${diagnose} 60min GODEBUG=schedtrace=100`), /runs with these variables for 3600 s/);
    assert.equal((await host.exec(godebug)).trim(), "madvdontneed=1,schedtrace=100");
    await comesTrue(host, `journalctl -q -o cat -u ${UNIT} | grep -q '^SCHED [0-9]*ms: gomaxprocs='`);
    assert.match(await host.exec(`${diagnose} 5min A=1 2>&1 || true`), /being diagnosed already/);
    await host.exec(`${diagnose} off`);
    assert.equal((await host.exec(godebug)).trim(), "madvdontneed=1");
    // Nobody ends it this time.
    await host.exec(`${diagnose} 1s GODEBUG=schedtrace=100`);
    await comesTrue(host, `[ "$(${godebug})" = madvdontneed=1 ]`);
    await host.exec(`! ls /run/systemd/system/${UNIT}.d/*diagnose* 2>/dev/null`);
    assert.equal(await answer(host), "v2 hello");
    // With a setting that the service does not survive it runs without it again.
    assert.match(await host.exec(`${diagnose} 5min SERVED_CRASH=1 2>&1 || true`), /runs without them again/);
    assert.equal(await answer(host), "v2 hello");
    // Nor does it stay given up where it came on with them, and crashed later.
    const crash = "/run/gofleet-test-crash";
    await host.exec(`${diagnose} 60min SERVED_CRASH_AFTER=1ms SERVED_TRIGGER=${crash} && touch ${crash}`);
    await comesTrue(host, `systemctl is-failed ${UNIT}`);
    await host.exec(`rm ${crash}; ${diagnose} off`);
    assert.equal(await answer(host), "v2 hello");
    await host.exec(`rm /etc/default/served && systemctl restart ${UNIT}`);
  });

  const bad: Record<
    string,
    [env: Readonly<Record<string, string>>, more: Partial<GoServiceUnitArgs>, says: RegExp, cause: RegExp]
  > = {
    "crashes at its start": [
      { SERVED_CRASH: "1" },
      {},
      /served v3 cannot start: told to crash/,
      /crash( loop)?: .* with exit code 1/,
    ],
    "misses a variable": [
      { SERVED_NEEDS: "DATABASE" },
      {},
      /the variable DATABASE is missing/,
      /missing environment: .*DATABASE/,
    ],
    "misses a credential": [
      { SERVED_CREDENTIAL: "other" },
      {},
      /the credential other is missing/,
      /missing credential: .*other/,
    ],
    "fails its own validation": [
      { SERVED_INVALID: "1" },
      { validate: ["served", "--check"] },
      /configuration will not do/,
      /crash( loop)?: /,
    ],
    "is not ready in time": [{ SERVED_SLOW_HEALTH: "5s" }, {}, /probe: not ready: curl: \(28\)/, /slow start: /],
    "answers that it is not ready": [{ SERVED_UNHEALTHY_AFTER: "1ns" }, {}, /not ready: HTTP 503/, /slow start: /],
    "crashes a moment after its start": [
      { SERVED_CRASH_AFTER: "1s" },
      { health: undefined },
      /told to crash later/,
      /crash( loop)?: .* with exit code 2/,
    ],
    "wants a port that is somebody else's": [
      { SERVED_LISTEN: "127.0.0.1:7171" },
      { listen: undefined },
      /bind: address already in use/,
      /port in use: .*127\.0\.0\.1:7171/,
    ],
  };
  for (const [name, [env, more, says, cause]] of Object.entries(bad)) {
    it(`goes back from a release that ${name}, and says why`, async () => {
      if (name.includes("port")) await squat(host);
      const before = await property(host, "ExecMainStartTimestampMonotonic");
      stack.program = run(env, { release: lab.release("v3"), ...more });
      const failed = await stack.up({ expect: "failure" });
      assert.match(said(failed), says);
      const named = /^ *cause +(.*)$/m.exec(said(failed))?.[1] ?? said(failed);
      assert.match(named, cause);
      assert.notEqual(await property(host, "ExecMainStartTimestampMonotonic"), before, "it was never tried");
      assert.equal(await answer(host), "v2 hello");
      assert.deepEqual(await stack.leaksOf(TOKEN), []);
      if (name.includes("port")) await host.exec("systemctl stop squatter");
    });
  }

  it("leaves the host as it was where a port is somebody else's", async () => {
    await squat(host);
    const before = await property(host, "MainPID");
    stack.program = run({ SERVED_LISTEN: "127.0.0.1:7171" }, { listen: ["127.0.0.1:7171"] });
    assert.match(said(await stack.up({ expect: "failure" })), /port 127\.0\.0\.1:7171.* is held .*squatter/);
    assert.equal(await property(host, "MainPID"), before);
    await host.exec("systemctl stop squatter");
  });

  it("ends a release that hangs, with every goroutine's stack in the journal, and starts it again", async () => {
    const get = "http://127.0.0.1:7070";
    stack.program = run(
      { SERVED_HANG_AFTER: "20s" },
      {
        release: lab.release("v3"),
        health: {
          readiness: { get: `${get}/readyz` },
          liveness: { get: `${get}/livez`, timeout: "500 ms", failures: 1 },
        },
        watchdog: { within: "8 s" },
      },
    );
    await stack.up();
    await host.exec(
      `for i in $(seq 900); do [ "$(systemctl show --value -p NRestarts ${UNIT})" = 0 ] || exit 0; sleep 0.1; done; exit 1`,
      { timeout: 240_000 },
    );
    const journal = await host.exec(`journalctl -q -o cat -u ${UNIT}`);
    assert.match(journal, /probe: not alive, 1 in a row: curl: \(28\)/);
    assert.match(journal, /Watchdog timeout/);
    assert.match(journal, /SIGABRT: abort/);
    assert.match(journal, /^goroutine \d+ \[.*\]:$/m);
  });

  it("is told that it is alive by the service itself, where that speaks sd_notify", async () => {
    stack.program = run(
      { SERVED_NOTIFY: "1" },
      { release: lab.release("v3"), notify: "service", watchdog: { within: "10 s" } },
    );
    await stack.up();
    assert.equal(await property(host, "StatusText"), "version v3");
    await host.exec("sleep 12");
    assert.equal(await property(host, "NRestarts"), "0");
    assert.equal(await answer(host), "v3 hello");
  });

  it("goes away without a trace", async () => {
    await stack.destroy();
    const left = difference(untouched, await host.listing());
    assert.deepEqual(left, []);
    assert.equal((await host.exec("pgrep served || true")).trim(), "");
  });
});

/** A signal is taken up when the process comes to it. */
async function answers(host: Host, wanted: string): Promise<void> {
  let found = "";
  for (let turn = 0; turn < 100 && found !== wanted; turn++) found = await answer(host);
  assert.equal(found, wanted);
}

/** Somebody else's program on port 7171. */
async function squat(host: Host): Promise<void> {
  await host.exec("systemd-run --quiet --unit=squatter python3 -m http.server --bind 127.0.0.1 7171");
  await host.exec("for i in $(seq 600); do ss -Hltn | grep -q :7171 && exit 0; sleep 0.1; done; exit 1");
}

/** The variables that the service itself has, of those that this test is about. */
async function variables(host: Host): Promise<Record<string, string>> {
  const pid = await property(host, "MainPID");
  const all = (await host.exec(`cat /proc/${pid}/environ`)).split("\0").filter(Boolean);
  const found = all.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const);
  return Object.fromEntries(found.filter(([name]) => /^(ODD_|GOM|SERVED_GREETING$)/.test(name)));
}
