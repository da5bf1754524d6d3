// The platform team's stack: Go on every build host, and a ref for whoever builds with it.
import { Config } from "@pulumi/pulumi";
import { GoToolchainHost, hostPool, lock, ssh } from "gofleet";

interface Machine {
  readonly host: string;
  readonly user?: string;
  readonly hostKey?: string;
}

const machines = new Config().requireObject<Record<string, Machine>>("machines");
const hosts = Object.fromEntries(
  Object.entries(machines).map(([key, { user = "root", ...machine }]) => [
    key,
    ssh({ ...machine, user, become: user === "root" ? undefined : "sudo" }),
  ]),
);

const toolchain = new GoToolchainHost("go", { target: hostPool({ hosts }), go: lock("1.26.7") });

export const go = toolchain.ref;
