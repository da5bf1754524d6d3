// A module mirror on one host, and Go on a build host whose only way to modules is that mirror. Private modules come from
// the company's git server with a key of the mirror's own; their names reach no public proxy and no checksum database.
import { Config } from "@pulumi/pulumi";
import { GoProxyMirror, GoToolchainHost, lock, ssh } from "gofleet";

const config = new Config();
const domain = config.require("domain");
const login = (name: string) =>
  ssh({
    host: config.require(`${name}Host`),
    hostKey: config.require(`${name}HostKey`),
    user: "fleet",
    become: "sudo",
  });

const mirror = new GoProxyMirror("goproxy", {
  target: login("mirror"),
  domain,
  tls: {
    certificate: config.require("tlsCertificate"),
    key: config.requireSecret("tlsKey"),
    ca: config.get("tlsCa"),
  },
  storage: { kind: "disk", path: "/srv/athens", max: "200 GiB" },
  privateModules: ["git.corp.example"],
  athens: {
    private: { ssh: { key: config.requireSecret("gitKey"), knownHosts: config.require("gitKnownHosts") } },
  },
  upstream: [...config.requireObject<string[]>("upstream"), "direct"],
  go: lock("1.26.7"),
});

const go = new GoToolchainHost("go", { target: login("builder"), go: lock("1.26.7"), mirror });

export const origin = mirror.origin;
export const goEnv = mirror.goEnv;
export const goVersion = go.goVersion;
/** For other stacks: `GoProxyMirror.from(stackReference.requireOutput("goproxy"))`. */
export const goproxy = mirror.ref;
