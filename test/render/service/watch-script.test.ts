import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { resolveWatch, type WatchArgs } from "../../../src/model/service/watch";
import { watchScript } from "../../../src/render/service/watch-script";
import { shellcheck } from "../../plan/sandbox/host-tools";
import { REPOSITORY } from "../../support/engine/project";
import { temporaryDirectory } from "../../support/go";

const UNIT = "gofleet-api.service";
const PAGE = join(REPOSITORY, "docs", "rollback.md");

/** What systemd, the kernel and the service say. */
interface Facts {
  /** `systemctl show`, beside a unit that runs and was never restarted. */
  readonly show?: Readonly<Record<string, string>>;
  /** systemd's messages of the unit, in order. */
  readonly messages?: readonly Message[];
  readonly memoryEvents?: string;
  /** Whether the readiness probe gets a good answer, look by look. */
  readonly ready?: readonly boolean[];
  readonly log?: readonly string[];
  /** False: the unit was not started by the switch. */
  readonly startedBySwitch?: boolean;
}

type Message = "starting" | "stopping" | `exited ${number}` | `killed ${number}` | `result ${string}`;

/** Message ids: sd-messages.h of systemd. */
function exported(message: Message): string {
  const [word = "", value = ""] = message.split(" ");
  const fields: Record<string, string> =
    word === "starting"
      ? { MESSAGE_ID: "7d4958e842da4a758f6c1cdc7b36dcc5" }
      : word === "stopping"
        ? { MESSAGE_ID: "de5b426a63be47a7b6ac3eaac82e2f6f" }
        : word === "result"
          ? { MESSAGE_ID: "d9b373ed55a64feb8242e02dbe79a49c", UNIT_RESULT: value }
          : { EXIT_STATUS: value, MESSAGE_ID: "98e322203f7a4ed290d09fe03c09fe15", EXIT_CODE: word };
  return [`__CURSOR=s=1`, ...Object.entries(fields).map(([key, text]) => `${key}=${text}`), "", ""].join("\n");
}

/** The rendered script with stand-ins for systemctl, journalctl and curl; the last look counts. */
function look(facts: Facts, args: WatchArgs = {}, looks = facts.ready?.length ?? 1): { code: number; said: string } {
  const folder = temporaryDirectory();
  try {
    const bin = join(folder, "bin");
    const memory = join(folder, "memory");
    const cgroup = join(folder, "cgroup", "api");
    for (const path of [bin, memory, cgroup]) mkdirSync(path, { recursive: true });
    const show = { ActiveState: "active", Result: "success", NRestarts: "0", ControlGroup: "/api", ...facts.show };
    writeFileSync(
      join(folder, "show"),
      Object.entries(show)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(""),
    );
    writeFileSync(join(folder, "export"), (facts.messages ?? []).map(exported).join(""));
    writeFileSync(join(folder, "log"), (facts.log ?? []).map((line) => `${line}\n`).join(""));
    writeFileSync(join(cgroup, "memory.events"), facts.memoryEvents ?? "low 0\noom 0\noom_kill 0\n");
    const tools = {
      systemctl: `cat '${folder}/show'`,
      // Of earlier boots, whose clock may have been any, nothing is to be asked.
      journalctl: `case $* in *--boot*) ;; *) echo 'MESSAGE_ID=98e322203f7a4ed290d09fe03c09fe15\nEXIT_CODE=exited\nEXIT_STATUS=1\n'; exit ;; esac
case $* in *--output=export*) cat '${folder}/export' ;; *) cat '${folder}/log' ;; esac`,
      curl: `[ -e '${folder}/ready' ] && printf 'HTTP 200' || { printf 'HTTP 503'; exit 0; }`,
    };
    for (const [name, script] of Object.entries(tools)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    const script = watchScript({
      unit: UNIT,
      readiness: facts.ready && { get: "http://127.0.0.1:8080/ready", timeout: 1, socket: undefined },
      watch: resolveWatch(args),
    });
    const env = {
      PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`,
      GOFLEET_WATCH: memory,
      GOFLEET_SINCE: "1700000000.5",
      GOFLEET_STARTED: facts.startedBySwitch === false ? "" : `other.service ${UNIT} `,
      GOFLEET_CGROUPS: join(folder, "cgroup"),
    };
    let last = { code: -1, said: "" };
    for (let turn = 0; turn < looks; turn++) {
      rmSync(join(folder, "ready"), { force: true });
      if (facts.ready?.[turn]) writeFileSync(join(folder, "ready"), "");
      const { status, stdout, stderr } = spawnSync("sh", ["-c", script], { env, encoding: "utf8" });
      assert.equal(stderr, "");
      last = { code: status ?? -1, said: stdout.trim() };
    }
    return last;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Verdict = "goes back" | "noted" | "nothing";

/** The default rules. What each row says is run. */
const TRUTH: readonly (readonly [what: string, told: string, Facts, Verdict, RegExp?])[] = [
  ["It runs, and is ready", "`ActiveState=active`, `NRestarts=0`", { ready: [true] }, "nothing"],
  [
    "Ended with exit code 1 (`log.Fatal`, `os.Exit(1)`)",
    "systemd's message: `EXIT_CODE=exited`, `EXIT_STATUS=1`",
    { messages: ["exited 1", "result exit-code"], show: { NRestarts: "1" } },
    "goes back",
    /ended with exit code 1$/,
  ],
  [
    "Panicked (Go's exit code 2)",
    "`EXIT_STATUS=2`",
    { messages: ["exited 2", "result exit-code"] },
    "goes back",
    /exit code 2$/,
  ],
  [
    "A shell found no program (127), or could not run it (126)",
    "`EXIT_STATUS=127`, `126`",
    { messages: ["exited 127"] },
    "goes back",
    /exit code 127$/,
  ],
  [
    "systemd could not run the program",
    "`EXIT_STATUS=203`",
    { messages: ["exited 203", "result exit-code"] },
    "goes back",
    /exit code 203$/,
  ],
  ["Ended with another code", "`EXIT_STATUS=7`", { messages: ["exited 7"] }, "noted", /exit code 7$/],
  [
    "Killed by SIGKILL, not for memory (137)",
    "`EXIT_CODE=killed`, `EXIT_STATUS=9`, `oom_kill 0`",
    { messages: ["killed 9", "result signal"] },
    "noted",
    /exit code 137$/,
  ],
  [
    "Killed for memory: systemd says so",
    "`EXIT_STATUS=9` and `UNIT_RESULT=oom-kill`",
    { messages: ["killed 9", "result oom-kill"] },
    "goes back",
    /^out of memory: [^\n]*$/,
  ],
  [
    "Killed for memory: a child of it, the unit goes on",
    "`oom_kill 1` in the cgroup's `memory.events`",
    { memoryEvents: "oom 1\noom_kill 1\n" },
    "goes back",
    /^out of memory: /,
  ],
  [
    "Ended by SIGTERM (143)",
    "`EXIT_CODE=killed`, `EXIT_STATUS=15`",
    { messages: ["killed 15", "result signal"] },
    "nothing",
  ],
  [
    "Stopped on purpose, whatever code it ended with",
    '"Stopping" before the end, "Starting" after it',
    { messages: ["stopping", "exited 1", "result exit-code", "starting"] },
    "nothing",
  ],
  [
    "Hung: its watchdog ended it",
    "`UNIT_RESULT=watchdog`",
    { messages: ["killed 6", "result watchdog"] },
    "goes back",
    /^hang: [^\n]*$/,
  ],
  ["Restarted twice", "`NRestarts` 2 more than at the switch", { show: { NRestarts: "2" } }, "nothing"],
  [
    "Restarted three times",
    "`NRestarts` 3 more than at the switch",
    { show: { NRestarts: "3" } },
    "goes back",
    /restarted 3 times/,
  ],
  [
    "Restarted often before, and not since",
    "`NRestarts=9` at the first look and now",
    { show: { NRestarts: "9" }, startedBySwitch: false },
    "nothing",
  ],
  [
    "Given up by systemd (start limit)",
    "`ActiveState=failed`",
    { show: { ActiveState: "failed", Result: "start-limit-hit" } },
    "goes back",
    /gave [^\n]* up: start-limit-hit/,
  ],
  ["Not ready at two looks in a row", "the readiness probe", { ready: [true, false, false] }, "nothing"],
  [
    "Not ready at two looks, ready, not ready again",
    "the readiness probe",
    { ready: [false, false, true, false, false] },
    "nothing",
  ],
  [
    "Not ready at three looks in a row",
    "the readiness probe",
    { ready: [true, false, false, false] },
    "goes back",
    /not ready at 3 looks in a row: HTTP 503/,
  ],
  [
    "Ten lines of `timeout` in its log within a minute",
    "the journal",
    { log: Array.from({ length: 10 }, () => "dial: Timeout") },
    "noted",
    /its log: /,
  ],
  ["Nine of them", "the journal", { log: Array.from({ length: 9 }, () => "dial: timeout") }, "nothing"],
];

function verdictOf({ code, said }: { code: number; said: string }): Verdict {
  assert.ok(code === 0 || code === 1, `exit code ${code}: ${said}`);
  return code === 1 ? "goes back" : said === "" ? "nothing" : "noted";
}

/** The rules of the page's example: signals that only count together. */
const SCORED: WatchArgs = {
  any: ["oom"],
  score: { weights: { readiness: 0.5, log: 0.3, restarts: 0.4 }, threshold: 0.8 },
  logs: [{ pattern: "timeout", count: 3 }],
  restarts: 0,
};
const SLOW = { ready: [false, false, false] } as const;
const TIMEOUTS = { log: ["timeout", "timeout", "timeout"] } as const;

/** What each row says is run. */
const SCORES: readonly (readonly [what: string, sum: string, Facts, Verdict])[] = [
  ["`readiness`", "0.5", SLOW, "noted"],
  ["`log` and `restarts`", "0.3 + 0.4 = 0.7", { ...TIMEOUTS, show: { NRestarts: "1" } }, "noted"],
  ["`readiness` and `log`", "0.5 + 0.3 = 0.8", { ...SLOW, ...TIMEOUTS }, "goes back"],
  ["`oom`", "0, but it is in `any`", { memoryEvents: "oom_kill 1\n" }, "goes back"],
];

describe("watch script", function () {
  for (const [what, , facts, verdict, sentence] of TRUTH) {
    it(`${what}: ${verdict}`, () => {
      const answer = look(facts);
      assert.equal(verdictOf(answer), verdict, answer.said);
      if (sentence !== undefined) assert.match(answer.said, sentence);
    });
  }

  for (const [what, sum, facts, verdict] of SCORES) {
    it(`by score, ${what} (${sum}): ${verdict}`, () => {
      const answer = look(facts, SCORED);
      assert.equal(verdictOf(answer), verdict, answer.said);
    });
  }

  it("is what docs/rollback.md says", () => {
    const rows = TRUTH.map(([what, told, , verdict]) => [what, told, verdict]);
    documented("truth table", markdown(["what happened", "told by", "the release"], rows));
    const scores = SCORES.map(([what, sum, , verdict]) => [what, sum, verdict]);
    documented("scores", markdown(["found at one look", "sum", "the release"], scores));
  });

  it("goes by other rules where they are given", () => {
    const log = Array.from({ length: 3 }, () => "deadlock!");
    const rule = { logs: [{ pattern: "dead(lock|line)", count: 3 }] };
    assert.equal(verdictOf(look({ log }, { ...rule, any: ["log"] })), "goes back");
    assert.equal(verdictOf(look({ log }, { ...rule, any: [], all: [["log", "restarts"]] })), "noted");
    const both: Facts = { log, show: { NRestarts: "3" } };
    assert.equal(verdictOf(look(both, { ...rule, any: [], all: [["log", "restarts"]] })), "goes back");
    const score = { weights: { log: 0.3, restarts: 0.55, oom: 1 }, threshold: 0.85 };
    assert.equal(verdictOf(look(both, { ...rule, any: [], score })), "goes back");
    assert.equal(verdictOf(look({ log }, { ...rule, any: [], score })), "noted");
    const codes = { exitCodes: { "7": "revert", other: "ignore", "1": "note" } } as const;
    assert.equal(verdictOf(look({ messages: ["exited 7"] }, codes)), "goes back");
    assert.equal(verdictOf(look({ messages: ["exited 8"] }, codes)), "nothing");
    assert.equal(verdictOf(look({ messages: ["exited 1"] }, codes)), "noted");
  });

  it("says each thing once, and nothing of a code that another signal explains", () => {
    const { said } = look({
      messages: ["killed 6", "result watchdog", "killed 9", "result oom-kill", "exited 7", "exited 7"],
    });
    assert.deepEqual(said.split("\n"), [
      `out of memory: the kernel killed a process of ${UNIT}`,
      `hang: the watchdog ended ${UNIT}`,
      `${UNIT} ended with exit code 7`,
    ]);
  });

  it("is one that shellcheck has nothing to say of, whatever the patterns hold", function () {
    const readiness = { get: "http://127.0.0.1/'$(id)", timeout: 1, socket: undefined };
    const hostile = "it's $(touch /tmp/x) `id` \"";
    const watch = resolveWatch({
      logs: [{ pattern: hostile }],
      all: [["log", "oom"]],
      score: { weights: { log: 1 }, threshold: 1 },
    });
    assert.equal(shellcheck(this, watchScript({ unit: UNIT, namespace: "api", readiness, watch })), "");
    const log = Array.from({ length: 10 }, () => "it's $(touch /tmp/x) `id` \"");
    assert.equal(look({ log }, { logs: [{ pattern: "it's [$]\\(touch /tmp/x\\) `id` \"" }] }).said !== "", true);
  });
});

/** Compares a table with the one between two marks of the page, or rewrites that. */
function documented(mark: string, table: string): void {
  const page = readFileSync(PAGE, "utf8");
  const block = new RegExp(`(<!-- ${mark} -->\\n\\n)[^]*?(<!-- end -->)`);
  const wanted = page.replace(block, (_, head: string, end: string) => `${head}${table}\n\n${end}`);
  assert.match(page, block);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(PAGE, wanted);
  else assert.equal(page, wanted, "UPDATE_GOLDEN=1 rewrites the table");
}

/** As prettier aligns it. */
function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
