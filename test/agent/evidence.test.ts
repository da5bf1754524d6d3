import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createHmac } from "node:crypto";
import { dirname, join } from "node:path";
import { FakeSystemd } from "./fake-systemd";
import { skip } from "../support/skip";
import { file, plan, release, shells, which, type Answer, type Release } from "./support";

const UNIT = "api.service";
const SECRETS = { token: "s3cr3t-of-the-token", db: 'PASSWORD="pa$$\\word"\n' };

/** A service whose probe fails, or does not. */
function service(probe: string, environment: string, unit = ""): Release {
  const hmac = (text: string): string => createHmac("sha256", "key").update(text).digest("hex");
  return release(
    plan({
      files: [
        file("/etc/gofleet/go/environment", environment),
        file(`/etc/systemd/system/${UNIT}`, `[Service]\nEnvironmentFile=/etc/gofleet/go/environment\n${unit}`),
      ],
      units: [{ name: UNIT, onChange: "restart", reads: [] }],
      probes: [{ name: "ready", timeout: 5, script: probe }],
      secrets: Object.entries(SECRETS).map(([name, text]) => ({ name, hmac: hmac(text) })),
    }),
    {},
  );
}

/** With the bytes of its secrets. */
function withSecrets(what: Release): Release {
  const hmac = (text: string): string => createHmac("sha256", "key").update(text).digest("hex");
  const bytes = Object.values(SECRETS).map((text) => [`secrets/${hmac(text)}`, text] as const);
  return { ...what, entries: new Map([...what.entries, ...bytes]) };
}

const MESSAGE = {
  exited: "98e322203f7a4ed290d09fe03c09fe15",
  failed: "d9b373ed55a64feb8242e02dbe79a49c",
};
const exited = (code: number): string => `MESSAGE_ID=${MESSAGE.exited}\nEXIT_CODE=exited\nEXIT_STATUS=${code}\n\n`;
const killed = (signal: number): string => `MESSAGE_ID=${MESSAGE.exited}\nEXIT_CODE=killed\nEXIT_STATUS=${signal}\n\n`;
const dumped = (signal: number): string => `MESSAGE_ID=${MESSAGE.exited}\nEXIT_CODE=dumped\nEXIT_STATUS=${signal}\n\n`;
const result = (word: string): string => `UNIT_RESULT=${word}\nMESSAGE_ID=${MESSAGE.failed}\n\n`;

const FAILED = "ActiveState=failed\n";

/** What a failed release's facts are, and the cause that the summary names. */
const CAUSES: readonly (readonly [string, { show?: string; export?: string; journal?: string }, RegExp])[] = [
  [
    "crash loop",
    { export: exited(1) + result("exit-code") + exited(1) + exited(3), show: "ActiveState=activating\nNRestarts=3\n" },
    /crash loop: api\.service ended 3 times, the last time with exit code 3/,
  ],
  ["crash", { export: killed(11), show: FAILED }, /crash: api\.service ended by signal SEGV \(139\)/],
  [
    "hang",
    { export: killed(6) + result("watchdog"), show: "WatchdogUSec=30s\n" },
    /hang: api\.service gave no sign of life for 30s/,
  ],
  ["slow start", { export: result("timeout"), show: "TimeoutStartUSec=1min 30s\n" }, /slow start: .* within 1min 30s/],
  ["slow health", { show: "ActiveState=active\n" }, /unhealthy: api\.service runs, but did not show that it is well/],
  [
    "out of memory",
    { export: killed(9) + result("oom-kill"), show: "MemoryMax=67108864\n" },
    /out of memory: the kernel killed api\.service at its limit of 64 MiB/,
  ],
  [
    "out of memory, by a limit of the process",
    { export: exited(2), journal: "fatal error: out of memory allocating heap arena metadata\n" },
    /out of memory: api\.service was given no more by the kernel: fatal error: out of memory allocating/,
  ],
  [
    "no memory, of which the service only talks",
    { export: exited(1), journal: "upstream said: fatal error: out of memory\n" },
    /crash: api\.service ended with exit code 1/,
  ],
  [
    "port in use",
    { export: exited(1), journal: "listen tcp 127.0.0.1:8080: bind: address already in use\n" },
    /port in use: listen tcp 127\.0\.0\.1:8080/,
  ],
  [
    "missing environment",
    { export: exited(1), journal: "config: DATABASE_URL is not set\n" },
    /missing environment: config: DATABASE_URL is not set/,
  ],
  [
    "missing credential",
    { export: exited(243), show: FAILED },
    /missing credential: .*: token \(\/nowhere\/token is not there\)/,
  ],
  [
    "missing credential, as the service says",
    {
      export: exited(1),
      journal: "reading the token: open /run/credentials/api.service/token: no such file or directory\n",
    },
    /missing credential: reading the token: /,
  ],
  [
    "wrong architecture",
    { export: exited(203), journal: "api.service: Failed to execute /x/api: Exec format error\n" },
    /wrong architecture: the program of api\.service is not for this machine/,
  ],
  [
    "no program",
    { export: exited(203), journal: "Failed at step EXEC spawning /x/api: No such file\n" },
    /no program: /,
  ],
  ["no user", { export: exited(217), show: FAILED }, /systemd failed at step USER \(217\)/],
];

const [shell] = shells();

describe("agent: evidence", function () {
  let host: FakeSystemd;
  beforeEach(() => (host = new FakeSystemd(shell)));
  afterEach(() => host.root.dispose());

  const before = service("echo good\n", "LISTEN=:8080\nOLD=1\nAPI_TOKEN=first\n");
  const after = service(
    "echo '{\"status\":\"starting\"}'; echo 'HTTP 503' >&2; exit 7\n",
    "LISTEN=:9090\nNEW=2\nAPI_TOKEN=second\n",
    'Environment="MODE=fast and loose" DSN=postgres://u:hunter2@db/x\nLoadCredential=token:/nowhere/token\n',
  );
  const start = async (): Promise<void> => {
    const answer = await host.run(withSecrets(before));
    assert.equal(answer.code, 0, JSON.stringify(answer));
    await host.root.quiet();
  };
  const summary = (): string => host.root.read("var/lib/gofleet/go/runs/fails/evidence/summary");

  for (const [name, facts, cause] of CAUSES) {
    it(`names the cause: ${name}`, async () => {
      await start();
      host.say(`show-${UNIT}`, `LoadState=loaded\n${facts.show ?? FAILED}`);
      host.say("export", facts.export ?? "");
      host.say("journal", facts.journal ?? "");
      const answer = await host.run(withSecrets(after), { tx: "fails" });
      assert.ok(Number(answer.code) >= 20, JSON.stringify(answer));
      const [line = ""] = summary().split("\n");
      assert.match(line, cause);
      assert.match(line, /^cause {5}/);
    });
  }

  for (const [name, wanted] of [
    ["with coredumpctl", /^coredumpctl --no-pager --since=\S+ info COREDUMP_UNIT=api\.service\nSignal: 6 \(ABRT\)$/m],
    ["without it", /^a core was dumped; without coredumpctl \(systemd-coredump\) nothing more is known of it$/m],
  ] as const) {
    it(`keeps what is known of a core that was dumped, ${name}`, async function () {
      if (name === "with coredumpctl") host.program("coredumpctl", "echo coredumpctl \"$@\"; echo 'Signal: 6 (ABRT)'");
      else if (which("coredumpctl") !== undefined) skip(this, "this machine has coredumpctl itself");
      await start();
      host.say(`show-${UNIT}`, `LoadState=loaded\n${FAILED}Result=core-dump\n`);
      host.say("export", dumped(6) + result("core-dump"));
      await host.run(withSecrets(after), { tx: "fails" });
      assert.match(summary(), /^cause {5}crash: api\.service ended by signal ABRT \(134\)$/m);
      const kept = "var/lib/gofleet/go/runs/fails/evidence/core-api.service";
      assert.ok(summary().includes(`core      ${host.root.at(kept)}`), summary());
      assert.match(host.root.read(kept), wanted);
    });
  }

  it("keeps no word of cores where none was dumped", async () => {
    await start();
    host.say("export", killed(6) + result("signal"));
    await host.run(withSecrets(after), { tx: "fails" });
    assert.doesNotMatch(summary(), /^core /m);
    assert.ok(!host.root.has("var/lib/gofleet/go/runs/fails/evidence/core-api.service"));
  });

  it("says it at a glance, and what the release answered, wrote and changed", async () => {
    await start();
    host.say(`show-${UNIT}`, "ActiveState=activating\nResult=exit-code\nNRestarts=3\nMemoryPeak=25165824\n");
    host.say("export", exited(1) + exited(1));
    host.say(
      "journal",
      "starting\npanic: no luck\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:7 +0x1\nexit status 2\n",
    );
    const answer = await host.run(withSecrets(after), { tx: "fails" });
    const told = answer.events.find(({ ev }) => ev === "summary");
    const where = host.root.at("var/lib/gofleet/go/runs/fails/evidence");
    assert.deepEqual(String(told?.["msg"]).split("\n"), [
      "cause     crash loop: api.service ended 2 times, the last time with exit code 1",
      'answer    {"status":"starting"} ',
      "unit      api.service: activating, exit-code, 3 restarts, memory at most 24 MiB",
      "journal   starting",
      "          panic: no luck",
      "          exit status 2",
      ...changed(String(told?.["msg"])),
      `evidence  ${where}`,
    ]);
    assert.deepEqual(
      changed(String(told?.["msg"])).map((line) => line.slice(10).replace(/[0-9a-f]{12}/g, "#")),
      ["~ API_TOKEN: digest # -> digest #", "+ DSN=digest #", "~ LISTEN: :8080 -> :9090", "+ MODE=fast and loose"],
    );
    assert.match(host.root.read("var/lib/gofleet/go/runs/fails/evidence/environment"), /^\+ NEW=2\n- OLD$/m);
  });

  describe("of a release that was well by itself, and is taken back all the same", () => {
    const GATE = "gate error-rate: 3.1 % > 0.5 %";
    const bad = service("echo fine\n", "LISTEN=:9090\n");
    const kept = { skipchecks: 1, cause: GATE, tx: "back" };
    const at = (tx: string, directory: string): string => host.root.at(`var/lib/gofleet/go/runs/${tx}/${directory}`);
    const rows = (tx: string, directory: string): string[] =>
      readFileSync(join(at(tx, directory), "summary"), "utf8")
        .trimEnd()
        .split("\n");
    const told = ({ events }: Answer) => events.filter(({ ev }) => ev === "summary").map(({ path }) => path);

    it("names the cause that it was given, and what differs from the release it goes back to", async () => {
      await start();
      assert.equal((await host.run(withSecrets(bad))).code, 0);
      host.say("journal", `served 500\nwith ${SECRETS.token}\n`);
      const back = await host.run(withSecrets(before), kept);
      assert.equal(back.code, 0, JSON.stringify(back));
      assert.deepEqual(rows("back", "left"), [
        `cause     ${GATE}`,
        "unit      api.service: active, ",
        "journal   served 500",
        "          with [secret token]",
        "changed   - API_TOKEN",
        "          ~ LISTEN: :8080 -> :9090",
        "          - OLD",
        `evidence  ${at("back", "left")}`,
      ]);
      assert.deepEqual(told(back), [at("back", "left")]);
      await host.root.quiet();
      assert.equal(host.root.read("var/lib/gofleet/go/probes/ready").trim(), "good", "its own probe's answer was kept");
    });

    it("says what the release shows itself as well, and is gathered for the host's own copy too", async () => {
      await start();
      assert.equal((await host.run(withSecrets(bad))).code, 0);
      host.say("export", exited(1) + exited(1));
      const back = await host.run({ ...before, entries: new Map() }, kept);
      assert.equal(back.code, 0, JSON.stringify(back));
      assert.deepEqual(rows("back", "left").slice(0, 2), [
        `cause     ${GATE}`,
        "          crash loop: api.service ended 2 times, the last time with exit code 1",
      ]);
    });

    it("is not gathered where the release is not left, nor for one that is put on", async () => {
      await start();
      const same = await host.run(withSecrets(before), { cause: GATE });
      const other = await host.run(withSecrets(bad), { tx: "on" });
      assert.deepEqual([told(same), told(other), host.root.has("var/lib/gofleet/go/runs/on/left")], [[], [], false]);
    });

    it("is gathered where a check before the confirmation fails, and where none comes", async () => {
      await start();
      assert.equal((await host.run(withSecrets(bad), { tx: "one", confirm: 300 })).result["status"], "unconfirmed");
      const back = await host.ask("revert", { tx: "one", cause: "hook afterHealthy failed: no orders" });
      assert.equal(back.code, 20, JSON.stringify(back));
      assert.equal(rows("one", "evidence")[0], "cause     hook afterHealthy failed: no orders");
      assert.deepEqual(told(back), [at("one", "evidence")]);

      const guarded = release(plan({ files: [file("/etc/gofleet/go/environment", "A=1\n")], confirm: 1 }));
      const answer = await host.run(guarded, { tx: "two" });
      assert.equal(answer.result["status"], "unconfirmed", JSON.stringify(answer));
      // As the timer starts it.
      spawnSync("sh", [at("two", "agent"), "revert", dirname(at("two", "agent"))], {
        env: { ...process.env, ...host.env },
      });
      assert.equal(rows("two", "evidence")[0], "cause     not confirmed in time");
      const { events } = await host.ask("state");
      const decision = events.find(({ ev }) => ev === "decision");
      assert.deepEqual(
        [decision?.["from"], decision?.["msg"], decision?.["evidence"]],
        [guarded.id, "not confirmed in time", at("two", "evidence")],
      );
    });

    it("stays where a first release is taken off for it, until the component goes", async () => {
      assert.equal((await host.run(withSecrets(bad))).code, 0);
      await host.root.quiet();
      const off = await host.ask("remove", { tx: "off", cause: GATE });
      assert.deepEqual([off.code, off.result["status"]], [0, "removed"], JSON.stringify(off));
      assert.equal(rows("off", "left")[0], `cause     ${GATE}`);
      assert.deepEqual(readdirSync(host.root.at("var/lib/gofleet/go")), ["runs"]);
      assert.ok(!host.root.has("etc/gofleet/go"));
      assert.equal((await host.run(withSecrets(before))).code, 0);
      await host.root.quiet();
      assert.equal((await host.ask("remove")).code, 0);
      assert.ok(!host.root.has("var/lib/gofleet"));
    });
  });

  it("holds no secret, however the service printed it", async () => {
    await start();
    const base64 = Buffer.from(SECRETS.token).toString("base64");
    host.say(`show-${UNIT}`, `${FAILED}StatusText=token ${SECRETS.token}\n`);
    host.say("export", exited(1));
    host.say(
      "journal",
      `got ${SECRETS.token}, ${base64}\npassword pa$$\\word or "pa$$\\\\word"\n${SECRETS.token} is not set\n`,
    );
    const leaky = service(`echo 'token=${SECRETS.token}'; echo '${SECRETS.token}' >&2; exit 1\n`, "A=1\n");
    const answer = await host.run(withSecrets(leaky), { tx: "fails" });
    const shown = JSON.stringify(answer);
    for (const hidden of ["s3cr3t-of-the-token", base64.replace(/=+$/, ""), "pa$$"]) {
      assert.ok(!shown.includes(hidden), `${hidden} is in what the operator sees: ${shown}`);
      const found = files(host.root.at("var/lib/gofleet/go/runs")).filter((path) =>
        readFileSync(path, "utf8").includes(hidden),
      );
      assert.deepEqual(found, [], hidden);
    }
    assert.match(summary(), /journal {3}got \[secret token\], \[secret token\]/);
    assert.match(summary(), /password \[secret db\] or "\[secret db\]"/);
    assert.ok(!execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).includes(SECRETS.token));
  });

  describe("where a text is cut in the middle of a secret", () => {
    /** So many characters, then the secret. */
    const after = (count: number): string => `${"x".repeat(count)}${SECRETS.token}`;
    const nothingOfIt = (answer: unknown): void => {
      const all = [JSON.stringify(answer), ...files(host.root.at("var/lib/gofleet/go/runs")).map(text)];
      assert.deepEqual(
        all.filter((each) => /s3cr3|-the-token/.test(each)),
        [],
      );
    };
    const text = (path: string): string => readFileSync(path, "utf8");

    it("shows nothing of it: what probes printed", async () => {
      await start();
      host.say(`show-${UNIT}`, "ActiveState=active\n");
      const leaky = `echo ${after(290)}; { echo ${SECRETS.token}; printf '%0984d\\n' 0; } >&2; exit 1\n`;
      nothingOfIt(await host.run(withSecrets(service(leaky, "A=1\n")), { tx: "fails" }));
    });

    for (const count of [284, 384]) {
      it(`shows nothing of it: what the service wrote, ${count} characters on`, async () => {
        await start();
        host.say(`show-${UNIT}`, FAILED);
        host.say("export", exited(1));
        host.say("journal", `the variable PORT is missing ${after(count - 29)}\n`);
        nothingOfIt(await host.run(withSecrets(service("exit 1\n", "A=1\n")), { tx: "fails" }));
        assert.match(summary(), /^cause {5}missing environment: the variable PORT is missing x/);
      });
    }

    it("shows nothing of it: a hook, also one that fails before the release is on", async () => {
      await start();
      const staged = withSecrets(service("echo fine\n", "A=2\n"));
      assert.equal((await host.run(staged, { stageonly: 1 })).code, 0);
      const script = `echo ${SECRETS.token}; printf '%04084d' 0; exit 3\n`;
      const answer = await host.root.start("hook", { deadline: 60 }, new Map([["hook", script]]), { env: host.env });
      assert.match(String(answer.result["msg"]), /^exit code 3: /);
      nothingOfIt(answer);
    });
  });

  it("keeps nothing that it could not mask", async () => {
    await start();
    host.say(`show-${UNIT}`, FAILED);
    host.say("journal", `got ${SECRETS.token}\n`);
    // As on a full disk: what awk writes into a file comes to nothing.
    host.program("mv", `case $* in *.masked*) echo "No space left on device" >&2; exit 1 ;; esac; exec /bin/mv "$@"`);
    await host.run(withSecrets(service(`echo ${SECRETS.token}; exit 1\n`, "A=1\n")), { tx: "fails" });
    const kept = files(host.root.at("var/lib/gofleet/go/runs/fails"));
    assert.deepEqual(
      kept.filter((path) => readFileSync(path, "utf8").includes(SECRETS.token)),
      [],
    );
    assert.equal(host.root.current(), before.id);
  });
});

const changed = (text: string): string[] => {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => line.startsWith("changed"));
  return first < 0
    ? []
    : lines.slice(
        first,
        lines.findIndex((line) => line.startsWith("evidence")),
      );
};

function files(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`);
}
