import assert from "node:assert/strict";
import { resolveAthens, seconds } from "../../../src/model/mirror/athens";
import { athensSecretFiles, secretVariables } from "../../../src/model/mirror/athens-secrets";
import { resolveDownloadMode } from "../../../src/model/mirror/download-mode";

const storage = { kind: "disk", path: "/srv/athens", max: "200 GiB" } as const;

describe("resolved settings of Athens", () => {
  it("have every default, and change no more", () => {
    const resolved = resolveAthens<string>({ storage });
    assert.deepEqual(resolved.timeouts, { external: 300, stash: 600, shutdown: 60 });
    assert.deepEqual(resolved.workers, { fetch: 10, request: 30 });
    assert.deepEqual(resolved.goEnv, { GOPROXY: "direct" });
    assert.equal(resolved.version, "0.18.0");
  });

  it("take seconds from checked durations only", () => {
    assert.equal(seconds("15 min", 1), 900);
    assert.throws(() => seconds("soon", 1), /a duration/);
  });
});

describe("Athens' secrets", () => {
  const names = (args: object) => athensSecretFiles(resolveAthens({ storage, ...args })).map(({ name }) => name);

  it("are none where nothing is secret", () => {
    assert.deepEqual(names({}), []);
    assert.deepEqual(names({ storage: { kind: "s3", region: "r", bucket: "b" } }), []);
  });

  it("are a file each, and one for all variables", () => {
    const ssh = { key: "k", knownHosts: "h" };
    assert.deepEqual(names({ private: { netrc: "n", hgrc: "h", ssh } }), [
      "athens-netrc",
      "athens-hgrc",
      "athens-ssh-key",
    ]);
    assert.deepEqual(names({ private: { githubToken: "t" } }), ["athens.env"]);
    assert.deepEqual(names({ egress: { proxy: "http://p" } }), ["athens.env"]);
  });

  it("are counted without being known", () => {
    const later = Symbol("later");
    const athens = resolveAthens<symbol>({ storage: { kind: "mongo", url: later }, private: { netrc: later } });
    assert.deepEqual(
      athensSecretFiles(athens).map(({ name }) => name),
      ["athens.env", "athens-netrc"],
    );
    assert.deepEqual(secretVariables(athens), { ATHENS_MONGO_STORAGE_URL: later });
  });
});

describe("download mode", () => {
  it("fetches everything by default", () => {
    assert.deepEqual(resolveDownloadMode(undefined, ["git.corp.example/*"]), { mode: "sync", url: "", rules: [] });
  });

  it("knows an allow-list", () => {
    const { mode, rules } = resolveDownloadMode({ only: ["b.example/*", "a.example/x"] });
    assert.equal(mode, "none");
    assert.deepEqual(rules, [
      { modules: "b.example/*", mode: "sync" },
      { modules: "a.example/x", mode: "sync" },
    ]);
  });

  it("sends no private module elsewhere", () => {
    const url = "https://proxy.corp.example";
    const everywhere = resolveDownloadMode({ mode: "redirect", url }, ["git.corp.example/*"]);
    assert.deepEqual(everywhere.rules, [{ modules: "git.corp.example/*", mode: "sync" }]);
    const some = resolveDownloadMode({ mode: "sync", url, rules: [{ modules: "*", mode: "async_redirect" }] }, [
      "a.b/c",
    ]);
    assert.deepEqual(some.rules[0], { modules: "a.b/c", mode: "sync" });
  });
});
