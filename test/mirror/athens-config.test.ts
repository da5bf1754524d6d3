import assert from "node:assert/strict";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { AthensArgs } from "../../src/model/mirror/athens";
import { ATHENS_VARIABLES, type AthensReach } from "../../src/model/mirror/athens-variables";
import { ATHENS_RELEASES, NEWEST_ATHENS } from "../../src/model/mirror/athens-versions";
import { DOWNLOAD_MODES, resolveDownloadMode } from "../../src/model/mirror/download-mode";
import { downloadModeFile } from "../../src/render/mirror/download-mode";
import { tomlFile } from "../../src/render/toml";
import { athensModule } from "../support/athens";
import { needsGo, temporaryDirectory } from "../support/go";
import { hostile } from "../support/hostile";
import { ATHENS_CASES, SECRET } from "./athens-cases";
import { taggedVariables, understood, understoodFiles, understoodModes, understoodToml } from "./athens-probe";
import { pathsBelow } from "./athens-server";

const reaches: [string, AthensReach][] = Object.entries(ATHENS_VARIABLES);
const cases: [string, AthensArgs][] = Object.entries(ATHENS_CASES);

/** Typed variables that no file of 0.18.0 can show: where else they are. */
const ELSEWHERE = new Set([
  // In the download mode file.
  "ATHENS_DOWNLOAD_URL",
  // Of the release after it.
  "ATHENS_TRACE_SAMPLING_FRACTION",
]);

describe("Athens' configuration, as Athens reads it", function () {
  this.timeout(20 * 60_000);
  let folder: string;

  before(function () {
    needsGo(this);
    folder = temporaryDirectory();
  });
  after(() => folder && rmSync(folder, { recursive: true }));

  it("is of the module that the model names", async () => {
    const { directory, sum } = await athensModule();
    const goMod = readFileSync(join(directory, "go.mod"), "utf8");
    const { h1, go } = ATHENS_RELEASES[NEWEST_ATHENS];
    assert.deepEqual([sum, /^go (.*)$/m.exec(goMod)?.[1]], [h1, go]);
  });

  it("has the variables that the model has", async () => {
    const tagged = await taggedVariables();
    const known = reaches
      .map(([name]) => name)
      .filter((name) => name !== "PORT" && name !== "ATHENS_TRACE_SAMPLING_FRACTION");
    assert.deepEqual(known, tagged);
  });

  for (const [name, args] of cases) {
    it(`is valid and means something throughout: ${name}`, async () => {
      const { error, unknown } = await understood(folder, args);
      assert.equal(error, undefined);
      assert.deepEqual(unknown, []);
    });
  }

  it("would show a key that Athens does not know", async () => {
    const paths = pathsBelow(folder);
    writeFileSync(paths.config, 'StorageTyp = "disk"\n');
    writeFileSync(`${paths.credentials}/athens.env`, "", { mode: 0o600 });
    assert.deepEqual((await understoodFiles(paths)).unknown, ["StorageTyp"]);
  });

  it("is changed by every argument", async () => {
    const paths = pathsBelow(folder);
    writeFileSync(paths.config, "");
    rmSync(`${paths.credentials}/athens.env`, { force: true });
    writeFileSync(`${paths.credentials}/athens.env`, "");
    const { values: own } = await understoodFiles(paths);
    const changed = new Set<string>();
    for (const [, args] of cases) {
      rmSync(paths.credentials, { recursive: true });
      const { values } = await understood(folder, args);
      for (const [name, value] of Object.entries(values)) {
        if (JSON.stringify(value) !== JSON.stringify(own[name])) changed.add(name);
      }
    }
    const missing = reaches.filter(
      ([name, reach]) => !("decided" in reach) && !changed.has(name) && !ELSEWHERE.has(name),
    );
    // Two that are only for a certificate path, which Athens 0.18.0 makes no use of.
    assert.deepEqual(
      missing.map(([name]) => name),
      ["ATHENS_MONGO_CERT_PATH", "ATHENS_MONGO_INSECURE"],
    );
  });

  it("gets every secret as it was given", async () => {
    const secrets: [AthensArgs, Record<string, unknown>][] = [
      [
        ATHENS_CASES.s3,
        {
          AWS_ACCESS_KEY_ID: SECRET,
          AWS_SECRET_ACCESS_KEY: SECRET,
          AWS_SESSION_TOKEN: SECRET,
          ATHENS_INDEX_MYSQL_PASSWORD: SECRET,
        },
      ],
      [
        ATHENS_CASES["s3-endpoint"],
        { ATHENS_REDIS_SENTINEL_PASSWORD: SECRET, ATHENS_REDIS_USERNAME: SECRET, ATHENS_REDIS_PASSWORD: SECRET },
      ],
      [ATHENS_CASES.azureblob, { ATHENS_AZURE_ACCOUNT_KEY: ATHENS_CASES.azureblob.storage.credentials.accountKey }],
      [
        ATHENS_CASES.gcp,
        {
          ATHENS_STORAGE_GCP_JSON_KEY: Buffer.from(ATHENS_CASES.gcp.storage.jsonKey).toString("base64"),
          ATHENS_GITHUB_TOKEN: "ghp_h4nter2",
        },
      ],
      [
        ATHENS_CASES.minio,
        {
          ATHENS_MINIO_ACCESS_KEY_ID: SECRET,
          ATHENS_MINIO_SECRET_ACCESS_KEY: SECRET,
          ATHENS_INDEX_POSTGRES_PASSWORD: "h4nter2",
        },
      ],
      [ATHENS_CASES.mongo, { ATHENS_MONGO_STORAGE_URL: ATHENS_CASES.mongo.storage.url }],
      [ATHENS_CASES.external, { ATHENS_EXTERNAL_STORAGE_URL: ATHENS_CASES.external.storage.url }],
    ];
    for (const [args, expected] of secrets) {
      rmSync(`${folder}/credentials`, { recursive: true });
      const { values } = await understood(folder, args);
      for (const [name, value] of Object.entries(expected)) assert.ok(values[name]?.includes(value), name);
    }
  });

  it("never has Athens' own password for sentinels, nor its unencrypted database", async () => {
    rmSync(`${folder}/credentials`, { recursive: true });
    const { sentinelPassword: _none, ...singleFlight } = ATHENS_CASES["s3-endpoint"].singleFlight;
    const { values } = await understood(folder, { ...ATHENS_CASES.minio, singleFlight });
    assert.deepEqual(values["ATHENS_REDIS_SENTINEL_PASSWORD"], [""]);
    assert.deepEqual(values["ATHENS_INDEX_POSTGRES_PARAMS"], [
      { application_name: "athens", connect_timeout: "30", sslmode: "verify-full" },
    ]);
  });

  it("is refused where others may write it, and not as we place it", async () => {
    rmSync(`${folder}/credentials`, { recursive: true });
    assert.equal((await understood(folder, ATHENS_CASES.disk)).error, undefined);
    const paths = pathsBelow(folder);
    chmodSync(paths.config, 0o664);
    assert.match((await understoodFiles(paths)).error ?? "", /permission/);
  });

  it("holds any text", async () => {
    const writable = hostile.filter((value) => !/\p{Cs}/u.test(value));
    const batch = fc.sample(writable, 500);
    const read = await understoodToml(
      batch.map((value, index) => tomlFile({ [`k${index}`]: value, l: [value, "x"], t: { v: value } })),
    );
    batch.forEach((value, index) =>
      assert.deepEqual(read[index], { [`k${index}`]: value, l: [value, "x"], t: { v: value } }),
    );
  });
});

describe("download mode file, as Athens reads it", function () {
  this.timeout(20 * 60_000);

  before(function () {
    needsGo(this);
  });

  it("decides by the first rule that matches", async () => {
    const mode = resolveDownloadMode(ATHENS_CASES.external.downloadMode, ["git.corp.example/*"]);
    const modules = ["git.corp.example/a/b", "github.com/acme/x/v2", "a.example/x", "golang.org/x/mod"];
    const [read] = await understoodModes([downloadModeFile(mode)], ...modules);
    assert.deepEqual(read?.modules, {
      "git.corp.example/a/b": { mode: "sync", url: "https://proxy.corp.example" },
      "github.com/acme/x/v2": { mode: "async_redirect", url: "https://other.corp.example/go" },
      "a.example/x": { mode: "none", url: "https://proxy.corp.example" },
      "golang.org/x/mod": { mode: "redirect", url: "https://proxy.corp.example" },
    });
  });

  it("allows only what is listed", async () => {
    const file = downloadModeFile(resolveDownloadMode(ATHENS_CASES.memory.downloadMode));
    const [read] = await understoodModes(
      [file],
      "github.com/acme/x",
      "golang.org/x/mod",
      "github.com/other/x",
      "github.com/acme",
    );
    const modes = Object.fromEntries(Object.entries(read?.modules ?? {}).map(([module, { mode }]) => [module, mode]));
    assert.deepEqual(modes, {
      "github.com/acme": "none",
      "github.com/acme/x": "sync",
      "github.com/other/x": "none",
      "golang.org/x/mod": "sync",
    });
  });

  it("holds any URL and any pattern", async () => {
    // HCL keeps text in Unicode's composed form.
    const url = hostile.filter((value) => !/\p{Cs}/u.test(value)).map((value) => value.normalize("NFC"));
    const element = fc.stringMatching(/^[A-Za-z0-9._~*-]{1,8}$/);
    const modules = fc.array(element, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    const rule = fc.record({ modules, mode: fc.constantFrom(...DOWNLOAD_MODES), url });
    const files = fc.sample(
      fc.record({ mode: fc.constantFrom(...DOWNLOAD_MODES), url, rules: fc.array(rule, { maxLength: 3 }) }),
      300,
    );
    const read = (await understoodModes(files.map(downloadModeFile))) as unknown as Record<string, unknown>[];
    files.forEach(({ mode, url: top, rules }, index) => {
      assert.deepEqual(read[index], {
        mode,
        url: top,
        modules: {},
        rules:
          rules.length === 0
            ? null
            : rules.map((each) => ({ Pattern: each.modules, Mode: each.mode, DownloadURL: each.url })),
      });
    });
  });
});
