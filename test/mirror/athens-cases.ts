import type { AthensArgs } from "../../src/model/mirror/athens";

/** What a secret is in these cases: no rendered file may hold it. */
export const SECRET = "h4nter2's $ecret";

const goEnv = { GOPROXY: "https://proxy.corp.example,direct" };
const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nh4nter2\n-----END OPENSSH PRIVATE KEY-----\n";

/** Settings that together use every argument. */
export const ATHENS_CASES = {
  disk: {
    storage: { kind: "disk", path: "/srv/athens", max: "200 GiB" },
    goEnv,
    private: {
      netrc: `machine git.corp.example login fleet password ${SECRET}`,
      hgrc: `[auth]\ncorp.password = ${SECRET}`,
      ssh: { key, knownHosts: "git.corp.example ssh-ed25519 AAAA", hosts: ["git.corp.example"] },
    },
    limits: { memory: "4 GiB" },
  },
  s3: {
    storage: {
      kind: "s3",
      region: "eu-central-1",
      bucket: "modules",
      endpoint: "https://s3.corp.example",
      pathStyle: true,
      credentials: { kind: "static", accessKeyId: SECRET, secretAccessKey: SECRET, sessionToken: SECRET },
    },
    goEnv,
    singleFlight: {
      kind: "redis",
      endpoints: ["redis-1.corp.example:6379", "redis-2.corp.example:6379"],
      cluster: true,
      password: SECRET,
      lock: { ttl: "20 min", timeout: "30 s", maxRetries: 20 },
    },
    index: { kind: "mysql", host: "db.corp.example", user: "athens", database: "index", password: SECRET, port: 3307 },
    stats: "datadog",
    tracing: { exporter: "jaeger", url: "http://jaeger.corp.example:14268" },
    log: { level: "warn", format: "gcp" },
  },
  "s3-role": { storage: { kind: "s3", region: "eu-central-1", bucket: "modules" }, goEnv },
  "s3-endpoint": {
    storage: { kind: "s3", region: "eu-central-1", bucket: "b", credentials: { kind: "endpoint", path: "/v2/x" } },
    goEnv,
    singleFlight: {
      kind: "redis-sentinel",
      endpoints: ["sentinel-1.corp.example:26379", "sentinel-2.corp.example:26379"],
      masterName: "locks",
      sentinelPassword: SECRET,
      username: SECRET,
      password: SECRET,
      database: 3,
    },
    tracing: { exporter: "stackdriver", project: "modules-prod" },
    index: { kind: "memory" },
  },
  azureblob: {
    storage: {
      kind: "azureblob",
      account: "modules",
      container: "go",
      credentials: { kind: "accountKey", accountKey: "aDRudGVyMidzICRlY3JldA==" },
    },
    goEnv,
    singleFlight: { kind: "azureblob" },
    log: { level: "error", format: "plain" },
  },
  "azureblob-identity": {
    storage: {
      kind: "azureblob",
      account: "modules",
      container: "go",
      credentials: {
        kind: "managedIdentity",
        resourceId: "/subscriptions/x",
        scope: "https://storage.azure.com/.default",
      },
    },
    goEnv,
    singleFlight: { kind: "etcd", endpoints: ["etcd-1.corp.example:2379", "etcd-2.corp.example:2379"] },
  },
  gcp: {
    storage: {
      kind: "gcp",
      bucket: "modules",
      project: "prod",
      jsonKey: `{"type":"service_account","key":"${SECRET}"}`,
    },
    goEnv,
    singleFlight: { kind: "gcp", staleThreshold: "3 min" },
    private: { githubToken: "ghp_h4nter2" },
    networkMode: "fallback",
  },
  minio: {
    storage: {
      kind: "minio",
      endpoint: "minio.corp.example:9000",
      bucket: "modules",
      region: "eu",
      accessKeyId: SECRET,
      secretAccessKey: SECRET,
    },
    goEnv,
    index: {
      kind: "postgres",
      host: "db.corp.example",
      port: 5433,
      user: "athens",
      database: "index",
      password: "h4nter2",
      params: { application_name: "athens" },
    },
    egress: { proxy: `http://fleet:${encodeURIComponent(SECRET)}@proxy.corp.example:3128`, except: [".corp.example"] },
  },
  mongo: {
    storage: {
      kind: "mongo",
      url: `mongodb://fleet:h4nter2@mongo.corp.example`,
      database: "go",
      collection: "versions",
    },
    goEnv,
    timeouts: { external: "2 min", stash: "15 min", shutdown: "30 s" },
    workers: { fetch: 4, request: 50 },
  },
  external: {
    storage: { kind: "external", url: "https://fleet:h4nter2@store.corp.example" },
    goEnv,
    downloadMode: {
      mode: "redirect",
      url: "https://proxy.corp.example",
      rules: [
        { modules: "github.com/acme/*", mode: "async_redirect", url: "https://other.corp.example/go" },
        { modules: "*.example", mode: "none" },
      ],
    },
    networkMode: "offline",
    sumDatabases: ["https://sum.corp.example"],
    validatorHook: "https://hook.corp.example/check?a=1&b=2",
    pathPrefix: "/go",
    robots: "User-agent: *\nDisallow: /",
    homeTemplate: "<p>{{ .Host }}</p>",
    pprof: { port: 6060 },
    variables: { ATHENS_FILTER_FILE: "/etc/filter", ATHENS_GLOBAL_ENDPOINT: "https://proxy.corp.example" },
  },
  memory: {
    storage: { kind: "memory", purpose: "trial" },
    goEnv,
    downloadMode: { only: ["github.com/acme/*", "golang.org/x/*"] },
    stats: "none",
    tracing: { exporter: "datadog", url: "agent.corp.example:8126" },
  },
} as const satisfies Record<string, AthensArgs>;
