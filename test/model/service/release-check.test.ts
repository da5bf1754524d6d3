import assert from "node:assert/strict";
import { describe as described } from "../../../src/model/issues";
import { resolveUrlRelease, type ServiceRelease } from "../../../src/model/service/release";
import { checkProgramName, checkRelease } from "../../../src/model/service/release-check";
import { identityDifferences } from "../../../src/model/service/release-identity";

const SUM = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const SUM2 = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";
const URL = "https://dl.corp.example/buildcached-1.8.2";

const says = (given: unknown): string => described(checkRelease("release", given, "buildcached"));

describe("release of a service", () => {
  const good: Record<string, ServiceRelease> = {
    "a program for any platform": { url: URL, sha256: SUM },
    "a program by {arch}": { url: `${URL}-{arch}`, sha256: { "linux-amd64": SUM, "linux-arm64": SUM2 } },
    "a program of one platform": { url: URL, sha256: { "linux-arm64": SUM } },
    "programs by platform": {
      url: { "linux-amd64": `${URL}-x86_64?raw=1`, "linux-arm64": `${URL}-aarch64` },
      sha256: { "linux-amd64": SUM, "linux-arm64": SUM2.toUpperCase() },
    },
    "an archive": { url: `${URL}.tar.gz`, sha256: SUM, program: "bin/buildcached" },
    "a file": { file: "dist/buildcached" },
    "files by platform": { file: { "linux-amd64": "dist/amd64/buildcached", "linux-arm64": "/srv/x" } },
    "a build": {
      build: {
        package: "./cmd/buildcached",
        directory: "../buildcache",
        platforms: ["linux-amd64", "linux-arm64"],
        go: "1.26.8",
        tags: ["netgo"],
        ldflags: ["-s", "-w", "-X", "main.version=1.8.2", "-X", "main.name=it's"],
        cgo: false,
        vcs: false,
      },
    },
    "an identity": {
      file: "dist/buildcached",
      identity: {
        module: "git.corp.example/buildcache",
        package: "git.corp.example/buildcache/v2/cmd/x",
        version: "v1.8.2-rc.1+build",
        revision: "0123abc",
        go: "1.26",
        modified: false,
      },
    },
  };
  for (const [name, release] of Object.entries(good)) {
    it(`may be ${name}`, () => assert.equal(says(release), ""));
  }

  const bad: Record<string, [given: unknown, says: RegExp]> = {
    "a text": [URL, /^release: given .*, wanted one of \{ url, sha256 \}, \{ file \} and/],
    "nothing of the kind": [{ sha256: SUM }, /^release: given \["sha256"\], wanted one of/],
    "two of a kind": [{ url: URL, sha256: SUM, file: "x" }, /^release: given \["url","file"\], wanted one of/],
    "a URL without checksum": [{ url: URL }, /^release\.sha256: missing, wanted the sha256 of what is at url/],
    "a placeholder": [{ url: URL, sha256: "…" }, /^release\.sha256: given "…", wanted .*placeholder$/],
    "an MD5": [{ url: URL, sha256: SUM.slice(32) }, /length of an MD5/],
    "a URL with a password": [
      { url: "https://me:hunter2@dl.corp.example/x", sha256: SUM },
      /credentials \(not shown\), wanted .*without user and password/,
    ],
    "another scheme": [{ url: "ftp://dl.corp.example/x", sha256: SUM }, /^release\.url: .*http or https URL/],
    "a quote in a URL": [{ url: 'https://dl.corp.example/"x', sha256: SUM }, /^release\.url: .*without white space, "/],
    "another placeholder in a URL": [{ url: `${URL}-{os}`, sha256: SUM }, /other \{…\} than \{arch\}/],
    "one checksum for {arch}": [{ url: `${URL}-{arch}`, sha256: SUM }, /^release\.sha256: .*one by platform/],
    "two checksums for one URL": [
      { url: URL, sha256: { "linux-amd64": SUM, "linux-arm64": SUM2 } },
      /^release\.url: .*\{arch\} in it, or one by platform/,
    ],
    "a URL without its checksum": [
      { url: { "linux-amd64": URL, "linux-arm64": URL }, sha256: { "linux-amd64": SUM } },
      /^release\.sha256\.linux-arm64: missing/,
    ],
    "a checksum without its URL": [
      { url: { "linux-amd64": URL }, sha256: { "linux-amd64": SUM, "linux-arm64": SUM2 } },
      /^release\.url\.linux-arm64: missing/,
    ],
    "one checksum for URLs by platform": [{ url: { "linux-amd64": URL }, sha256: SUM }, /as for url$/],
    "another platform": [
      { url: URL, sha256: { "linux/amd64": SUM } },
      /^release\.sha256\["linux\/amd64"\]: .*here "linux-amd64"/,
    ],
    "no platform": [{ url: URL, sha256: {} }, /a sha256 by platform/],
    "an archive without program": [{ url: `${URL}.tar.gz`, sha256: SUM }, /program beside it/],
    "a zip": [{ url: `${URL}.zip`, sha256: SUM }, /the program itself, or a \.tar\.gz/],
    "a program outside the archive": [{ url: URL, sha256: SUM, program: "../buildcached" }, /^release\.program: /],
    "another program than exec": [
      { url: URL, sha256: SUM, program: "bin/cached" },
      /^release\.program: given "bin\/cached", wanted a path that ends in exec\[0\], buildcached$/,
    ],
    "an archive as the file": [{ file: "dist/x.tar.gz" }, /unpacked$/],
    "a program beside a file": [{ file: "dist/x", program: "x" }, /^release\.program: .*no such key/],
    "several packages": [{ build: { package: "./..." } }, /^release\.build\.package: .*one package/],
    "no package": [{ build: {} }, /^release\.build\.package: missing/],
    "a build as a text": [{ build: "./cmd/x" }, /^release\.build: given "\.\/cmd\/x", wanted \{ package/],
    cgo: [{ build: { package: ".", cgo: true } }, /^release\.build\.cgo: given true, wanted false/],
    "a moving Go": [{ build: { package: ".", go: "1.26" } }, /^release\.build\.go: .*exact/],
    "both kinds of quotes in a flag": [{ build: { package: ".", ldflags: [`'"`] } }, /^release\.build\.ldflags\[0\]/],
    "flags in one text": [{ build: { package: ".", ldflags: "-s -w" } }, /^release\.build\.ldflags: .*list of words/],
    "a version without v": [{ file: "x", identity: { version: "1.8.2" } }, /^release\.identity\.version: .*"v1\.8\.2"/],
    "a Go with go": [{ file: "x", identity: { go: "go1.26.8" } }, /^release\.identity\.go: .*"1\.26\.8", without "go"/],
    "a branch": [{ file: "x", identity: { revision: "main" } }, /^release\.identity\.revision: .*7 to 64 hex digits/],
    "changed sources": [{ file: "x", identity: { modified: true } }, /^release\.identity\.modified: .*wanted false/],
    "an unknown part": [{ file: "x", identity: { modul: "a" } }, /^release\.identity\.modul: .*did you mean "module"/],
  };
  for (const [name, [given, wanted]] of Object.entries(bad)) {
    it(`may not be ${name}`, () => {
      const text = says(given);
      assert.match(text, wanted);
      assert.doesNotMatch(text, /hunter2|gofleet lock/);
    });
  }

  it("has a program of one word", () => {
    assert.deepEqual(checkProgramName("exec[0]", "buildcached"), []);
    for (const name of ["bin/buildcached", "buildcached --listen", "", "-x", ".x", 3]) {
      assert.equal(checkProgramName("exec[0]", name).length, 1, String(name));
    }
  });

  it("is resolved by architecture", () => {
    const url = `${URL}-{arch}-{arch}`;
    assert.deepEqual(
      resolveUrlRelease({ url, sha256: { "linux-arm64": SUM2.toUpperCase(), "linux-amd64": SUM } }, "buildcached"),
      {
        format: "file",
        program: "buildcached",
        variants: [
          { arch: "amd64", sha256: SUM, url: `${URL}-amd64-amd64` },
          { arch: "arm64", sha256: SUM2, url: `${URL}-arm64-arm64` },
        ],
        identity: {},
      },
    );
    const archive = resolveUrlRelease({ url: URL, sha256: SUM, program: "bin/a", identity: { go: "1.26" } }, "a");
    assert.deepEqual(archive, {
      format: "tar.gz",
      program: "bin/a",
      variants: [{ arch: "any", sha256: SUM, url: URL }],
      identity: { go: "1.26" },
    });
  });
});

describe("identity of a program", () => {
  it("is compared part by part", () => {
    const found = { module: "a", version: "(devel)", revision: "0123456789abcdef", go: "1.26.8", modified: true };
    assert.deepEqual(identityDifferences({ module: "a", revision: "0123456", go: "1.26" }, found), []);
    assert.deepEqual(identityDifferences({ go: "1.26.8" }, found), []);
    assert.deepEqual(identityDifferences({ package: "a/b", version: "v1.0.0", go: "1.2", modified: false }, found), [
      "package is not in it, wanted a/b",
      "version is (devel), wanted v1.0.0",
      "go is 1.26.8, wanted 1.2",
      "modified is true, wanted false",
    ]);
    assert.deepEqual(identityDifferences({ go: "1.26", modified: false }, { go: "1.26rc1" }), [
      "go is 1.26rc1, wanted 1.26",
      "modified is not in it, wanted false",
    ]);
  });
});
