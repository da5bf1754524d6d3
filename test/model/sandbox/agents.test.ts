import assert from "node:assert/strict";
import { resolveAgent, type Agent } from "../../../src/model/sandbox/agent";
import { checkSandbox } from "../../../src/model/sandbox/check";
import { BUILDKITE_AGENT, GITHUB_AGENT, GITLAB_AGENT, PLANTED_KEY, PLANTED_TOKEN, SHA256 } from "../../support/agents";

const UNKNOWN = Symbol("later");

const GOOD = {
  agent: GITHUB_AGENT,
  cache: { size: "2 GiB" },
  limits: { memory: "8 GiB" },
  network: { allow: ["github.com"], resolver: "10.20.0.53" },
};

const problems = (args: object) =>
  checkSandbox({ ...GOOD, ...args }, { isUnknown: (value) => value === UNKNOWN }).map(
    ({ path, given, wanted }) => `${path}: ${wanted} (${JSON.stringify(given)})`,
  );
const agent = (more: object) => ({ agent: { ...GITHUB_AGENT, ...more } });
const app = { app: "Iv1.abc", installation: 7, privateKey: PLANTED_KEY };

describe("agents of GitHub", () => {
  it("need a scope, a credential and a version by its checksums", () => {
    assert.deepEqual(problems({}), []);
    assert.deepEqual(
      problems(
        agent({
          scope: "corp/app",
          credential: app,
          labels: ["self-hosted", "go-1.26"],
          group: 3,
          stop: { within: "1 h" },
          runner: { version: "2.336.0", sha256: { arm64: SHA256 }, from: "https://files.corp.example/runner" },
        }),
      ),
      [],
    );
    assert.deepEqual(problems(agent({ credential: { token: UNKNOWN } })), []);
  });

  const wrong: Record<string, [args: object, says: RegExp]> = {
    "no scope": [agent({ scope: undefined }), /^agent\.scope: an organization/],
    "a scope that is a URL": [
      agent({ scope: "https://github.com/corp" }),
      /^agent\.scope: an organization, "corp", or/,
    ],
    "no credential": [agent({ credential: undefined }), /^agent\.credential: what may manage runners/],
    "a credential as a text": [
      agent({ credential: PLANTED_TOKEN }),
      /^agent\.credential: an object with app, installation, privateKey \("\\?"?a value/,
    ],
    "a token of two lines": [agent({ credential: { token: "a\nb" } }), /^agent\.credential\.token: one line/],
    "an App without its installation": [
      agent({ credential: { ...app, installation: undefined } }),
      /^agent\.credential\.installation: the installation's number/,
    ],
    "a key that is none": [
      agent({ credential: { ...app, privateKey: `${PLANTED_TOKEN}\nx` } }),
      /^agent\.credential\.privateKey: the App's private key, a PEM/,
    ],
    "a key beside a token": [
      agent({ credential: { token: "x", privateKey: PLANTED_KEY } }),
      /^agent\.credential\.privateKey: no such key/,
    ],
    "a credential that is known later": [
      agent({ credential: UNKNOWN }),
      /^agent\.credential: a plain object; the secrets/,
    ],
    "an App that is known later": [
      agent({ credential: { ...app, app: UNKNOWN } }),
      /^agent\.credential\.app: a plain value; only secrets/,
    ],
    "no runner": [agent({ runner: undefined }), /^agent\.runner: the version of its program/],
    "a version that is not exact": [
      agent({ runner: { version: "latest", sha256: { amd64: SHA256 } } }),
      /^agent\.runner\.version: a version such as/,
    ],
    "no checksum": [agent({ runner: { version: "2.336.0", sha256: {} } }), /^agent\.runner\.sha256: a checksum for/],
    "a checksum that is none": [
      agent({ runner: { version: "2.336.0", sha256: { amd64: "abc" } } }),
      /^agent\.runner\.sha256\.amd64: /,
    ],
    "a label with a comma": [agent({ labels: ["a,b"] }), /^agent\.labels\[0\]: a word of ASCII/],
    "no labels at all": [agent({ labels: [] }), /^agent\.labels: a list of labels/],
    "a server without TLS": [agent({ url: "http://git.corp.example" }), /^agent\.url: the https URL/],
    "a server's page": [agent({ url: "https://git.corp.example/corp" }), /^agent\.url: the https URL .*without a path/],
    "a signal": [agent({ stop: { signal: "SIGINT" } }), /^agent\.stop\.signal: no such key/],
    "a command": [agent({ command: ["/bin/true"] }), /^agent\.command: no such key/],
  };
  for (const [name, [args, says]] of Object.entries(wrong)) {
    it(`may not have ${name}`, () => {
      const said = problems(args);
      assert.equal(said.length, 1, said.join("\n"));
      assert.match(said[0] ?? "", says);
      assert.doesNotMatch(said.join(), /planted/);
    });
  }

  it("must be able to reach GitHub, where it can be known", () => {
    const reach = (network: unknown, more: object = {}) => {
      const known = typeof network === "object" ? { resolver: "10.20.0.53", ...network } : network;
      return problems({ ...agent(more), network: known });
    };
    const own = { url: "https://git.corp.example" };
    for (const network of [
      { allow: ["GitHub.com"] },
      { allow: [{ host: "github.com", ports: [22, 443] }] },
      { allow: ["x.example", UNKNOWN] },
      { allow: UNKNOWN },
      UNKNOWN,
      { allow: [{ host: UNKNOWN }] },
      { allow: [{ host: "github.com", ports: UNKNOWN }] },
    ]) {
      assert.deepEqual(reach(network), [], JSON.stringify(network));
    }
    for (const network of [
      undefined,
      {},
      { allow: ["api.github.com"] },
      { allow: [{ host: "github.com", ports: [22] }] },
      { allow: ["10.20.0.0/16"] },
    ]) {
      const [said = "", ...more] = reach(network);
      assert.deepEqual(more, []);
      assert.match(
        said,
        /^network\.allow: \{ host: "github\.com", ports: \[443\] \} among others: agents of kind github/,
      );
    }
    assert.deepEqual(reach({ allow: ["10.20.0.0/16"] }, own), []);
    assert.deepEqual(reach({ allow: ["10.20.0.9"] }, own), []);
    assert.match(reach({ allow: ["github.com"] }, own).join(), /host: "git\.corp\.example", ports: \[443\]/);
    const port = { url: "https://git.corp.example:8443/" };
    assert.match(reach({ allow: ["git.corp.example"] }, port).join(), /ports: \[8443\]/);
    assert.deepEqual(reach({ allow: [{ host: "git.corp.example", ports: [8443] }] }, port), []);
  });

  it("have defaults for all but that", () => {
    assert.deepEqual(resolveAgent(GITHUB_AGENT), {
      forge: {
        kind: "github",
        url: "https://github.com",
        api: "https://api.github.com",
        scope: "corp",
        labels: ["self-hosted", "linux"],
        group: 1,
        app: "",
        installation: 0,
        program: {
          name: "actions-runner-2.336.0",
          format: "tar.gz",
          files: [
            {
              arch: "amd64",
              sha256: SHA256,
              url: "https://github.com/actions/runner/releases/download/v2.336.0/actions-runner-linux-x64-2.336.0.tar.gz",
            },
          ],
        },
        writesBeside: true,
      },
      stopSignal: "SIGTERM",
      stopWithin: 120,
    });
    const own = resolveAgent({
      ...GITHUB_AGENT,
      url: "https://git.corp.example/",
      credential: app,
      runner: { version: "2.336.0", sha256: { arm64: SHA256.toUpperCase() }, from: "https://files.corp.example/r/" },
    });
    assert.equal(own.forge?.api, "https://git.corp.example/api/v3");
    assert.deepEqual([own.forge.app, own.forge.installation], ["Iv1.abc", 7]);
    assert.deepEqual(own.forge.program.files, [
      {
        arch: "arm64",
        sha256: SHA256,
        url: "https://files.corp.example/r/actions-runner-linux-arm64-2.336.0.tar.gz",
      },
    ]);
  });

  it("keep no secret when they are resolved", () => {
    for (const credential of [{ token: PLANTED_TOKEN }, app]) {
      const resolved = JSON.stringify(resolveAgent({ ...GITHUB_AGENT, credential } satisfies Agent));
      assert.doesNotMatch(resolved, /planted/);
    }
  });
});

describe("agents of GitLab", () => {
  const gitlab = (more: object) => ({
    agent: { ...GITLAB_AGENT, ...more },
    network: { allow: ["gitlab.com"], resolver: "10.20.0.53" },
  });

  it("take the jobs of a group, a project or all, at one's own GitLab or gitlab.com", () => {
    for (const [scope, text] of [
      [{ group: 12 }, "group/12"],
      [{ project: 34 }, "project/34"],
      ["instance", "instance"],
    ] as const) {
      assert.deepEqual(problems(gitlab({ scope })), []);
      assert.equal(resolveAgent({ ...GITLAB_AGENT, scope }).forge?.scope, text);
    }
    const own = resolveAgent({ ...GITLAB_AGENT, url: "https://gitlab.corp.example/", stop: { within: "1 h" } });
    assert.equal(own.forge?.api, "https://gitlab.corp.example/api/v4");
    // SIGTERM would end the job.
    assert.deepEqual([own.stopSignal, own.stopWithin], ["SIGQUIT", 3600]);
    assert.equal(own.forge.program.files[0]?.url.split("/").at(-1), "gitlab-runner-linux-amd64");
  });

  const wrong: Record<string, [more: object, says: RegExp]> = {
    "two scopes": [
      { scope: { group: 1, project: 2 } },
      /^agent\.scope: \{ group: 12 \}, \{ project: 34 \} or "instance"/,
    ],
    "a scope by its path": [{ scope: "corp/app" }, /^agent\.scope: \{ group: 12 \}/],
    "a group by its name": [{ scope: { group: "corp" } }, /^agent\.scope\.group: its number/],
    "a runner that is too old": [
      { runner: { version: "17.0.9", sha256: { amd64: SHA256 } } },
      /^agent\.runner\.version: 17\.1\.0 or newer/,
    ],
    "no tags": [{ tags: undefined }, /^agent\.tags: tags of the jobs/],
    "a token that is none": [{ credential: { token: "planted\nplanted" } }, /^agent\.credential\.token: one line/],
  };
  for (const [name, [more, says]] of Object.entries(wrong)) {
    it(`may not have ${name}`, () => {
      const said = problems(gitlab(more));
      assert.equal(said.length, 1, said.join("\n"));
      assert.match(said[0] ?? "", says);
      assert.doesNotMatch(said.join(), /planted/);
    });
  }

  it("must be able to reach it", () => {
    assert.match(problems({ ...gitlab({}), network: {} }).join(), /^network\.allow: \{ host: "gitlab\.com"/);
  });
});

describe("agents of Buildkite", () => {
  const network = { allow: ["agent.buildkite.com"], resolver: "10.20.0.53" };
  const buildkite = (more: object) => ({ agent: { ...BUILDKITE_AGENT, ...more }, network });

  it("are of one cluster", () => {
    assert.deepEqual(problems(buildkite({})), []);
    const { forge, stopSignal } = resolveAgent(BUILDKITE_AGENT);
    assert.equal(forge?.scope, "corp/e4f44564-d3ea-45eb-87c2-6506643b852a");
    assert.deepEqual([forge.labels, stopSignal], [["queue=default"], "SIGTERM"]);
  });

  const wrong: Record<string, [more: object, says: RegExp]> = {
    "an organization by its title": [{ organization: "The Corp" }, /^agent\.organization: an organization's slug/],
    "a cluster by its name": [{ cluster: "default" }, /^agent\.cluster: a cluster's ID, a UUID/],
    "a server of its own": [{ url: "https://x.example" }, /^agent\.url: no such key/],
    "a token in the wrong place": [{ credential: PLANTED_TOKEN }, /^agent\.credential: an object with token/],
  };
  for (const [name, [more, says]] of Object.entries(wrong)) {
    it(`may not have ${name}`, () => {
      const said = problems(buildkite(more));
      assert.equal(said.length, 1, said.join("\n"));
      assert.match(said[0] ?? "", says);
      assert.doesNotMatch(said.join(), /planted/);
    });
  }

  it("must be able to reach it", () => {
    assert.match(
      problems({ ...buildkite({}), network: {} }).join(),
      /^network\.allow: \{ host: "agent\.buildkite\.com"/,
    );
  });
});
