// What `npm start` runs: a verified Go toolchain in a directory that stands for a host. For real hosts, give `target`
// an ssh({ … }) or a hostPool({ … }) instead; nothing else changes.
import { Config } from "@pulumi/pulumi";
import { GoToolchainHost, local, lock } from "gofleet";

// A release that is locked with both checksums, so that it can come through a module proxy or as the official archive.
const release = lock("1.26.7");
const proxy = new Config().getObject<string[]>("goProxies");

const go = new GoToolchainHost("go", {
  target: local({ root: ".gofleet/root" }),
  go: release,
  source: proxy ? { kind: "module", proxy } : { kind: "official" },
});

export const { goRoot, goVersion, goBinary, goEnv, hosts } = go;
