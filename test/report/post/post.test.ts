import assert from "node:assert/strict";
import { connect } from "../../../src/report/post/connect";
import { ciContext, POST_FORGES, type PostForge } from "../../../src/report/post/environment";
import { findPull } from "../../../src/report/post/github";
import { formatMarker, markerKey, parseMarker, type MarkerStyle } from "../../../src/report/post/marker";
import { postReport, type Posted, type Posting } from "../../../src/report/post/sticky";
import { FakeForge, HEAD, TOKEN } from "./fake-forge";

const OLD = "a".repeat(40);
const posting = (more: Partial<Posting> = {}): Posting => ({
  name: "fleet/prod",
  run: { number: 5, attempt: 1 },
  commit: HEAD,
  report: "the report",
  ...more,
});

/** A comment as run `number` would have written it. */
const written = (style: MarkerStyle, number: number, report: string, name = "fleet/prod", commit = HEAD): string =>
  `${formatMarker({ key: markerKey(name), run: { number, attempt: 1 }, commit }, style)}\n\n${report}`;

for (const name of POST_FORGES) {
  describe(`posting to ${name}`, () => {
    let forge: FakeForge;
    let waited: number[] = [];
    const style: MarkerStyle = name === "bitbucket" ? "reference" : "html";

    beforeEach(async () => {
      forge = await new FakeForge(name).start();
      waited = [];
    });
    afterEach(() => forge.stop());

    async function post(more: Partial<Posting> = {}, patience = 120, author?: string): Promise<Posted> {
      const { url: api, repository } = forge;
      const wait = async (seconds: number): Promise<void> => void waited.push(seconds);
      const credentials = { token: TOKEN, scheme: "basic", patience, wait } as const;
      return postReport(
        connect(name, { api, repository, pull: "7", author }, credentials),
        posting(more),
        async () => {},
      );
    }
    const bodies = (): string[] => forge.comments.map(({ body }) => body);
    const writes = (): string[] => forge.requests.filter((line) => !line.startsWith("GET "));

    it("creates one comment, with a marker that readers do not see", async () => {
      assert.deepEqual(await post(), { outcome: "created", cut: false, stale: 0 });
      assert.deepEqual(bodies(), [written(style, 5, "the report")]);
    });

    it("updates it in place, however many comments are before it", async () => {
      forge.page = 3;
      for (let i = 0; i < 10; i += 1) forge.add(`remark ${i}`, "somebody");
      const ours = forge.add(written(style, 4, "an older report"));
      assert.equal((await post()).outcome, "updated");
      assert.equal(forge.comments.length, 11);
      assert.equal(ours.body, written(style, 5, "the report"));
    });

    it("leaves what is said already", async () => {
      forge.add(written(style, 5, "the report"));
      assert.equal((await post()).outcome, "unchanged");
      assert.deepEqual(writes(), []);
    });

    it("takes no comment of another author for its own, nor another report, nor a marker further down", async () => {
      const others = [
        forge.add(written(style, 9, "a forgery"), "somebody"),
        forge.add(written(style, 9, "of another stack", "fleet/dev")),
        forge.add(`quoted:\n${written(style, 9, "x")}`),
      ].map((each) => ({ ...each }));
      assert.equal((await post()).outcome, "created");
      assert.deepEqual(forge.comments.slice(0, 3), others);
    });

    it("leaves the report of a newer run, and of a newer attempt", async () => {
      const newer = written(style, 6, "a newer report");
      forge.add(newer);
      assert.equal((await post()).outcome, "superseded");
      assert.equal((await post({ run: { number: 5, attempt: 9 } })).outcome, "superseded");
      assert.deepEqual(bodies(), [newer]);
      assert.equal((await post({ run: { number: 6, attempt: 2 } })).outcome, "updated");
    });

    it("leaves one comment, the newer run's, where another run creates one at the same time", async () => {
      for (const [number, left] of [
        [4, "the report"],
        [6, "the other's"],
      ] as const) {
        forge.comments = [];
        let raced = false;
        forge.before = (line) => {
          if (line.startsWith("POST") && !raced) {
            raced = true;
            forge.add(written(style, number, "the other's"));
          }
          return undefined;
        };
        await post();
        // The other run looks again after its own write, as this one does.
        await post({ run: { number, attempt: 1 }, report: "the other's" });
        assert.deepEqual(
          bodies().map((body) => body.split("\n\n")[1]),
          [left],
        );
      }
    });

    it("writes again where an older run's update comes later", async () => {
      const ours = forge.add(written(style, 4, "before"));
      let late = false;
      forge.before = (line) => {
        if (line.startsWith("GET") && !late && parseMarker(ours.body)?.run.number === 5) {
          late = true;
          ours.body = written(style, 3, "too late");
        }
        return undefined;
      };
      assert.equal((await post()).outcome, "updated");
      assert.ok(late);
      assert.deepEqual(bodies(), [written(style, 5, "the report")]);
    });

    it("removes duplicates that were left, and minds not if they are gone", async () => {
      const first = forge.add(written(style, 4, "one"));
      const second = forge.add(written(style, 4, "two"));
      forge.before = (line) => {
        if (line.startsWith("DELETE")) forge.comments = [first];
        return undefined;
      };
      await post();
      assert.notEqual(second, first);
      assert.deepEqual(bodies(), [written(style, 5, "the report")]);
    });

    it("gives up where another program undoes each write", async () => {
      forge.add(written(style, 4, "before"));
      forge.before = (line) => {
        if (line.startsWith("GET")) for (const each of forge.comments) each.body = written(style, 4, "before");
        return undefined;
      };
      await assert.rejects(post(), /is not there: does another program change it/);
    });

    it("creates no second comment where the server fails after it has taken the first", async () => {
      let failed = false;
      forge.before = (line) => {
        if (!line.startsWith("POST") || failed) return undefined;
        failed = true;
        return { status: 502, after: true };
      };
      await post();
      assert.equal(writes().length, 1, "it was sent twice");
      assert.deepEqual(bodies(), [written(style, 5, "the report")]);
    });

    it("creates it after all where the server fails before", async () => {
      let failed = false;
      forge.before = (line) => {
        if (!line.startsWith("POST") || failed) return undefined;
        failed = true;
        return { status: 502 };
      };
      assert.equal((await post()).outcome, "created");
      assert.deepEqual(bodies(), [written(style, 5, "the report")]);
    });

    it("posts the shorter report where the whole is refused", async () => {
      forge.longest = 400;
      const report = "x".repeat(500);
      assert.deepEqual(await post({ report, cut: "in short" }), { outcome: "created", cut: true, stale: 0 });
      assert.deepEqual(bodies(), [written(style, 5, "in short")]);
      await assert.rejects(
        post({ report, run: { number: 6, attempt: 1 } }),
        /characters: give a shorter report by --cut/,
      );
      await assert.rejects(post({ report, cut: report, run: { number: 6, attempt: 1 } }));
    });

    it("marks a report that is about an older commit, its own and others", async () => {
      const other = forge.add(written(style, 9, "of dev", "fleet/dev", OLD));
      const current = forge.add(written(style, 9, "of test", "fleet/test"));
      assert.deepEqual(await post({ commit: OLD }), { outcome: "created", cut: false, stale: 1 });
      assert.match(other.body, /^.*\n\n> ⚠️ \*\*Out of date\.\*\* .*~~aaaaaaaaaaaa~~; .* bbbbbbbbbbbb\.\n\nof dev$/);
      assert.doesNotMatch(current.body, /Out of date/);
      assert.match(forge.comments.at(-1)?.body ?? "", /Out of date[\s\S]*the report$/);
      // Once is enough; and a report of the newest commit says so no more.
      assert.equal((await post({ commit: OLD })).stale, 0);
      await post({ name: "fleet/dev", run: { number: 10, attempt: 1 } });
      assert.equal(other.body, written(style, 10, "the report", "fleet/dev"));
    });

    it("waits as long as it is told to, and no longer than it may", async () => {
      const limits = [{ "retry-after": "7" }, { "retry-after": "11" }];
      forge.before = () => {
        const headers = limits.shift();
        return headers && { status: 429, headers };
      };
      await post();
      assert.deepEqual(waited, [7, 11]);
      forge.before = () => ({ status: 429, headers: { "retry-after": "3600" } });
      await assert.rejects(post(), /answered 429 and asks to wait 3600 s; try again later, or allow more by --wait/);
      forge.before = () => ({ status: 503 });
      await assert.rejects(post(), /answered 503/);
      assert.ok(waited.reduce((sum, each) => sum + each, 0) < 18 + 120);
    });

    it("does not follow a redirect with its token", async () => {
      forge.before = () => ({ status: 302, headers: { location: "http://127.0.0.1:1/steal" } });
      await assert.rejects(post(), /was moved/);
    });

    it("says what the forge says, and never the token", async () => {
      // The form in which Azure DevOps is sent it.
      const encoded = name === "azure-devops" ? Buffer.from(`:${TOKEN}`).toString("base64") : TOKEN;
      forge.before = () => ({ status: 401, body: { message: `no access with ${TOKEN} or ${encoded}\u001b[31m` } });
      await assert.rejects(post(), (error: Error) => {
        assert.match(error.message, /GET http:\/\/127\.0\.0\.1:\d+\/.*: 401 no access with/);
        assert.doesNotMatch(error.message, new RegExp(`${TOKEN}|${encoded}|\u001b`));
        return true;
      });
    });
  });
}

describe("posting: what differs", () => {
  const stopped: FakeForge[] = [];
  const started = async (name: PostForge): Promise<FakeForge> => {
    const forge = await new FakeForge(name).start();
    stopped.push(forge);
    return forge;
  };
  afterEach(() => stopped.splice(0).forEach((each) => each.stop()));
  const credentials = { token: TOKEN, scheme: "bearer" } as const;

  it("GitHub: a workflow's token may not ask for its name", async () => {
    const forge = await started("github");
    forge.knowsItself = false;
    const ours = forge.add(written("html", 4, "before"), "github-actions[bot]");
    const place = { api: forge.url, repository: forge.repository, pull: "7" };
    await postReport(connect("github", place, credentials), posting(), async () => {});
    assert.equal(ours.body, written("html", 5, "the report"));
  });

  it("GitHub: a spent budget is waited for until it is filled again", async () => {
    const forge = await started("github");
    const waited: number[] = [];
    const reset = String(Math.floor(Date.now() / 1000) + 100);
    let refused = false;
    forge.before = () => {
      if (refused) return undefined;
      refused = true;
      return { status: 403, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset } };
    };
    const wait = async (seconds: number): Promise<void> => void waited.push(seconds);
    const place = { api: forge.url, repository: forge.repository, pull: "7" };
    await postReport(connect("github", place, { ...credentials, wait }), posting(), async () => {});
    assert.equal(waited.length, 1);
    assert.ok((waited[0] ?? 0) > 0 && (waited[0] ?? 0) <= 100);
  });

  it("GitHub: finds the pull request of a fork's branch by its commit", async () => {
    const forge = await started("github");
    const place = { api: forge.url, repository: forge.repository };
    assert.equal(await findPull(place, "stranger:feature", HEAD, credentials), "7");
    assert.equal(await findPull(place, "stranger:feature", "c".repeat(40), credentials), undefined);
    await assert.rejects(findPull(place, "stranger:other", HEAD, credentials), /no open pull request/);
  });

  it("GitLab: no line of a report is a command of the one who posts", async () => {
    const forge = await started("gitlab");
    const place = { api: forge.url, repository: forge.repository, pull: "7" };
    await postReport(
      connect("gitlab", place, credentials),
      posting({ report: "x\n/merge\n  /approve\n1/2" }),
      async () => {},
    );
    assert.doesNotMatch(forge.comments[0]?.body ?? "", /^\s*\/[a-z]/m);
    assert.match(forge.comments[0]?.body ?? "", /merge[\s\S]*approve[\s\S]*1\/2/);
  });

  it("a next page on another server is not asked with the token", async () => {
    const forge = await started("bitbucket");
    forge.before = (line) =>
      line.includes("/comments")
        ? { status: 200, body: { values: [], next: "https://elsewhere.example/steal" } }
        : undefined;
    const place = { api: forge.url, repository: forge.repository, pull: "7" };
    await assert.rejects(
      postReport(connect("bitbucket", place, credentials), posting(), async () => {}),
      /leads to another server/,
    );
  });

  it("a token goes over https only", () => {
    const place = { api: "http://api.example", repository: "corp/fleet", pull: "7" };
    assert.throws(() => connect("github", place, credentials), /over https only/);
  });
});

describe("posting: what CI says of itself", () => {
  const none = (): string => assert.fail("no event to read");

  it("GitHub", () => {
    const env = {
      GITHUB_REPOSITORY: "corp/fleet",
      GITHUB_EVENT_PATH: "/event",
      GITHUB_SHA: OLD,
      GITHUB_RUN_NUMBER: "12",
      GITHUB_RUN_ATTEMPT: "3",
      GITHUB_TOKEN: TOKEN,
    };
    const event = JSON.stringify({ pull_request: { number: 7, head: { sha: HEAD } } });
    const { api, repository, pull, commit, run, token } = ciContext("github", env, () => event);
    const found = [api, repository, pull, commit, run, token];
    assert.deepEqual(found, ["https://api.github.com", "corp/fleet", "7", HEAD, { number: 12, attempt: 3 }, TOKEN]);
  });

  it("GitLab", () => {
    const env = {
      CI_API_V4_URL: "https://g/api/v4",
      CI_PROJECT_ID: "3",
      CI_MERGE_REQUEST_IID: "7",
      CI_COMMIT_SHA: HEAD,
    };
    const { api, repository, pull, commit } = ciContext("gitlab", { ...env, CI_PIPELINE_IID: "9" }, none);
    assert.deepEqual([api, repository, pull, commit], ["https://g/api/v4", "3", "7", HEAD]);
  });

  it("Azure DevOps", () => {
    const env = {
      SYSTEM_COLLECTIONURI: "https://dev.azure.com/corp/",
      SYSTEM_TEAMPROJECT: "fleet",
      BUILD_REPOSITORY_ID: "id",
      SYSTEM_PULLREQUEST_PULLREQUESTID: "7",
      SYSTEM_PULLREQUEST_SOURCECOMMITID: HEAD,
      BUILD_BUILDID: "44",
    };
    const context = ciContext("azure-devops", { ...env, SYSTEM_ACCESSTOKEN: TOKEN }, none);
    assert.deepEqual(
      [context.repository, context.pull, context.run.number, context.scheme],
      ["fleet/id", "7", 44, "bearer"],
    );
    assert.equal(ciContext("azure-devops", { ...env, AZURE_DEVOPS_TOKEN: TOKEN }, none).scheme, "basic");
  });

  it("Bitbucket", () => {
    const env = {
      BITBUCKET_REPO_FULL_NAME: "corp/fleet",
      BITBUCKET_PR_ID: "7",
      BITBUCKET_COMMIT: HEAD,
      BITBUCKET_BUILD_NUMBER: "5",
    };
    const { repository, pull, run } = ciContext("bitbucket", env, none);
    assert.deepEqual([repository, pull, run], ["corp/fleet", "7", { number: 5, attempt: 1 }]);
  });
});
