import assert from "node:assert/strict";
import type { AthensArgs } from "../../../src/model/mirror/athens";
import { checkAthens } from "../../../src/model/mirror/athens-check";
import { describe as text } from "../../../src/model/issues";

const disk = { kind: "disk", path: "/srv/athens", max: "200 GiB" } as const;
const goEnv = { GOPROXY: "https://proxy.corp.example,direct" };
const good: AthensArgs = { storage: disk, goEnv };
const s3 = { kind: "s3", region: "eu-central-1", bucket: "modules" } as const;
const azure = { kind: "azureblob", account: "modules", container: "go" } as const;
const redis = { kind: "redis", endpoints: ["redis.corp.example:6379"] } as const;

function check(args: unknown) {
  return checkAthens("athens", args, { hosts: 1 });
}

describe("the check of Athens' settings", () => {
  it("keeps secrets out of what it says", () => {
    const secret = "hunter2\u0001";
    const said = text([
      ...check({
        ...good,
        private: { netrc: "", githubToken: `${secret} x`, ssh: { key: secret, knownHosts: "h ssh-rsa AAAA" } },
      }),
      ...check({ goEnv, storage: { kind: "mongo", url: secret } }),
      ...check({ goEnv, storage: { kind: "external", url: secret } }),
      ...check({
        goEnv,
        storage: { ...s3, credentials: { kind: "static", accessKeyId: secret, secretAccessKey: secret } },
      }),
      ...check({ goEnv, storage: { ...azure, credentials: { kind: "accountKey", accountKey: secret } } }),
      ...check({ ...good, singleFlight: { ...redis, password: secret } }),
      ...check({ ...good, index: { kind: "mysql", host: "h", user: "u", database: "d", password: secret } }),
      ...check({ ...good, egress: { proxy: secret } }),
      ...check({ ...good, variables: { ATHENS_FILTER_FILE: secret, NOBODY: secret, PORT: secret } }),
      ...check({ ...good, goEnv: { ...goEnv, GOMODCACHE: secret, GOPROXY: `https://u:${secret}@h` } }),
    ]);
    assert.ok(said.split("\n").length > 10, said);
    assert.ok(!said.includes("hunter2"), said);
  });

  it("waits with what is not known yet", () => {
    const unknown = Symbol("unknown");
    const args = {
      storage: {
        kind: "s3",
        region: unknown,
        bucket: unknown,
        credentials: { kind: "static", accessKeyId: unknown, secretAccessKey: unknown },
      },
      goEnv: { GOPROXY: unknown },
      singleFlight: { kind: "redis", endpoints: [unknown], password: unknown },
      private: { netrc: unknown, ssh: { key: unknown, knownHosts: unknown } },
      validatorHook: unknown,
      variables: { ATHENS_FILTER_FILE: unknown },
    };
    const isUnknown = (value: unknown) => value === unknown;
    assert.equal(text(checkAthens("athens", args, { hosts: 3, isUnknown })), "");
    assert.notEqual(text(checkAthens("athens", args, { hosts: 3 })), "");
  });
});
