import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { REPOSITORY } from "../../support/engine/project";

const read = (path: string): string => readFileSync(join(REPOSITORY, "examples/ci", path), "utf8");

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly steps: readonly Step[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
}
interface Workflow {
  readonly name: string;
  readonly on: Readonly<Record<string, { readonly workflows?: readonly string[] } | null>>;
  readonly permissions?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** Permissions each job may have at most, by the event that starts it. */
const MOST: Readonly<Record<string, readonly string[]>> = {
  pull_request: ["contents: read"],
  workflow_run: ["actions: read", "contents: read", "pull-requests: write"],
};

/** What is wrong with a GitHub workflow that has to do with forks. */
function faults(text: string): string[] {
  const { on, permissions, jobs } = parse(text) as Workflow;
  const events = Object.keys(on);
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  const found: string[] = [];
  if (events.length !== 1 || MOST[events[0] ?? ""] === undefined) found.push(`event ${events.join()}`);
  for (const { uses } of steps) {
    if (uses !== undefined && !/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/.test(uses)) found.push(`not pinned: ${uses}`);
  }
  if (JSON.stringify(permissions) !== "{}") found.push("permissions of the whole workflow");
  for (const [name, job] of Object.entries(jobs)) {
    const given = Object.entries(job.permissions ?? { default: "all" }).map(([what, how]) => `${what}: ${how}`);
    const allowed = MOST[events[0] ?? ""] ?? [];
    found.push(...given.filter((each) => !allowed.includes(each)).map((each) => `${name} may ${each}`));
    if (job["timeout-minutes"] === undefined) found.push(`${name} has no timeout`);
  }
  for (const { uses, with: given } of steps) {
    if (uses?.startsWith("actions/checkout@") !== true) continue;
    if (given?.["persist-credentials"] !== false) found.push("the token stays in the checkout");
    if (events[0] === "workflow_run" && (given?.["ref"] ?? given?.["repository"]) !== undefined)
      found.push("foreign code");
  }
  if (events[0] === "pull_request" && /secrets\.|github\.token|GITHUB_TOKEN/.test(text)) found.push("a secret");
  if (events[0] === "workflow_run" && !text.includes("--untrusted")) found.push("a report that is trusted");
  for (const { run = "" } of steps) if (run.includes("${{")) found.push("an expression in a script");
  for (const { run = "" } of steps)
    if (/npm (ci|install)(?!.*--ignore-scripts)/.test(run)) found.push("install scripts");
  return found;
}

describe("CI examples", () => {
  const render = read("github/fleet-report.yml");
  const post = read("github/fleet-report-post.yml");

  it("GitHub: two workflows without a fault", () => {
    assert.deepEqual(faults(render), []);
    assert.deepEqual(faults(post), []);
  });

  it("GitHub: the second one follows the first", () => {
    const { name } = parse(render) as Workflow;
    assert.deepEqual((parse(post) as Workflow).on["workflow_run"]?.workflows, [name]);
  });

  it("GitHub: each pinned action says which release it is, and is the same one in both", () => {
    const uses = [...`${render}${post}`.matchAll(/uses: ([\w/-]+)@(\w+)(.*)/g)];
    assert.equal(uses.length, 6);
    for (const [line, , , comment] of uses) assert.match(comment ?? "", /^ # v\d+\.\d+\.\d+$/, line);
    const checkouts = uses.filter(([, name]) => name === "actions/checkout").map(([, , sha]) => sha);
    assert.equal(new Set(checkouts).size, 1);
  });

  const SHA = /@[0-9a-f]{40}/;
  const wrong: Readonly<Record<string, [text: string, says: RegExp]>> = {
    "an action by tag": [render.replace(SHA, "@v7"), /not pinned: actions\/checkout@v7/],
    "a secret": [render.replace("run: npm ci", "env: { X: '${{ secrets.X }}' }\n        run: npm ci"), /a secret/],
    "a token": [render.replace("run: npm ci", "env: { X: '${{ github.token }}' }\n        run: npm ci"), /a secret/],
    "the other event": [render.replace("pull_request:", "pull_request_target:"), /event pull_request_target/],
    "permissions by default": [render.replace("permissions: {}", ""), /whole workflow/],
    "more permissions": [render.replace("contents: read", "contents: write"), /render may contents: write/],
    "a token in the checkout": [render.replace("persist-credentials: false", ""), /stays in the checkout/],
    "a branch's name in a script": [post.replace('"$PULL_HEAD"', "${{ github.head_ref }}"), /expression in a script/],
    "a report that is trusted": [post.replace("--untrusted ", ""), /report that is trusted/],
    "foreign code with a token": [
      post.replace("persist-credentials: false", "persist-credentials: false\n          ref: x"),
      /foreign code/,
    ],
    "install scripts": [post.replace(" --ignore-scripts", ""), /install scripts/],
  };
  for (const [name, [text, says]] of Object.entries(wrong)) {
    it(`would catch ${name}`, () => assert.match(faults(text).join("\n"), says));
  }

  it("GitLab: an image of the user's, secrets only for the project's own branches", () => {
    const text = read("gitlab/gitlab-ci.yml");
    const jobs = parse(text) as Record<string, { image?: string; rules?: { if: string }[]; script?: string[] }>;
    assert.equal(jobs[".fleet"]?.image, "$FLEET_CI_IMAGE");
    const own = "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID";
    for (const [name, { rules = [], script = [] }] of Object.entries(jobs).filter(
      ([, job]) => job.script !== undefined,
    )) {
      const secret = /gofleet (preview|post)/.test(script.join("\n"));
      assert.equal(
        rules.every((rule) => rule.if.includes(own)),
        secret,
        name,
      );
    }
    assert.doesNotMatch(text.replace(/^#.*$/gm, ""), /GITLAB_TOKEN|PASSPHRASE/);
  });

  it("Azure DevOps: no tasks, secrets only for the repository's own branches", () => {
    const text = read("azure/azure-pipelines.yml");
    const { jobs } = parse(text) as {
      jobs: { job: string; condition: string; variables?: unknown; steps: object[] }[];
    };
    assert.doesNotMatch(text, /^\s*-? ?task:/m);
    for (const { job, condition, variables, steps } of jobs) {
      const fork =
        condition.includes("eq(variables['System.PullRequest.IsFork'], 'True')") && !condition.includes("ne(");
      assert.equal(job === "fork", fork, job);
      if (fork) assert.doesNotMatch(JSON.stringify([variables ?? "", steps]), /group|TOKEN|PASSPHRASE|preview|post/i);
    }
  });

  it("call verbs and options that the command line has", () => {
    const sources = ["post.ts", "preview.ts", "diff.ts", "report-output.ts", "program-options.ts"];
    const known = sources.map((name) => readFileSync(join(REPOSITORY, "src/cli", name), "utf8")).join("\n");
    const calls = [
      "github/fleet-report.yml",
      "github/fleet-report-post.yml",
      "gitlab/gitlab-ci.yml",
      "azure/azure-pipelines.yml",
    ]
      .flatMap((name) =>
        read(name)
          .split(/npx gofleet /)
          .slice(1),
      )
      .map((rest) => rest.split(/\n\s*(?:- |#|\w+:)| -- |; fi/)[0] ?? "");
    assert.equal(calls.length, 8);
    for (const option of calls.flatMap((call) => call.match(/--[a-z-]+/g) ?? [])) {
      assert.ok(known.includes(`"${option} `) || known.includes(`"${option}"`), option);
    }
  });
});
