import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY } from "../../support/engine/project";
import { FakeForge, HEAD, TOKEN } from "./fake-forge";

const PROGRAM = [join(REPOSITORY, "node_modules/tsx/dist/cli.mjs"), join(REPOSITORY, "src/cli/main.ts"), "post"];

describe("gofleet post", function () {
  const folder = mkdtempSync(join(tmpdir(), "gofleet-post-"));
  const report = join(folder, "report.md");
  let forge: FakeForge;

  before(async () => {
    forge = await new FakeForge("github").start();
    writeFileSync(report, "**3 hosts** change, says @octocat\n");
  });
  beforeEach(() => {
    forge.comments = [];
    forge.longest = Number.POSITIVE_INFINITY;
  });
  after(() => {
    forge.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const event = (): string => {
    const path = join(folder, "event.json");
    writeFileSync(path, JSON.stringify({ pull_request: { number: 7, head: { sha: HEAD } } }));
    return path;
  };

  function post(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
    const env = {
      PATH: process.env["PATH"],
      HOME: folder,
      NO_COLOR: "1",
      GITHUB_API_URL: forge.url,
      GITHUB_REPOSITORY: "corp/fleet",
      GITHUB_RUN_NUMBER: "12",
      GITHUB_TOKEN: TOKEN,
      ...more,
    };
    return new Promise<{ code: number | null; text: string }>((resolve) => {
      const child = spawn(process.execPath, [...PROGRAM, "--report", report, "--forge", "github", ...args], { env });
      let text = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += String(chunk)));
      child.on("close", (code) => resolve({ code, text }));
    });
  }

  it("posts on the pull request of its own job, and updates it", async () => {
    const first = await post([], { GITHUB_EVENT_PATH: event() });
    assert.deepEqual(first, { code: 0, text: "the report is on #7\n" });
    const second = await post(["--run", "13"], { GITHUB_EVENT_PATH: event() });
    assert.deepEqual(second, { code: 0, text: "the report on #7 is up to date\n" });
    assert.equal(forge.comments.length, 1);
    assert.match(forge.comments[0]?.body ?? "", /run=13\.1 commit=b{40} -->\n\n\*\*3 hosts\*\* change, says @octocat$/);
  });

  it("posts what a fork's run left, on the pull request of its branch", async () => {
    const { code, text } = await post(["--head", "stranger:feature", "--commit", HEAD, "--untrusted"]);
    assert.equal(code, 0, text);
    assert.match(forge.comments[0]?.body ?? "", /Rendered by the pull request's own code[\s\S]*says @\u200boctocat$/);
  });

  it("leaves a pull request alone that has moved on since", async () => {
    const { code, text } = await post(["--head", "stranger:feature", "--commit", "c".repeat(40), "--untrusted"]);
    assert.deepEqual([code, text], [0, "the pull request has a newer commit, whose own run reports on it\n"]);
    assert.deepEqual(forge.comments, []);
  });

  it("posts the shorter report where the whole is refused", async () => {
    forge.longest = 200;
    const cut = join(folder, "cut.md");
    writeFileSync(cut, "in short");
    writeFileSync(report, "x".repeat(500));
    const refused = await post(["--pull", "7", "--commit", HEAD]);
    assert.equal(refused.code, 1);
    assert.match(refused.text, /^gofleet: POST .*: 422 .*Body is too long .*: give a shorter report by --cut\n$/);
    const { code, text } = await post(["--pull", "7", "--commit", HEAD, "--cut", cut]);
    assert.equal(code, 0, text);
    assert.equal(text, "the report is on #7; the shorter one, for the whole was refused\n");
  });

  const bad: Readonly<Record<string, [args: string[], env: Record<string, string>, code: number, says: RegExp]>> = {
    "no token": [
      ["--pull", "7"],
      { GITHUB_TOKEN: "" },
      1,
      /token: none in the environment: set GITHUB_TOKEN or GH_TOKEN/,
    ],
    "no pull request": [["--commit", HEAD], {}, 1, /--pull: this job is of no pull request/],
    "no commit": [["--pull", "7"], {}, 1, /--commit: "" is no commit's SHA/],
    "a pull request that is no number": [
      ["--pull", "7/../8", "--commit", HEAD],
      {},
      1,
      /--pull: "7\/\.\.\/8" is no number/,
    ],
    "a run that is no number": [["--pull", "7", "--commit", HEAD, "--run", "x"], {}, 1, /--run: "x" is no number/],
    "another forge": [["--forge", "sourcehut"], {}, 2, /Allowed choices are github, gitlab, azure-devops, bitbucket/],
    "a token over http": [["--pull", "7", "--commit", HEAD, "--api", "http://api.example"], {}, 1, /over https only/],
    "a wrong token": [["--pull", "7", "--commit", HEAD], { GITHUB_TOKEN: "wrong-one" }, 1, /401 Bad credentials/],
  };
  for (const [name, [args, env, code, says]] of Object.entries(bad)) {
    it(`refuses ${name}, and says what would do`, async () => {
      const ended = await post(args, env);
      assert.equal(ended.code, code, ended.text);
      assert.match(ended.text, says);
      assert.doesNotMatch(ended.text, new RegExp(`${TOKEN}|wrong-one|\\n {4}at `));
      assert.deepEqual(forge.comments, []);
    });
  }
});
