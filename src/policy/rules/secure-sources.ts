import { goSettings } from "../read/go-settings";
import { rule, type Violation } from "../rule";

/** Fetching modules over connections that anybody on the way can change. */
export const secureSources = rule({
  name: "secure-module-sources",
  description: "Modules come over TLS with certificates checked: no GOINSECURE, no proxy by http.",
  level: "mandatory",
  severity: "critical",
  remediation:
    "Serve the mirror by https and give its certificate authority to the hosts (the toolchain's `mirror` argument does " +
    "both); drop GOINSECURE. A proxy on the machine itself may be plain http.",
  defaults: { hosts: [] as readonly string[] },
  settings: {
    hosts: { type: "array", items: { type: "string" }, description: "Hosts whose proxies may be plain http." },
  },
  check: ({ props }, { hosts }) =>
    goSettings(props).flatMap(({ path, name, value }): Violation[] => {
      const subject = `${name}=${shown(value)}`;
      if (name === "GOINSECURE" && value.trim() !== "") {
        return [{ path, given: subject, wanted: "no GOINSECURE: https with a certificate the hosts trust", subject }];
      }
      const plain = name === "GOPROXY" ? value.split(/[,|]/).find((proxy) => isPlain(proxy.trim(), hosts)) : undefined;
      return plain === undefined ? [] : [{ path, given: `GOPROXY with ${shown(plain)}`, wanted: "https://", subject }];
    }),
});

function isPlain(proxy: string, hosts: readonly string[]): boolean {
  if (!/^http:/i.test(proxy) || !URL.canParse(proxy)) return false;
  const { hostname } = new URL(proxy);
  return !/^(127\.|localhost$|\[::1\]$)/.test(hostname) && !hosts.includes(hostname);
}

/** Without user name and password. */
function shown(value: string): string {
  return value.replace(/(\/\/)[^/@\s]*@/g, "$1");
}
