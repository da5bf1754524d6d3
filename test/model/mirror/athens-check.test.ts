import assert from "node:assert/strict";
import type { AthensArgs } from "../../../src/model/mirror/athens";
import { checkAthens } from "../../../src/model/mirror/athens-check";
import { describe as text } from "../../../src/model/issues";

const disk = { kind: "disk", path: "/srv/athens", max: "200 GiB" } as const;
const s3 = { kind: "s3", region: "eu-central-1", bucket: "modules" } as const;
const azure = {
  kind: "azureblob",
  account: "modules",
  container: "go",
  credentials: { kind: "accountKey", accountKey: "c2VjcmV0" },
} as const;
const goEnv = { GOPROXY: "https://proxy.corp.example,direct" };
const good: AthensArgs = { storage: disk, goEnv };
const redis = { kind: "redis", endpoints: ["redis.corp.example:6379"] } as const;
const sentinel = { kind: "redis-sentinel", endpoints: ["s1.corp.example:26379"], masterName: "locks" } as const;
const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
/** The head of what ssh-keygen writes with a passphrase. */
const locked = key.replace("AAAA", Buffer.from("openssh-key-v1\0\0\0\0\x0aaes256-ctr").toString("base64"));
const sha256 = "8b5ea3f2c1d4e697a0b1c2d3e4f5061728394a5b6c7d8e9f00112233445566ff";

function check(args: unknown, hosts = 1) {
  return checkAthens("athens", args, { hosts });
}

describe("Athens' settings", () => {
  const accepted: Record<string, [args: AthensArgs, hosts?: number]> = {
    "the least": [good],
    everything: [
      {
        ...good,
        version: "0.18.0",
        binary: { kind: "file", amd64: { url: "https://dl.corp.example/0.18.0/athens", sha256 } },
        singleFlight: { ...redis, password: "x", lock: { ttl: "20 min", timeout: "30 s", maxRetries: 20 } },
        index: { kind: "postgres", host: "db", user: "athens", database: "athens", password: "p4ss" },
        stats: "datadog",
        tracing: { exporter: "jaeger", url: "http://jaeger.corp.example:14268" },
        downloadMode: {
          mode: "redirect",
          url: "https://proxy.corp.example",
          rules: [{ modules: "git.corp.example/*", mode: "sync" }],
        },
        networkMode: "fallback",
        sumDatabases: ["https://sum.corp.example"],
        workers: { fetch: 4, request: 50 },
        timeouts: { external: "2 min", stash: "15 min", shutdown: "30 s" },
        log: { level: "debug", format: "gcp" },
        private: { netrc: "machine git.corp.example login a password b", ssh: { key, knownHosts: "git ssh-rsa AAAA" } },
        validatorHook: "https://hook.corp.example/check",
        pathPrefix: "/go/modules",
        robots: "User-agent: *\nDisallow: /\n",
        homeTemplate: "<p>{{ .Host }}</p>",
        pprof: { port: 6060 },
        egress: { proxy: "http://user:pass@proxy.corp.example:3128", except: [".corp.example"] },
        limits: { memory: "25 %", tasks: 1000, openFiles: 4096 },
        variables: { ATHENS_FILTER_FILE: "/etc/filter" },
      },
    ],
    "a bucket and a lock for many hosts": [{ storage: s3, goEnv, singleFlight: redis }, 3],
    "a storage that locks": [{ storage: { kind: "gcp", bucket: "b" }, goEnv, singleFlight: { kind: "gcp" } }, 3],
    "memory, to try": [{ storage: { kind: "memory", purpose: "trial" }, goEnv }],
    "no encryption, asked for by name": [
      { ...good, index: { kind: "postgres", host: "h", user: "u", database: "d", sslMode: "disable" } },
    ],
    "git's own settings": [{ ...good, goEnv: { ...goEnv, GIT_CONFIG_KEY_0: "url.ssh://git@h.example/.insteadOf" } }],
    "an archive": [
      {
        ...good,
        goEnv: {},
        binary: { kind: "archive", program: "bin/athens", arm64: { url: "https://a.example/x.tgz", sha256 } },
      },
    ],
  };
  for (const [name, [args, hosts]] of Object.entries(accepted)) {
    it(`may be ${name}`, () => assert.equal(text(check(args, hosts)), ""));
  }

  const refused: Record<string, [args: unknown, path: string, says: RegExp, hosts?: number]> = {
    "no object": ["disk", "athens", /an object/],
    "a misspelt key": [{ ...good, sotrage: disk }, "athens.sotrage", /did you mean "storage"/],
    "no storage": [{ goEnv }, "athens.storage", /missing/],
    "an unknown version": [{ ...good, version: "0.12.0" }, "athens.version", /"0.18.0"/],
    "a storage of no kind": [{ goEnv, storage: { path: "/srv" } }, "athens.storage.kind", /kind disk, s3/],
    "a relative store": [{ goEnv, storage: { ...disk, path: "srv" } }, "athens.storage.path", /an absolute path/],
    "a store without a budget": [{ goEnv, storage: { kind: "disk", path: "/srv" } }, "athens.storage.max", /200 GiB/],
    "memory as a storage": [{ goEnv, storage: { kind: "memory" } }, "athens.storage.purpose", /trial/],
    "a disk of two hosts": [good, "athens.storage.kind", /a storage that 2 hosts share/, 2],
    "a memory lock of two hosts": [{ storage: s3, goEnv }, "athens.singleFlight.kind", /write a version at once/, 2],
    "a memory index of two hosts": [
      { storage: s3, goEnv, singleFlight: redis, index: { kind: "memory" } },
      "athens.index.kind",
      /each list its own/,
      2,
    ],
    "gcp's lock on another storage": [
      { ...good, singleFlight: { kind: "gcp" } },
      "athens.singleFlight.kind",
      /locks by/,
    ],
    "azure's lock on another storage": [
      { ...good, singleFlight: { kind: "azureblob" } },
      "athens.singleFlight.kind",
      /locks by/,
    ],
    "a lock that ends before the fetch": [
      { ...good, singleFlight: { ...redis, lock: { ttl: "10 min" } } },
      "athens.singleFlight.lock.ttl",
      /more than timeouts.stash, 600 s/,
    ],
    "the lock's default below a longer fetch": [
      { ...good, singleFlight: sentinel, timeouts: { stash: "15 min" } },
      "athens.singleFlight.lock.ttl",
      /more than timeouts.stash, 900 s/,
    ],
    "a fetch longer than a request": [
      { ...good, timeouts: { stash: "20 min" } },
      "athens.timeouts.stash",
      /at most 900 s/,
    ],
    "a fetch longer than azure's lock": [
      { storage: azure, goEnv, singleFlight: { kind: "azureblob" }, timeouts: { stash: "15 min" } },
      "athens.timeouts.stash",
      /at most 600 s/,
    ],
    "no time to fetch": [{ ...good, timeouts: { stash: "0 s" } }, "athens.timeouts.stash", /at least 1 s/],
    "a part of a second": [{ ...good, timeouts: { shutdown: "1500 ms" } }, "athens.timeouts.shutdown", /whole seconds/],
    "fetches that take every worker": [{ ...good, workers: { fetch: 30 } }, "athens.workers.request", /more than/],
    "no workers": [{ ...good, workers: { fetch: 0 } }, "athens.workers.fetch", /from 1 to/],
    "Athens' own sentinel password": [
      { ...good, singleFlight: { ...sentinel, sentinelPassword: "sekret" } },
      "athens.singleFlight.sentinelPassword",
      /known to everybody/,
    ],
    "a password in redis' address": [
      { ...good, singleFlight: { ...redis, endpoints: ["rediss://:hunter2@redis:6379"] } },
      "athens.singleFlight.endpoints[0]",
      /the password in "password"/,
    ],
    "several servers of one redis": [
      { ...good, singleFlight: { ...redis, endpoints: ["a:6379", "b:6379"] } },
      "athens.singleFlight.endpoints",
      /cluster: true/,
    ],
    "another scheme for redis": [
      { ...good, singleFlight: { ...redis, endpoints: ["http://redis:6379"] } },
      "athens.singleFlight.endpoints[0]",
      /host:port/,
    ],
    "postgres in the clear by a parameter": [
      { ...good, index: { kind: "postgres", host: "h", user: "u", database: "d", params: { sslmode: "disable" } } },
      "athens.index.params.sslmode",
      /sslMode/,
    ],
    "a password that ends postgres' settings": [
      { ...good, index: { kind: "postgres", host: "h", user: "u", database: "d", password: "x sslmode=disable" } },
      "athens.index.password",
      /does not quote it/,
    ],
    "a scheme in minio's endpoint": [
      {
        goEnv,
        storage: { kind: "minio", endpoint: "https://m:9000", bucket: "b", accessKeyId: "a", secretAccessKey: "s" },
      },
      "athens.storage.endpoint",
      /host:port/,
    ],
    "a key that is no JSON": [
      { goEnv, storage: { kind: "gcp", bucket: "b", jsonKey: "{" } },
      "athens.storage.jsonKey",
      /JSON/,
    ],
    "half of the keys": [
      { goEnv, storage: { ...s3, credentials: { kind: "static", accessKeyId: "a" } } },
      "athens.storage.credentials.secretAccessKey",
      /missing/,
    ],
    "otlp before it is known": [
      { ...good, tracing: { exporter: "otlp", url: "http://otel:4317" } },
      "athens.tracing.exporter",
      /jaeger, datadog, stackdriver/,
    ],
    "stackdriver's statistics": [{ ...good, stats: "stackdriver" }, "athens.stats", /its own name as the project/],
    "a checksum database without TLS": [
      { ...good, sumDatabases: ["http://sum.corp.example"] },
      "athens.sumDatabases[0]",
      /https:/,
    ],
    "a checksum database's path": [
      { ...good, sumDatabases: ["https://proxy.corp.example/sumdb/x"] },
      "athens.sumDatabases[0]",
      /Athens drops a path/,
    ],
    "a token beside a netrc": [
      { ...good, private: { githubToken: "t", netrc: "machine a" } },
      "athens.private.githubToken",
      /one of them/,
    ],
    "a public key": [
      { ...good, private: { ssh: { key: "ssh-ed25519 AAAA", knownHosts: "h ssh-rsa AAAA" } } },
      "athens.private.ssh.key",
      /private key/,
    ],
    "a key with a passphrase": [
      { ...good, private: { ssh: { key: locked, knownHosts: "h ssh-rsa AAAA" } } },
      "athens.private.ssh.key",
      /without a passphrase/,
    ],
    "an old key with a passphrase": [
      {
        ...good,
        private: { ssh: { key: key.replace("AAAA", "Proc-Type: 4,ENCRYPTED\n\nAAAA"), knownHosts: "h ssh-rsa AAAA" } },
      },
      "athens.private.ssh.key",
      /without a passphrase/,
    ],
    "a PKCS 8 key with a passphrase": [
      { ...good, private: { ssh: { key: key.replaceAll("OPENSSH", "ENCRYPTED"), knownHosts: "h ssh-rsa AAAA" } } },
      "athens.private.ssh.key",
      /without a passphrase/,
    ],
    "a host without its key": [
      { ...good, private: { ssh: { key, knownHosts: "git.corp.example" } } },
      "athens.private.ssh.knownHosts",
      /ssh-keyscan/,
    ],
    "a redirect to nowhere": [
      { ...good, downloadMode: { mode: "redirect" } },
      "athens.downloadMode.url",
      /where redirect goes/,
    ],
    "a rule's redirect to nowhere": [
      { ...good, downloadMode: { mode: "sync", rules: [{ modules: "a.example/*", mode: "async_redirect" }] } },
      "athens.downloadMode.rules[0].url",
      /where async_redirect goes/,
    ],
    "a rule that never counts": [
      {
        ...good,
        downloadMode: {
          mode: "sync",
          rules: [
            { modules: "*", mode: "none" },
            { modules: "a/*", mode: "sync" },
          ],
        },
      },
      "athens.downloadMode.rules[1].modules",
      /first match counts/,
    ],
    "a bare mode": [{ ...good, downloadMode: "none" }, "athens.downloadMode", /\{ mode: "none" \}/],
    "a URL as a pattern": [
      { ...good, downloadMode: { only: ["https://github.com/acme"] } },
      "athens.downloadMode.only[0]",
      /"github.com\/acme"/,
    ],
    "the wire's spelling as a pattern": [
      { ...good, downloadMode: { only: ["github.com/!acme/*"] } },
      "athens.downloadMode.only[0]",
      /without !/,
    ],
    "a slash at a pattern's end": [
      { ...good, downloadMode: { only: ["github.com/acme/"] } },
      "athens.downloadMode.only[0]",
      /without a slash at either end/,
    ],
    "an open bracket": [{ ...good, downloadMode: { only: ["a[/*"] } }, "athens.downloadMode.only[0]", /wildcard \*/],
    "an empty allow-list": [{ ...good, downloadMode: { only: [] } }, "athens.downloadMode.only", /something in it/],
    "go without upstream": [
      { ...good, goEnv: { GOPROXY: "off" }, binary: { kind: "module", proxy: "https://p.example" } },
      "athens.goEnv.GOPROXY",
      /networkMode "offline"/,
    ],
    "a module cache that grows": [
      { ...good, goEnv: { ...goEnv, GOMODCACHE: "/x" } },
      "athens.goEnv.GOMODCACHE",
      /for ever/,
    ],
    "a password in GOPROXY": [
      {
        ...good,
        goEnv: { GOPROXY: "https://u:p@proxy.corp.example" },
        binary: { kind: "module", proxy: "https://p.example" },
      },
      "athens.goEnv.GOPROXY",
      /private.netrc/,
    ],
    "a second ssh command": [
      { ...good, private: { ssh: { key, knownHosts: "h ssh-rsa AAAA" } }, goEnv: { ...goEnv, GIT_SSH_COMMAND: "ssh" } },
      "athens.goEnv.GIT_SSH_COMMAND",
      /private.ssh/,
    ],
    "git's settings twice": [
      {
        ...good,
        private: { ssh: { key, knownHosts: "h ssh-rsa AAAA", hosts: ["h.example"] } },
        goEnv: { ...goEnv, GIT_CONFIG_COUNT: "0" },
      },
      "athens.goEnv.GIT_CONFIG_COUNT",
      /private.ssh.hosts/,
    ],
    "a variable that has an argument": [
      { ...good, variables: { ATHENS_STORAGE_TYPE: "disk" } },
      "athens.variables.ATHENS_STORAGE_TYPE",
      /storage.kind, its argument/,
    ],
    "a variable that the mirror decides": [
      { ...good, variables: { PORT: "80" } },
      "athens.variables.PORT",
      /the front/,
    ],
    "a variable of nobody": [
      { ...good, variables: { ATHENS_AUTH_SECRET: "hunter2" } },
      "athens.variables.ATHENS_AUTH_SECRET",
      /a variable that Athens reads/,
    ],
    "a prefix with a slash at its end": [{ ...good, pathPrefix: "/go/" }, "athens.pathPrefix", /without a slash/],
    "a privileged profiler": [{ ...good, pprof: { port: 80 } }, "athens.pprof.port", /from 1024/],
    "an executable of another name": [
      { ...good, binary: { kind: "file", amd64: { url: "https://a.example/athens-amd64", sha256 } } },
      "athens.binary",
      /ends in \/athens/,
    ],
    "a binary for nothing": [{ ...good, binary: { kind: "archive" } }, "athens.binary.amd64", /amd64, arm64 or both/],
    "a proxy of another kind": [
      { ...good, egress: { proxy: "socks5://proxy:1080" } },
      "athens.egress.proxy",
      /http:, https:/,
    ],
  };
  for (const [name, [args, path, says, hosts]] of Object.entries(refused)) {
    it(`may not be ${name}`, () => {
      const issues = check(args, hosts);
      const found = issues.filter((each) => each.path === path);
      assert.ok(
        found.some((each) => says.test(text([each]))),
        text(issues) || "no issue",
      );
      // The one mistake is the only thing that is told, but for what follows from it.
      if (hosts === undefined) assert.equal(issues.length, 1, text(issues));
    });
  }

  it("tells everything at once", () => {
    const issues = check({ storage: { kind: "disk" }, networkMode: "off", pprof: {}, x: 1 });
    assert.deepEqual(
      issues.map(({ path }) => path),
      ["athens.storage.path", "athens.storage.max", "athens.networkMode", "athens.pprof.port", "athens.x"],
    );
  });
});
