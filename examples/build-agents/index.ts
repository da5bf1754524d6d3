// Build hosts that run jobs nobody vouches for: a pool that takes changes one host first, Go, and a sandbox whose jobs
// reach the module mirror and the git server, and nothing else.
import { Config } from "@pulumi/pulumi";
import { BuildAgentSandbox, GoToolchainHost, hostPool, lock, ssh } from "gofleet";

const config = new Config();
const address = config.require("builder");
const gitServer = config.require("gitServer");
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
  // Takes one job and ends; the next start is the next job, with nothing left of the one before.
  agent: { kind: "exec", command: ["/opt/runner/run-one-job"], stop: { within: "5 min" } },
  slots: 2,
  cache: { kind: "tmpfs", size: "4 GiB" },
  limits: { memory: "16 GiB", cpus: 8, tasks: 4096 },
  network: {
    allow: [
      { host: mirror.hostname, ports: [Number(mirror.port || 443)], modules: true },
      { host: gitServer, ports: [22, 443] },
    ],
    resolver: config.require("resolver"),
  },
});

export const units = ci.units;
export const exposure = ci.exposure;
