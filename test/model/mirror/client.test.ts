import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { checkGoEnv } from "../../../src/model/go-env";
import { checkClientPolicy, clientEnvironment } from "../../../src/model/mirror/client";
import { needsGo } from "../../support/go";

const MIRROR = "https://goproxy.corp.example";

describe("client policy", () => {
  it("is the mirror alone unless told otherwise", () => {
    assert.deepEqual(clientEnvironment(MIRROR, []), { GOPROXY: MIRROR });
    assert.deepEqual(clientEnvironment(MIRROR, ["z.example/*", "a.example"]), {
      GOPROXY: MIRROR,
      GOPRIVATE: "a.example,z.example/*",
      GONOSUMDB: "a.example,z.example/*",
      GONOPROXY: "none",
    });
  });

  it("spells each kind of fallback with its own separator", () => {
    const fallback = [
      { to: "https://b.example", on: "any-error" },
      { to: "direct", on: "not-found" },
    ] as const;
    assert.equal(clientEnvironment(MIRROR, [], { fallback }).GOPROXY, `${MIRROR}|https://b.example,direct`);
    const env = clientEnvironment(MIRROR, ["a.example"], { privateFrom: "repository" });
    assert.equal(env.GONOPROXY, "a.example");
  });

  it("makes settings that our own check and the go command take as they are", function () {
    const env = clientEnvironment(MIRROR, ["*.corp.example", "github.com/Acme/*"], {
      fallback: [{ to: "direct", on: "any-error" }],
    });
    assert.deepEqual(checkGoEnv("env", env), []);
    needsGo(this);
    const said = execFileSync("go", ["env", "-json", ...Object.keys(env)], {
      env: { ...process.env, GOENV: "off", ...env },
    });
    assert.deepEqual(JSON.parse(said.toString()), env);
  });

  it("refuses a list that loses names, or does not do what it says", () => {
    const paths = (given: unknown, hasPrivate = false): string[] =>
      checkClientPolicy("client", given, hasPrivate).map(({ path }) => path);
    const other = { to: "https://b.example", on: "any-error" };
    assert.deepEqual(paths({ fallback: [other] }), []);
    assert.deepEqual(paths({ fallback: [other] }, true), ["client.fallback[0].to"]);
    assert.deepEqual(paths({ fallback: [other], privateFrom: "repository" }, true), []);
    assert.deepEqual(paths({ fallback: [{ to: "direct", on: "not-found" }, other] }), ["client.fallback[0].to"]);
    assert.deepEqual(paths({ fallback: [{ to: "off", on: "not-found" }] }), ["client.fallback[0].to"]);
    assert.deepEqual(paths({ fallback: [{ to: "http://b.example", on: "sometimes" }] }), [
      "client.fallback[0].to",
      "client.fallback[0].on",
    ]);
    assert.deepEqual(paths({ fallback: [{ to: "https://user:word@b.example", on: "any-error" }] }), [
      "client.fallback[0].to",
    ]);
    assert.deepEqual(paths({ fallback: "direct", privateFrom: "both", falback: 1 }), [
      "client.fallback",
      "client.privateFrom",
      "client.falback",
    ]);
  });
});
