import assert from "node:assert/strict";
import type { GoToolchain } from "../../src/model/toolchain";
import { manifest, releaseId } from "../../src/plan/manifest";
import { toolchainPaths, toolchainPlan } from "../../src/plan/toolchain";
import { assertGolden } from "../support/golden";
import { h1Of, release } from "../support/releases";
import { toolchainTexts } from "../support/toolchain-texts";

const go = release("1.26.8");
const proxy = "https://goproxy.corp.example";

function plan(toolchain: GoToolchain, component = "go") {
  return toolchainPlan(toolchain, component, toolchainTexts(toolchain, component));
}

const CASES = {
  official: { go },
  "side-by-side": {
    go,
    also: [release("1.25.10")],
    source: { kind: "module", proxy: [proxy, "https://backup.corp.example/go"] },
    env: { GOPROXY: proxy, GOFLAGS: "-mod=readonly" },
  },
  alone: {
    go,
    source: { kind: "official", url: "https://dl.corp.example/go" },
    env: { GOTOOLCHAIN: "auto" },
    links: false,
    profile: false,
  },
} satisfies Record<string, GoToolchain>;

describe("toolchain plan", () => {
  for (const [name, toolchain] of Object.entries(CASES)) {
    it(`is as written down: ${name}`, () => {
      const { files, probes, ...rest } = plan(toolchain);
      assertGolden(`toolchain/${name}/manifest`, manifest({ files, probes, ...rest }));
      for (const file of files) assertGolden(`toolchain/${name}${file.path}`, file.text);
      assertGolden(`toolchain/${name}/probe.sh`, probes.map(({ script }) => script).join(""));
    });
  }

  it("leads the release's own settings with ours", () => {
    for (const { overlay } of plan(CASES["side-by-side"]).downloads) {
      assert.deepEqual(overlay, { path: "go.env", text: "/etc/gofleet/go/go.env" });
    }
  });

  it("sets GOTOOLCHAIN=local unless told otherwise", () => {
    const text = (toolchain: GoToolchain) => plan(toolchain).files[0]?.text ?? "";
    assert.match(text({ go }), /^GOTOOLCHAIN=local$/m);
    assert.match(text({ go, env: { GOTOOLCHAIN: undefined } }), /^GOTOOLCHAIN=local$/m);
    assert.match(text({ go, env: { GOTOOLCHAIN: "auto" } }), /^GOTOOLCHAIN=auto$/m);
  });

  it("fetches from the internal mirror, by archive name", () => {
    assert.deepEqual(
      plan(CASES.alone)
        .downloads[0]?.variants.map(({ urls }) => urls)
        .flat(),
      [
        "https://dl.corp.example/go/go1.26.8.linux-amd64.tar.gz",
        "https://dl.corp.example/go/go1.26.8.linux-arm64.tar.gz",
      ],
    );
  });

  it("fetches modules from each proxy in order, checked by h1", () => {
    const [download] = plan(CASES["side-by-side"]).downloads;
    assert.equal(download?.format, "module");
    assert.deepEqual(download?.variants[0], {
      arch: "amd64",
      checksum: go.checksums["linux-amd64"]?.h1,
      urls: [
        `${proxy}/golang.org/toolchain/@v/v0.0.1-go1.26.8.linux-amd64.zip`,
        "https://backup.corp.example/go/golang.org/toolchain/@v/v0.0.1-go1.26.8.linux-amd64.zip",
      ],
    });
  });

  it("pushes files, each checked as its kind is", () => {
    const source = (file: string) => ({ kind: "file", paths: { "linux-arm64": file } }) as const;
    const [archive] = plan({ go, source: source("./go.tar.gz") }).downloads;
    assert.equal(archive?.format, "tar.gz");
    const sha256 = go.checksums["linux-arm64"]?.sha256;
    assert.deepEqual(archive?.variants, [{ arch: "arm64", checksum: sha256, urls: [], file: "./go.tar.gz" }]);
    const [module] = plan({ go, source: source("./go.zip") }).downloads;
    assert.equal(module?.format, "module");
    assert.equal(module?.variants[0]?.checksum, go.checksums["linux-arm64"]?.h1);
  });

  it("offers only platforms that have the checksum its source needs", () => {
    const half = { version: go.version, checksums: { ...go.checksums, "linux-arm64": { h1: h1Of("x") } } };
    assert.deepEqual(
      plan({ go: half }).downloads[0]?.variants.map(({ arch }) => arch),
      ["amd64"],
    );
  });

  it("names its paths after the component, so that two toolchains on a host claim none twice", () => {
    const paths = (component: string) => {
      const { files, symlinks } = plan({ go, links: false }, component);
      return [...files, ...symlinks].map(({ path }) => path);
    };
    const both = [...paths("go"), ...paths("go-emergency")];
    assert.equal(new Set(both).size, both.length);
    assert.equal(toolchainPaths({ go }, "go").go, "/usr/local/bin/go");
    assert.equal(toolchainPaths({ go, links: false }, "go").go, "/etc/gofleet/go/goroot/bin/go");
  });

  it("is the same release whatever the order of args", () => {
    const id = (toolchain: GoToolchain) => releaseId(manifest(plan(toolchain)));
    const env = { GOPROXY: proxy, GOFLAGS: "-mod=readonly" };
    const reversed = { GOFLAGS: "-mod=readonly", GOPROXY: proxy };
    assert.equal(id({ go, env }), id({ env: reversed, go }));
  });

  const changes: Record<string, GoToolchain> = {
    version: { go: release("1.26.7") },
    also: { go, also: [release("1.25.10")] },
    env: { go, env: { GOFLAGS: "-mod=mod" } },
    links: { go, links: false },
    profile: { go, profile: false },
    source: { go, source: { kind: "module", proxy } },
    checksums: { go: { ...go, checksums: { "linux-amd64": go.checksums["linux-amd64"] } } },
  };
  for (const [name, toolchain] of Object.entries(changes)) {
    it(`is another release with another ${name}`, () => {
      assert.notEqual(releaseId(manifest(plan(toolchain))), releaseId(manifest(plan({ go }))));
    });
  }

  it("is the same release from another URL: where bytes come from is not what they are", () => {
    const from = (url: string) => releaseId(manifest(plan({ go, source: { kind: "official", url } })));
    assert.equal(from("https://a.example"), from("https://b.example"));
  });
});
