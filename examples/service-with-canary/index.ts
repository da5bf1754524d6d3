// A service on a pool that goes back in three stages: the canary by its error rate, the whole pool by its main metric, and
// each host by itself for ten minutes after the rollout is over, program and configuration alike.
import { Config } from "@pulumi/pulumi";
import {
  commandGate,
  errorRateGate,
  GoServiceUnit,
  hostPool,
  httpGate,
  mainMetricGate,
  serverErrorGate,
  ssh,
} from "gofleet";

const config = new Config();
const version = config.require("version");
const keys = config.requireObject<Record<string, string>>("hostKeys");
const hosts = Object.fromEntries(
  Object.entries(keys).map(([host, hostKey]) => [host, ssh({ host, hostKey, user: "fleet", become: "sudo" })]),
);

const prometheus = { server: config.require("prometheus"), bearerToken: config.requireSecret("prometheusToken") };
// By the label that its scrape job sets: gates ask of a wave what the alerts ask of the whole service.
const ofWave = 'component="buildcache",instance=~"({addresses}):7070"';
const cacheHits = { query: 'sum(rate(cache_hits_total{component="buildcache"}[5m]))', floor: 10 };

const cache = new GoServiceUnit("buildcache", {
  // Also the label `component` of its metrics.
  directory: "buildcache",
  target: hostPool({
    hosts,
    rollout: {
      canary: 1,
      batch: "25 %",
      maxUnavailable: "25 %",
      onFailure: "rollback",
      gates: [
        httpGate({ url: "http://{address}:7070/readyz", for: "1 min", after: "each" }),
        // First stage: the canary answers with more than 0.5 % errors for 5 minutes, or breaks the contract.
        errorRateGate({ ...prometheus, requests: ofWave }),
        commandGate({ name: "contract", command: ["./contract-test", "--strict"], timeout: "5 min" }),
        // Second stage: any batch with more than 5 % for 2 minutes, or 30 % less than a week ago once all have it.
        serverErrorGate({ ...prometheus, requests: ofWave }),
        mainMetricGate({ ...prometheus, ...cacheHits }),
      ],
    },
  }),
  release: {
    url: `https://dl.corp.example/buildcached-${version}-{arch}`,
    sha256: config.requireObject<Record<string, string>>("sha256"),
    identity: { version: `v${version}` },
  },
  exec: ["buildcached", "--config", "{files}/cache.json", "--data", "{state}"],
  directories: { state: true },
  // Program and configuration are one release: a bad value goes back the same way as a bad program.
  files: { "cache.json": JSON.stringify({ maxEntries: config.requireNumber("maxEntries") }) },
  sockets: { http: { listen: ":7070" } },
  health: {
    readiness: { get: "http://127.0.0.1:7070/readyz", within: "30 s" },
    liveness: { get: "http://127.0.0.1:7070/livez" },
  },
  watchdog: { within: "30 s" },
  limits: { memory: "2 GiB", cpus: 2 },
  metrics: { main: cacheHits, latency: { above: "250 ms" }, labels: { team: "storage" } },
  // Third stage: each host watches its own, also when nobody runs Pulumi any more.
  rollback: { keep: 3, watch: { window: "10 min", restarts: 2 } },
  hooks: {
    beforeSwitch: { host: ["/usr/local/bin/silence-alerts", "buildcache", "10m"], failure: "warn" },
    afterHealthy: { operator: ["./smoke-test"], timeout: "2 min" },
    onFailure: { post: config.require("alerts") },
    afterRollback: { post: config.require("alerts") },
  },
});

export const { unit, activeRelease, identity } = cache;
// Files for Prometheus and Grafana: `pulumi stack output monitoring --json`.
export const monitoring = cache.monitoring;
