import assert from "node:assert/strict";
import { resolveAthens, type AthensArgs } from "../../../src/model/mirror/athens";
import { manifest } from "../../../src/plan/manifest";
import { mergePlans } from "../../../src/plan/merge";
import { athensPaths, athensPlan, athensSecretNames, athensTexts, athensWrites } from "../../../src/plan/mirror/athens";
import { mirrorPlace } from "../../../src/plan/mirror/place";
import { athensSecrets } from "../../../src/render/mirror/athens-environment";
import { ATHENS_CASES } from "../../mirror/athens-cases";
import { assertGolden } from "../../support/golden";
import { sha256Of } from "../../support/releases";

const place = mirrorPlace("goproxy");
const go = { goBinary: "/usr/local/lib/gofleet/goproxy/go1.26.8/bin/go", goRoot: "/usr/local/go1.26.8" };
const plan = (args: AthensArgs, toolchain = go) => {
  const athens = resolveAthens<string>(args);
  return mergePlans(athensPlan(athens, place, athensTexts(athens, place, toolchain), toolchain));
};
const unit = (args: AthensArgs) => plan(args).files.find(({ path }) => path.endsWith("-athens.service"))?.text ?? "";
const { disk, gcp, memory, s3 } = ATHENS_CASES;

describe("plan of Athens", () => {
  for (const [name, args] of Object.entries({ disk, memory })) {
    it(`is as written down: ${name}`, () => {
      assertGolden(`mirror/athens/${name}/manifest`, manifest(plan(args)));
      assertGolden(`mirror/athens/${name}/athens.service`, unit(args));
    });
  }

  it("hands over every secret, and only those", () => {
    for (const args of Object.values(ATHENS_CASES)) {
      const athens = resolveAthens<string>(args);
      const names = athensSecretNames(athens);
      assert.deepEqual(names.sort(), Object.keys(athensSecrets(athens)).sort());
      const loaded = [...unit(args).matchAll(/^LoadCredential=([^:]+):.*\/secrets\/(.*)$/gm)].map(
        ([, , secret]) => secret,
      );
      assert.deepEqual(loaded.sort(), names);
      const reads = plan(args).units[0]?.reads ?? [];
      for (const name of names) assert.ok(reads.includes(name), name);
    }
  });

  it("restarts for each of its files", () => {
    const { files, units, downloads } = plan(disk);
    for (const { path } of files) assert.ok(units[0]?.reads.includes(path), path);
    assert.ok(units[0]?.reads.includes(downloads[0]?.name ?? ""));
    assert.equal(units[0]?.onChange, "restart");
  });

  it("has files that Athens accepts in production: nobody else writes or executes them", () => {
    for (const { path, mode } of plan(disk).files) assert.equal(parseInt(mode, 8) & 0o033, 0, path);
  });

  it("starts by a shell only where there are secret variables", () => {
    assert.match(unit(s3), /^ExecStart=\/bin\/sh .*athens\.env/m);
    assert.match(
      unit(memory),
      /^ExecStart=\/usr\/local\/lib\/gofleet\/goproxy\/athens-0\.18\.0-\w{8}\/bin\/athens "-config_file"/m,
    );
  });

  it("lets the keeper's settings lead, wherever the secrets are", () => {
    assert.match(unit(s3), /^EnvironmentFile=-\/run\/gofleet-goproxy\/read-only\.env$/m);
  });

  it("keeps fetches on the store's budget", () => {
    assert.equal(athensPaths(resolveAthens(disk), place).fetch, "/srv/athens/.fetch");
    assert.match(unit(disk), /^ReadWritePaths="\/srv\/athens" "\/run\/gofleet-goproxy"$/m);
    assert.match(unit(disk), /TMPDIR=\/srv\/athens\/\.fetch/);
    assert.equal(athensPaths(resolveAthens<string>(s3), place).fetch, "/var/lib/gofleet-goproxy/.fetch");
    assert.deepEqual(athensWrites(resolveAthens(disk), place), ["/srv/athens", "/run/gofleet-goproxy"]);
  });

  it("gives Athens more time to stop than it takes", () => {
    const args = { ...disk, timeouts: { shutdown: "2 min" } };
    assert.match(unit(args), /^TimeoutStopSec=135s$/m);
  });

  it("limits by the size or the share that was given", () => {
    const memoryMax = (limit: string) => /^MemoryMax=(.*)$/m.exec(unit({ ...disk, limits: { memory: limit } }))?.[1];
    assert.equal(memoryMax("4 GiB"), "4G");
    assert.equal(memoryMax("1000 B"), "1000");
    assert.equal(memoryMax("25 %"), "25%");
    assert.doesNotMatch(unit(memory), /MemoryMax/);
  });

  it("builds the module with the mirror's toolchain", () => {
    const [download] = plan(disk).downloads;
    assert.equal(download?.format, "module");
    assert.match(download?.variants[0]?.checksum ?? "", /^h1:/);
    assert.deepEqual(download?.variants[0]?.urls, [
      "https://proxy.corp.example/github.com/gomods/athens/@v/v0.18.0.zip",
    ]);
    assert.deepEqual(download?.build, {
      package: "./cmd/proxy",
      output: "athens",
      goRoot: "/usr/local/go1.26.8",
      env: { GOPROXY: "https://proxy.corp.example" },
    });
    const other = plan(disk, { ...go, goRoot: "/usr/local/go1.26.9" });
    assert.notEqual(other.downloads[0]?.name, download?.name);
  });

  it("takes the module from the proxy that is said first", () => {
    const urls = (args: AthensArgs, proxies?: string[]) =>
      plan(args, { ...go, ...(proxies && { proxies }) }).downloads[0]?.variants[0]?.urls.map(
        (each) => new URL(each).host,
      );
    const storage = memory.storage;
    const binary = { kind: "module", proxy: ["https://a.example/", "https://b.example"] } as const;
    assert.deepEqual(urls({ ...memory, binary }), ["a.example", "b.example"]);
    assert.deepEqual(urls({ storage }, ["https://c.example"]), ["c.example"]);
    assert.deepEqual(urls(memory, ["https://c.example"]), ["proxy.corp.example"]);
  });

  it("leaves the proxy to the toolchain where none is said, and says what else would do", () => {
    for (const args of [{}, { goEnv: { GOPROXY: "direct" } }]) {
      const [download] = plan({ storage: memory.storage, ...args }).downloads;
      assert.deepEqual(download?.variants[0]?.urls, ["goproxy:github.com/gomods/athens@v0.18.0"]);
      assert.deepEqual(download?.build?.env, {});
      assert.match(download?.advice ?? "", /upstream: .*athens: \{ binary: /);
    }
    assert.equal(plan(disk).downloads[0]?.advice, undefined);
  });

  it("takes a finished binary", () => {
    const amd64 = { url: "https://dl.corp.example/0.18.0/athens", sha256: sha256Of("a").toUpperCase() };
    const file = plan({ ...memory, binary: { kind: "file", amd64 } });
    assert.deepEqual(file.downloads, [
      {
        name: "athens-0.18.0",
        format: "file",
        variants: [{ arch: "amd64", checksum: sha256Of("a"), urls: [amd64.url] }],
      },
    ]);
    assert.match(unit({ ...memory, binary: { kind: "file", amd64 } }), /^ExecStart=\S+\/athens-0\.18\.0\/athens /m);
    const archive = { kind: "archive", program: "bin/athens", arm64: amd64 } as const;
    assert.equal(plan({ ...memory, binary: archive }).downloads[0]?.format, "tar.gz");
    assert.match(unit({ ...memory, binary: archive }), /^ExecStart=\S+\/athens-0\.18\.0\/bin\/athens /m);
  });

  it("wants what go calls", () => {
    assert.deepEqual(plan(gcp).packages, ["ca-certificates", "git"]);
    assert.deepEqual(plan(disk).packages, ["ca-certificates", "git", "mercurial", "openssh-client"]);
  });
});
