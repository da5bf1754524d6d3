import assert from "node:assert/strict";
import { output, Output } from "@pulumi/pulumi";
import { describe as text } from "../../../src/model/issues";
import { checkJournal, resolveJournal } from "../../../src/model/service/journal";
import { checkRsyslog, type RsyslogArgs } from "../../../src/model/service/rsyslog";

const PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const SERVER = { address: "logs.corp.example:6514", protocol: "tcp" };

const said = (given: unknown) => text(checkRsyslog("rsyslog", given, { isUnknown: Output.isInstance }));
const server = (more: Record<string, unknown>) => ({ server: { ...SERVER, ...more } });
const resolved = (rsyslog: RsyslogArgs<unknown>) => resolveJournal({ rsyslog }, "bin/served").rsyslog;

describe("rsyslog of a service", () => {
  const good: Record<string, unknown> = {
    "a file": { file: "/var/log/buildcache.log" },
    "a file elsewhere": { file: "/srv/logs/a@b/build+cache-1.log" },
    "a file in gofleet's own directory for logs": { file: "/var/log/gofleet/buildcache.log" },
    "a server": server({}),
    "a server by its address": server({ address: "192.0.2.9:514", protocol: "udp" }),
    "a server that is public": server({ tls: {} }),
    "a server of a CA's": server({ address: "[2001:db8::1]:6514", tls: { ca: PEM, name: "logs.corp.example" } }),
    "a CA that comes later": server({ tls: { ca: output("x") } }),
    "a file and a server": { file: "/var/log/x", ...server({}) },
  };
  for (const [name, given] of Object.entries(good)) it(`takes ${name}`, () => assert.equal(said(given), ""));

  const wrong: Record<string, [given: unknown, says: RegExp]> = {
    "no object": ["/var/log/x", /^rsyslog: given "\/var\/log\/x", wanted \{ file: /],
    "neither file nor server": [{}, /^rsyslog: given \{\}, wanted \{ file: .* or \{ server: /],
    "a typo": [{ fil: "/var/log/x" }, /^rsyslog\.fil: .*did you mean "file"/],
    "a relative file": [{ file: "log/x" }, /^rsyslog\.file: given "log\/x", wanted an absolute path/],
    "a file with odd letters": [{ file: "/var/log/{x}" }, /^rsyslog\.file: .*of letters, digits/],
    "a file of settings": [{ file: "/etc/x.log" }, /^rsyslog\.file: .*that place is the system's or gofleet's/],
    "a file that is gone with a boot": [{ file: "/run/x.log" }, /^rsyslog\.file: .*on the disk/],
    "a file where everybody writes": [{ file: "/var/tmp/x.log" }, /^rsyslog\.file: /],
    "a file among gofleet's": [{ file: "/var/lib/gofleet/x/log" }, /^rsyslog\.file: .*gofleet's/],
    "a file in a unit's directory": [{ file: "/var/log/gofleet-x/log" }, /^rsyslog\.file: .*gofleet's/],
    "a file in a dynamic user's directory": [{ file: "/var/lib/private/gofleet-x/log" }, /^rsyslog\.file: /],
    "a file of the host's own rules": [
      { file: "/var/log/syslog" },
      /^rsyslog\.file: .*the host has rules for that one/,
    ],
    "a server without an address": [
      { server: { protocol: "tcp" } },
      /^rsyslog\.server\.address: missing, wanted "host:/,
    ],
    "a server without a protocol": [
      { server: { address: "a:1" } },
      /^rsyslog\.server\.protocol: missing, wanted "tcp"/,
    ],
    "another protocol": [server({ protocol: "relp" }), /^rsyslog\.server\.protocol: given "relp", wanted one of "tcp"/],
    "no port": [server({ address: "logs.corp.example" }), /^rsyslog\.server\.address: given "logs\.corp\.example"/],
    "a port that is none": [server({ address: "logs:70000" }), /^rsyslog\.server\.address: .*from 1 to 65535/],
    "an address that is none": [server({ address: "10.0.0:514" }), /^rsyslog\.server\.address: /],
    "TLS without TCP": [
      server({ protocol: "udp", tls: {} }),
      /^rsyslog\.server\.protocol: given "udp", wanted "tcp", for there is tls/,
    ],
    "TLS by an address": [
      server({ address: "192.0.2.9:6514", tls: { ca: PEM } }),
      /^rsyslog\.server\.tls\.name: missing, wanted the name in the server's certificate/,
    ],
    "an address for a name": [server({ tls: { name: "192.0.2.9" } }), /^rsyslog\.server\.tls\.name: given "192/],
    "names that match many": [server({ tls: { name: "*.corp.example" } }), /^rsyslog\.server\.tls\.name: /],
    "a CA that is none": [
      server({ tls: { ca: "/etc/ca.pem" } }),
      /^rsyslog\.server\.tls\.ca: missing, wanted .* as PEM/,
    ],
  };
  for (const [name, [given, says]] of Object.entries(wrong)) {
    it(`would catch ${name}`, () => assert.match(said(given), says));
  }

  it("never shows what was given for a CA: it may be a key", () => {
    const given = server({ tls: { ca: "-----BEGIN PRIVATE KEY-----\nhidden\n" } });
    assert.match(said(given), /tls\.ca/);
    assert.doesNotMatch(said(given), /hidden/);
  });

  it("is not for a journal of the service's own", () => {
    const rsyslog = { file: "/var/log/x" };
    assert.deepEqual(checkJournal("journal", { rsyslog }), []);
    assert.match(
      text(checkJournal("journal", { rsyslog, namespace: true })),
      /^journal\.namespace: given true, wanted false, for there is rsyslog/,
    );
  });

  it("asks the server for the name of its address, or another one", () => {
    const tls = resolved({ server: { address: "logs.corp.example:6514", protocol: "tcp", tls: {} } })?.server?.tls;
    assert.deepEqual(tls, { name: "logs.corp.example", ownCa: false });
    const given = { ca: PEM, name: "logs" };
    assert.deepEqual(resolved({ server: { address: "[::1]:514", protocol: "tcp", tls: given } }), {
      file: undefined,
      server: { host: "::1", port: 514, protocol: "tcp", tls: { name: "logs", ownCa: true } },
    });
  });
});
