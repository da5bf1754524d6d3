// Build hosts that run jobs nobody vouches for: a pool that takes changes one host first, Go, and a sandbox of GitHub's
// runners, whose jobs reach the module mirror and GitHub, and nothing else.
import { Config } from "@pulumi/pulumi";
import { BuildAgentSandbox, GoToolchainHost, hostPool, lock, ssh } from "gofleet";

const config = new Config();
const address = config.require("builder");
const mirror = new URL(config.require("mirror"));

const builders = hostPool({
  hosts: {
    "builder-01": ssh({ host: address, hostKey: config.require("builderHostKey"), user: "fleet", become: "sudo" }),
  },
  rollout: { canary: 1, batch: "25 %" },
});

const go = new GoToolchainHost("go", {
  target: builders,
  go: lock("1.26.7"),
  env: { GOPROXY: mirror.origin },
});

const ci = new BuildAgentSandbox("ci", {
  target: builders,
  toolchain: go,
  // Registered for one job; the next start is another runner, with nothing left of the one before.
  agent: {
    kind: "github",
    scope: config.require("organization"),
    credential: {
      app: config.require("app"),
      installation: config.requireNumber("installation"),
      privateKey: config.requireSecret("appKey"),
    },
    runner: { version: config.require("runnerVersion"), sha256: { amd64: config.require("runnerSha256") } },
    labels: ["self-hosted", "linux", "go"],
    stop: { within: "30 min" },
  },
  slots: 2,
  // Nobody vouches for the jobs: none builds from what another one left.
  cache: { kind: "tmpfs", size: "4 GiB", writes: "discard" },
  limits: { memory: "16 GiB", cpus: 8, tasks: 4096 },
  network: {
    allow: [
      { host: mirror.hostname, ports: [Number(mirror.port || 443)], modules: true },
      ...["github.com", "api.github.com", "codeload.github.com", "broker.actions.githubusercontent.com"],
      ...config.requireObject<string[]>("actionsHosts"),
    ],
    resolver: config.require("resolver"),
  },
});

export const units = ci.units;
export const exposure = ci.exposure;
