// Go on a pool of build hosts: one canary, then a quarter of the rest at a time. Each host is drained before the switch
// and must build a program after it; a host where that fails goes back, and with it every host of the rollout.
import { Config } from "@pulumi/pulumi";
import { GoToolchainHost, hostPool, lock, ssh } from "gofleet";

const config = new Config();
const keys = config.requireObject<Record<string, string>>("hostKeys");
const hosts = Object.fromEntries(
  Object.entries(keys).map(([host, hostKey]) => [host, ssh({ host, hostKey, user: "fleet", become: "sudo" })]),
);

const go = new GoToolchainHost("go", {
  target: hostPool({
    hosts,
    rollout: { canary: 1, batch: "25 %", pause: "30 s", onFailure: "rollback" },
    connect: "2 min",
  }),
  go: lock("1.26.7"),
  env: { GOFLAGS: "-mod=readonly -trimpath", GOVCS: "*:off" },
  hooks: {
    beforeSwitch: { host: ["/usr/local/bin/ci-agent", "drain", "--wait"], timeout: "10 min" },
    afterHealthy: { host: ["/usr/local/bin/smoke-build"], timeout: "5 min" },
    onFailure: { post: config.require("alerts") },
  },
});

export const { goVersion, goEnv, hosts: facts } = go;
