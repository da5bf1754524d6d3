import { resolveUrlRelease } from "../../../src/model/service/release";
import { resolveService, type ServiceArgs } from "../../../src/model/service/service";
import type { HostPlan } from "../../../src/plan/host-plan";
import type { ServiceParts } from "../../../src/plan/service/parts";
import { servicePlace } from "../../../src/plan/service/place";
import { servicePlan } from "../../../src/plan/service/service";
import { environmentText } from "../../../src/plan/service/unit";

/** A service that says little, and one way in which it differs. */
export function parts(more: Partial<ServiceArgs> = {}): ServiceParts {
  const args: ServiceArgs = { exec: ["buildcached", "--listen", "127.0.0.1:7070"], ...more };
  return {
    place: servicePlace("cache"),
    service: resolveService(args),
    hasEnvironment: args.env !== undefined,
    release: resolveUrlRelease(
      { url: "https://dl.corp.example/buildcached-1.8.2", sha256: "5e".repeat(32) },
      "buildcached",
    ),
    watch: undefined,
    irreversible: false,
  };
}

/** Its plan. */
export function plan(more: Partial<ServiceArgs> = {}): HostPlan {
  const made = parts(more);
  return servicePlan(made, {
    environment: environmentText(more.env ?? {}, made.place),
    files: more.files ?? {},
    logCa: more.journal?.rsyslog?.server?.tls?.ca,
  });
}

/** The text of one of its files. */
export function textOf(made: HostPlan, path: string): string {
  const found = made.files.find((file) => file.path === path);
  if (found === undefined)
    throw new Error(`the plan has no ${path}, but ${made.files.map((file) => file.path).join(", ")}`);
  return found.text;
}

/** The text of its unit. */
export const unitOf = (more: Partial<ServiceArgs> = {}): string =>
  textOf(plan(more), "/etc/systemd/system/gofleet-cache.service");

/** Its lines go into a file, and to a server whose certificate is checked. */
export const LOGGED: Partial<ServiceArgs> = {
  journal: {
    rsyslog: {
      file: "/var/log/buildcache.log",
      server: {
        address: "192.0.2.9:6514",
        protocol: "tcp",
        tls: { ca: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", name: "logs.corp.example" },
      },
    },
  },
};

/** All that a service can have, with a prober beside it. */
export const FULL: Partial<ServiceArgs> = {
  exec: ["buildcached", "--config", "{files}/cache.json", "--data", "{state}"],
  validate: ["buildcached", "--check", "{files}/cache.json"],
  directories: { state: true, cache: true, logs: true, runtime: true },
  env: { LOG_LEVEL: "info", TOKEN_FILE: "{credentials}/token", GODEBUG: "gctrace=1" },
  environmentFiles: ["/etc/default/buildcache", "-/etc/default/buildcache-local"],
  files: { "cache.json": '{ "size": 1 }\n' },
  secrets: { token: "hidden" },
  limits: { memory: "1 GiB", cpus: 1.5 },
  health: {
    readiness: { get: "http://127.0.0.1:7070/readyz", within: "20 s" },
    liveness: { get: "http://127.0.0.1:7070/livez" },
  },
  watchdog: { within: "30 s" },
  restart: { grow: { after: "1 min", steps: 5 } },
  onFailure: "alert.service",
  sockets: {
    http: { listen: [":8080", "/run/buildcache.sock"], group: "www-data" },
    metrics: { listen: "127.0.0.1:7071" },
  },
  journal: { namespace: true, rate: { messages: 1000, per: "10 s" } },
  telemetry: { serviceName: "buildcache", attributes: { "deployment.environment.name": "50 % off, a=b" } },
};
