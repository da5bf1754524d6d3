import type { FrontArgs } from "../../src/model/mirror/front";
import type { FrontContext } from "../../src/model/mirror/front-resolve";

/** Fronts whose files are written down below test/golden/nginx. */
export const FRONT_CASES: Readonly<Record<string, { readonly args: FrontArgs; readonly context: FrontContext }>> = {
  plain: {
    args: { domain: "goproxy.corp.example", tls: { certificate: "PEM", key: "PEM" } },
    context: { store: "/srv/athens" },
  },
  full: {
    args: {
      domain: "goproxy.corp.example",
      tls: { certificate: "PEM", key: "PEM" },
      limits: { requests: 500, connections: 64 },
      access: { users: { ci: "k3V9mZpQ7xTfLw2RbN8sHdYc" }, clientCa: "PEM" },
      fallback: {
        tiers: [
          { name: "near", url: "https://goproxy-b.corp.example" },
          { name: "far", url: "https://goproxy-c.corp.example:8443/go" },
        ],
        regions: { asia: { ranges: ["10.8.0.0/16", "2001:db8:8::/48"], tiers: ["far", "near"] } },
        after: "30 s",
      },
      fresh: "5 min",
    },
    context: { store: "/srv/athens", privateModules: ["git.corp.example/*", "github.com/MyOrg/*"], stashTimeout: 1800 },
  },
  elsewhere: {
    args: {
      domain: "goproxy.corp.example",
      tls: {
        certificateFile: "/etc/letsencrypt/live/goproxy/fullchain.pem",
        keyFile: "/etc/letsencrypt/live/goproxy/privkey.pem",
      },
      addresses: ["192.0.2.10"],
      port: 8443,
      nginx: "1.26.3",
      workers: 4,
      connections: 16384,
      log: { requests: "all", file: "/var/log/goproxy/access.log" },
      sumdb: { through: "https://goproxy-b.corp.example" },
    },
    context: { privateModules: ["git.corp.example/*"] },
  },
  acme: {
    args: {
      domain: "goproxy.example.org",
      tls: { acme: { acceptTerms: true, email: "fleet@example.org" } },
    },
    context: { store: "/srv/athens" },
  },
  "acme-own": {
    args: {
      domain: "goproxy.corp.example",
      tls: {
        acme: {
          acceptTerms: true,
          directory: "https://ca.corp.example/acme/acme/directory",
          ca: "PEM",
          keyType: "rsa",
          keep: true,
        },
      },
      addresses: ["192.0.2.10"],
      port: 8443,
    },
    context: { store: "/srv/athens" },
  },
};
