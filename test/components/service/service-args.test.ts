import assert from "node:assert/strict";
import { output, secret } from "@pulumi/pulumi";
import { checkServiceArgs } from "../../../src/components/service-args";
import { local, ssh } from "../../../src/index";
import { describe as text } from "../../../src/model/issues";

const GOOD = {
  target: ssh({ host: "192.0.2.7" }),
  release: {
    url: "https://dl.corp.example/buildcached-1.8.2",
    sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  },
  exec: ["buildcached"],
};

const KEYS = [
  ...["target", "release", "exec", "validate", "user", "directories", "env", "environmentFiles", "files", "secrets"],
  ...["limits", "hardening", "restart", "onFailure", "health", "notify", "watchdog", "stop", "listen", "sockets"],
  ...["update", "reload", "journal", "telemetry", "rollback", "metrics", "keepState", "directory", "hooks", "adopt"],
  "replaces",
];

const said = (more: Record<string, unknown>) => text(checkServiceArgs({ ...GOOD, ...more }));

describe("arguments of GoServiceUnit", () => {
  it("that say little are good", () => assert.equal(said({}), ""));

  it("may hold values that come later", () => {
    assert.equal(said({ env: { A: output("a") }, files: { f: output("f") }, secrets: { s: secret("s") } }), "");
    assert.equal(said({ env: { A: Promise.resolve("a") }, secrets: { s: Promise.resolve("s") } }), "");
  });

  for (const key of KEYS) {
    it(`have a known structure: ${key} as a whole may not come later`, () => {
      const wrong = (value: unknown) => checkServiceArgs({ ...GOOD, [key]: value });
      for (const value of [output({ token: "hunter2" }), secret(["hunter2"]), Promise.resolve({}), new Map(), null]) {
        const issues = wrong(value);
        assert.ok(issues.length > 0, `${key} takes what comes later`);
        assert.ok(
          issues.every(({ path }) => path === key || path.startsWith(`${key}[`)),
          text(issues),
        );
        assert.doesNotMatch(text(issues), /hunter2|toJSON/);
      }
      assert.match(text(wrong(output("x"))), /given (an Output|object), wanted /);
    });
  }

  const wrong: Record<string, [more: Record<string, unknown>, says: RegExp]> = {
    "no release": [{ release: undefined }, /^release: missing, wanted where the program comes from/],
    "a release without a URL": [
      { release: { sha256: "9f86" } },
      /^release: given \["sha256"\], wanted one of \{ url, sha256 \}/,
    ],
    "a release without a checksum": [{ release: { url: "https://dl.corp.example/x" } }, /^release\.sha256: missing/],
    "a program in a directory": [{ exec: ["bin/buildcached"] }, /^exec\[0\]: .*a file name/],
    "a directory for a host": [
      { target: local({ root: "/srv/root" }) },
      /^target: given "local \/srv\/root".*a machine/,
    ],
    "keep beside rollback": [{ keep: 3 }, /^keep: /],
    "one release kept": [{ rollback: { keep: 1 } }, /^rollback\.keep: given 1, wanted a whole number from 2 to 20/],
    "a word for a flag": [{ keepState: "no" }, /^keepState: given "no", wanted true or false/],
    "a typo": [{ sockts: {} }, /^sockts: .*did you mean "sockets"/],
  };
  for (const [name, [more, says]] of Object.entries(wrong)) {
    it(`would catch ${name}`, () => assert.match(said(more), says));
  }

  it("are all reported at once", () => {
    const issues = checkServiceArgs({ ...GOOD, exec: ["a b"], rollback: { keep: 1 }, limits: { cpus: 0 } });
    assert.deepEqual(issues.map(({ path }) => path).sort(), ["exec[0]", "limits.cpus", "rollback.keep"]);
  });
});
