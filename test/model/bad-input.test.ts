import assert from "node:assert/strict";
import { checkToolchain } from "../../src/model/toolchain-check";
import { h1Of, release, sha256Of } from "../support/releases";

const go = release("1.26.8");
const amd64 = (sums: unknown) => ({ version: "1.26.8", checksums: { "linux-amd64": sums } });
const onlyH1 = amd64({ h1: h1Of("a") });
const moduleSource = { kind: "module", proxy: "https://goproxy.corp.example" };

/** Wrong args, as a program without types may hand them over: name → args, and the one issue they must give. */
const CASES: Record<string, [args: unknown, path: string, given: string | undefined, wanted: RegExp]> = {
  "no args": [undefined, "", undefined, /an object such as/],
  "args as text": ["1.26", "", '"1.26"', /an object such as/],
  "no release": [{}, "go", undefined, /lock\("1\.26"\) after: gofleet lock 1\.26/],
  "null for a release": [{ go: null }, "go", "null", /a release with its checksums/],
  "a version alone": [{ go: "go1.26.8" }, "go", '"go1.26.8"', /lock\("1\.26\.8"\): a version alone/],
  "a number": [{ go: 1.26 }, "go", "1.26", /a release with its checksums/],
  "a function": [{ go: () => go }, "go", "a function", /a release with its checksums/],
  "no version": [{ go: { checksums: go.checksums } }, "go.version", undefined, /an exact Go version/],
  "a major": [{ go: { ...go, version: "1.26" } }, "go.version", '"1.26"', /lock\("1\.26"\)/],
  "a moving version": [{ go: { ...go, version: "latest" } }, "go.version", '"latest"', /must not follow a moving name/],
  "a prefixed version": [
    { go: { ...go, version: "go1.26.8" } },
    "go.version",
    '"go1.26.8"',
    /"1\.26\.8", without "go"/,
  ],
  "an old version": [{ go: { ...go, version: "1.20.1" } }, "go.version", '"1.20.1"', /1\.21\.0 or newer/],
  "a version that is a path": [
    { go: { ...go, version: "../1.26.8" } },
    "go.version",
    '"../1.26.8"',
    /an exact Go version/,
  ],
  "no checksums": [{ go: { version: "1.26.8" } }, "go.checksums", undefined, /gofleet lock writes them/],
  "empty checksums": [{ go: { version: "1.26.8", checksums: {} } }, "go.checksums", "{}", /gofleet lock writes them/],
  "a bare digest": [
    { go: amd64(sha256Of("a")) },
    "go.checksums.linux-amd64",
    JSON.stringify(sha256Of("a")),
    /\{ sha256: /,
  ],
  "no digest": [{ go: amd64({}) }, "go.checksums.linux-amd64", "{}", /sha256, h1 or both/],
  "a slash in the platform": [
    { go: { version: "1.26.8", checksums: { "linux/amd64": {} } } },
    'go.checksums["linux/amd64"]',
    "{}",
    /here "linux-amd64"/,
  ],
  "a platform of another name": [
    { go: { version: "1.26.8", checksums: { "linux-x86_64": {} } } },
    "go.checksums.linux-x86_64",
    "{}",
    /here "linux-amd64"/,
  ],
  "an unsupported platform": [
    { go: { version: "1.26.8", checksums: { "darwin-arm64": {} } } },
    "go.checksums.darwin-arm64",
    "{}",
    /linux-amd64 or linux-arm64$/,
  ],
  "a placeholder digest": [
    { go: amd64({ sha256: "a1f...c7d" }) },
    "go.checksums.linux-amd64.sha256",
    '"a1f...c7d"',
    /placeholder: gofleet lock writes the real one/,
  ],
  "an ellipsis": [{ go: amd64({ sha256: "…" }) }, "go.checksums.linux-amd64.sha256", '"…"', /placeholder/],
  "a short digest": [
    { go: amd64({ sha256: "a1f3" }) },
    "go.checksums.linux-amd64.sha256",
    '"a1f3"',
    /64 hex digits; this has 4/,
  ],
  "a SHA-1": [
    { go: amd64({ sha256: "da39a3ee5e6b4b0d3255bfef95601890afd80709" }) },
    "go.checksums.linux-amd64.sha256",
    '"da39a3ee5e6b4b0d3255bfef95601890afd80709"',
    /length of an MD5 or SHA-1/,
  ],
  "an all-zero digest": [
    { go: amd64({ sha256: "0".repeat(64) }) },
    "go.checksums.linux-amd64.sha256",
    `"${"0".repeat(64)}"`,
    /placeholder/,
  ],
  "a digest counted up": [
    { go: amd64({ sha256: "0123456789abcdef".repeat(4) }) },
    "go.checksums.linux-amd64.sha256",
    `"${"0123456789abcdef".repeat(4)}"`,
    /placeholder/,
  ],
  "a digest with a line end": [
    { go: amd64({ sha256: `${sha256Of("a")}\n` }) },
    "go.checksums.linux-amd64.sha256",
    JSON.stringify(`${sha256Of("a")}\n`),
    /other characters/,
  ],
  "a digest with a prefix": [
    { go: amd64({ sha256: `sha256:${sha256Of("a")}` }) },
    "go.checksums.linux-amd64.sha256",
    JSON.stringify(`sha256:${sha256Of("a")}`),
    /leave out the prefix/,
  ],
  "an h1 for a sha256": [
    { go: amd64({ sha256: h1Of("a") }) },
    "go.checksums.linux-amd64.sha256",
    JSON.stringify(h1Of("a")),
    /goes into "h1"/,
  ],
  "a sha256 for an h1": [
    { go: amd64({ h1: sha256Of("a") }), source: moduleSource },
    "go.checksums.linux-amd64.h1",
    JSON.stringify(sha256Of("a")),
    /goes into "sha256"/,
  ],
  "a cut h1": [
    { go: amd64({ h1: "h1:bPMvVVpM" }), source: moduleSource },
    "go.checksums.linux-amd64.h1",
    '"h1:bPMvVVpM"',
    /44 characters/,
  ],
  "a placeholder h1": [
    { go: amd64({ h1: `h1:${"A".repeat(43)}=` }), source: moduleSource },
    "go.checksums.linux-amd64.h1",
    `"h1:${"A".repeat(43)}="`,
    /placeholder/,
  ],
  "a digest under a wrong key": [
    { go: amd64({ sha256: sha256Of("a"), SHA_256: "x" }) },
    "go.checksums.linux-amd64.SHA_256",
    '"x"',
    /did you mean "sha256"\?/,
  ],
  "a release's unknown key": [{ go: { ...go, checksum: 1 } }, "go.checksum", "1", /did you mean "checksums"\?/],
  "only an h1 for archives": [
    { go: onlyH1 },
    "go.checksums.linux-amd64.sha256",
    undefined,
    /gofleet lock 1\.26\.8\), or source: \{ kind: "module"/,
  ],
  "only a sha256 for modules": [
    { go: amd64({ sha256: sha256Of("a") }), source: moduleSource },
    "go.checksums.linux-amd64.h1",
    undefined,
    /an archive as the source/,
  ],
  "only an h1 for a pushed archive": [
    { go: onlyH1, source: { kind: "file", paths: { "linux-amd64": "go.tar.gz" } } },
    "go.checksums.linux-amd64.sha256",
    undefined,
    /a sha256 for this source/,
  ],
  "one release as also": [{ go, also: release("1.25.1") }, "also", "{", /a list of releases/],
  "the default once more": [{ go, also: [release("1.26.8")] }, "also[0].version", '"1.26.8"', /each release once/],
  "a release twice": [
    { go, also: [release("1.25.1"), release("1.25.1")] },
    "also[1].version",
    '"1.25.1"',
    /each release once/,
  ],
  "a version alone in also": [{ go, also: ["1.25.1"] }, "also[0]", '"1.25.1"', /lock\("1\.25\.1"\)/],
  "a source as text": [{ go, source: "module" }, "source", '"module"', /kind official, module, file/],
  "a misspelt kind": [{ go, source: { kind: "modules" } }, "source.kind", '"modules"', /did you mean "module"\?/],
  "no kind": [{ go, source: {} }, "source.kind", undefined, /official, module, file/],
  "a kind from Object": [
    { go, source: { kind: "constructor" } },
    "source.kind",
    '"constructor"',
    /no such kind; one of/,
  ],
  "a URL without scheme": [
    { go, source: { kind: "official", url: "dl.corp.example" } },
    "source.url",
    '"dl.corp.example"',
    /an http or https URL/,
  ],
  "a URL that reads files": [
    { go, source: { kind: "official", url: "file:///etc" } },
    "source.url",
    '"file:///etc"',
    /an http or https URL/,
  ],
  "a URL with a query": [
    { go, source: { kind: "official", url: "https://dl.corp.example/?a=b" } },
    "source.url",
    '"https://dl.corp.example/?a=b"',
    /without \?, #/,
  ],
  "a URL with a password": [
    { go, source: { kind: "official", url: "https://ci:hunter2@dl.corp.example" } },
    "source.url",
    "a URL with credentials (not shown)",
    /without user name and password/,
  ],
  "a key of another kind": [
    { go, source: { kind: "official", proxy: "https://x.example" } },
    "source.proxy",
    '"https://x.example"',
    /no such key; one of kind, url/,
  ],
  "no proxy": [{ go, source: { kind: "module" } }, "source.proxy", undefined, /module proxy URLs/],
  "no proxy in the list": [{ go, source: { kind: "module", proxy: [] } }, "source.proxy", "[]", /module proxy URLs/],
  "a GOPROXY list": [
    { go, source: { kind: "module", proxy: "https://a.example,direct" } },
    "source.proxy",
    '"https://a.example,direct"',
    /a list: \["https:\/\/a\.example","direct"\]/,
  ],
  "a proxy that is none": [
    { go, source: { kind: "module", proxy: "direct" } },
    "source.proxy",
    '"direct"',
    /from a proxy only/,
  ],
  "no files": [{ go, source: { kind: "file", paths: {} } }, "source.paths", "{}", /files by platform/],
  "a file of another type": [
    { go, source: { kind: "file", paths: { "linux-amd64": "go.tar.xz" } } },
    "source.paths.linux-amd64",
    '"go.tar.xz"',
    /official archive \(\.tar\.gz\)/,
  ],
  "no file for a second release": [
    { go, also: [release("1.25.1")], source: { kind: "file", paths: { "linux-amd64": "go.zip" } } },
    'source.also["1.25.1"]',
    undefined,
    /a file of go1\.25\.1 for linux-amd64 or linux-arm64/,
  ],
  "an environment as text": [{ go, env: "GOFLAGS=-x" }, "env", '"GOFLAGS=-x"', /settings by name/],
  GO_PROXY: [{ go, env: { GO_PROXY: "off" } }, "env.GO_PROXY", '"off"', /^GOPROXY, its name in Go/],
  goproxy: [{ go, env: { goproxy: "off" } }, "env.goproxy", '"off"', /^GOPROXY, /],
  GOCHECKSUMDB: [{ go, env: { GOCHECKSUMDB: "off" } }, "env.GOCHECKSUMDB", '"off"', /^GOSUMDB, /],
  GOPRIVTE: [{ go, env: { GOPRIVTE: "x" } }, "env.GOPRIVTE", '"x"', /^GOPRIVATE, /],
  GOROOT: [{ go, env: { GOROOT: "/usr/local/go" } }, "env.GOROOT", '"/usr/local/go"', /mixes toolchains/],
  GODEBUG: [{ go, env: { GODEBUG: "x=1" } }, "env.GODEBUG", '"x=1"', /"godebug" in go\.mod/],
  GOTELEMETRY: [{ go, env: { GOTELEMETRY: "off" } }, "env.GOTELEMETRY", '"off"', /go telemetry off/],
  "a variable of the job": [{ go, env: { HTTPS_PROXY: "x" } }, "env.HTTPS_PROXY", '"x"', /in the job's environment/],
  "no variable at all": [{ go, env: { "A B": "x" } }, 'env["A B"]', '"x"', /go help environment/],
  "a number as value": [{ go, env: { CGO_ENABLED: 0 } }, "env.CGO_ENABLED", "0", /text, such as "0"/],
  "an empty value": [{ go, env: { GOPROXY: "" } }, "env.GOPROXY", '""', /leave the key out/],
  "a second line": [{ go, env: { GOFLAGS: "-x\nGOPROXY=off" } }, "env.GOFLAGS", '"-x\\nGOPROXY=off"', /one line/],
  "space at the end": [{ go, env: { CC: "gcc " } }, "env.CC", '"gcc "', /no white space at either end/],
  "a proxy without scheme": [
    { go, env: { GOPROXY: "goproxy.corp.example,direct" } },
    "env.GOPROXY",
    '"goproxy.corp.example,direct"',
    /"https:\/\/goproxy\.corp\.example"/,
  ],
  "a proxy with a password": [
    { go, env: { GOPROXY: "https://ci:hunter2@goproxy.corp.example" } },
    "env.GOPROXY",
    "a URL with credentials (not shown)",
    /GOAUTH and \.netrc/,
  ],
  "a flag without dash": [{ go, env: { GOFLAGS: "mod=readonly" } }, "env.GOFLAGS", '"mod=readonly"', /-flag=value/],
  "an open quote": [{ go, env: { GOFLAGS: "'-ldflags=-s -w" } }, "env.GOFLAGS", `"'-ldflags=-s -w"`, /-flag=value/],
  "a quote that go would respell": [
    { go, env: { CGO_LDFLAGS: '"-L/opt/my lib"' } },
    "env.CGO_LDFLAGS",
    String.raw`"\"-L/opt/my lib\""`,
    /"'-L\/opt\/my lib'", as go spells it/,
  ],
  "another toolchain": [{ go, env: { GOTOOLCHAIN: "go1.27.0" } }, "env.GOTOOLCHAIN", '"go1.27.0"', /put it into "go"/],
  "no toolchain": [{ go, env: { GOTOOLCHAIN: "latest" } }, "env.GOTOOLCHAIN", '"latest"', /"local", "auto", "path"/],
  "a home directory": [
    { go, env: { GOMODCACHE: "$HOME/mod" } },
    "env.GOMODCACHE",
    '"$HOME/mod"',
    /not expanded in go\.env/,
  ],
  "a relative directory": [{ go, env: { GOTMPDIR: "tmp" } }, "env.GOTMPDIR", '"tmp"', /an absolute path/],
  "GOPATH=off": [{ go, env: { GOPATH: "off" } }, "env.GOPATH", '"off"', /an absolute path/],
  "a microarchitecture that is none": [{ go, env: { GOAMD64: "v5" } }, "env.GOAMD64", '"v5"', /one of v1, v2, v3, v4/],
  "patterns with spaces": [
    { go, env: { GOPRIVATE: "a.example, b.example" } },
    "env.GOPRIVATE",
    '"a.example, b.example"',
    /commas/,
  ],
  "far too much": [{ go, env: { AR: "x".repeat(9000) } }, "env", "9004 bytes", /at most 8192 bytes/],
  "yes for true": [{ go, links: "yes" }, "links", '"yes"', /true or false/],
  "a number for a switch": [{ go, profile: 1 }, "profile", "1", /true or false/],
  "a path for a directory": [{ go, directory: "../go" }, "directory", '"../go"', /a directory name/],
  "an unknown key": [{ go, environment: {} }, "environment", "{}", /no such key; one of go, also/],
  "a misspelt key": [{ go, link: true }, "link", "true", /did you mean "links"\?/],
};

describe("wrong toolchain args", () => {
  for (const [name, [args, path, given, wanted]] of Object.entries(CASES)) {
    it(name, () => {
      const issues = checkToolchain(args);
      assert.equal(issues.length, 1, JSON.stringify(issues, undefined, 2));
      const [issue] = issues;
      assert.equal(issue?.path, path);
      if (given === "{") assert.match(issue?.given ?? "", /^\{"version"/);
      else assert.equal(issue?.given, shortened(given));
      assert.match(issue?.wanted ?? "", wanted);
    });
  }

  it("are at least 40", () => assert.ok(Object.keys(CASES).length >= 40));

  it("never show a password", () => {
    const shown = Object.values(CASES).map(([args]) => JSON.stringify(checkToolchain(args)));
    assert.ok(!shown.join().includes("hunter2"));
  });

  it("are all named at once", () => {
    const issues = checkToolchain({
      go: { version: "latest", checksums: { "linux-amd64": { sha256: "a1f...c7d" }, "linux-arm64": {} } },
      also: ["1.25"],
      source: { kind: "modul" },
      env: { GO_PROXY: "off", GOROOT: "/x", GOFLAGS: "x" },
      links: "no",
      directory: "Go",
      sorce: 1,
    });
    assert.deepEqual(
      issues.map(({ path }) => path),
      [
        "go.version",
        "go.checksums.linux-amd64.sha256",
        "go.checksums.linux-arm64",
        "also[0]",
        "source.kind",
        "env.GO_PROXY",
        "env.GOROOT",
        "env.GOFLAGS",
        "links",
        "directory",
        "sorce",
      ],
    );
  });

  it("may be cyclic", () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    assert.deepEqual(checkToolchain({ go, links: cyclic })[0]?.given, "an object that is not plain data");
    assert.deepEqual(checkToolchain({ go, links: 1n })[0]?.given, "1n");
  });
});

function shortened(given: string | undefined): string | undefined {
  return given !== undefined && given.length > 80 ? `${given.slice(0, 79)}…` : given;
}
