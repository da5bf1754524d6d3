// A build cache on a server: a Go program that systemd hands its socket to, with a secret, a limit, and probes that decide
// whether a new version stays.
import { Config } from "@pulumi/pulumi";
import { GoServiceUnit, ssh } from "gofleet";

const config = new Config();
const version = config.require("version");

const cache = new GoServiceUnit("buildcache", {
  target: ssh({
    host: config.require("server"),
    hostKey: config.require("serverHostKey"),
    user: "fleet",
    become: "sudo",
  }),
  release: {
    url: `https://dl.corp.example/buildcached-${version}`,
    sha256: config.require("sha256"),
    identity: { version: `v${version}` },
  },
  exec: ["buildcached", "--data", "{state}"],
  directories: { state: true },
  env: { LOG_LEVEL: "info", TOKEN_FILE: "{credentials}/token" },
  secrets: { token: config.requireSecret("token") },
  // Open while the program is restarted.
  sockets: { http: { listen: ":7070" } },
  health: {
    readiness: { get: "http://127.0.0.1:7070/readyz", within: "30 s" },
    liveness: { get: "http://127.0.0.1:7070/livez" },
  },
  watchdog: { within: "30 s" },
  limits: { memory: "2 GiB", cpus: 2 },
  // The journal has its lines; for who reads files, this one has them too.
  journal: { rsyslog: { file: "/var/log/buildcache.log" } },
});

export const unit = cache.unit;
export const activeRelease = cache.activeRelease;
export const exposure = cache.exposure;
