import assert from "node:assert/strict";
import type { RsyslogArgs } from "../../../src/model/service/rsyslog";
import { LOGGED, plan, textOf, unitOf } from "./parts";

const RULE = "/etc/rsyslog.d/30-gofleet-cache.conf";

const logs = (rsyslog: RsyslogArgs) => plan({ journal: { rsyslog } });
const FILE = { file: "/var/log/buildcache.log" } as const;
const UDP = { server: { address: "[2001:db8::1]:514", protocol: "udp" } } as const;
const PUBLIC = { server: { address: "logs.corp.example:6514", protocol: "tcp", tls: {} } } as const;

describe("rsyslog plan", () => {
  it("has the packages that the rule needs, and no other", () => {
    assert.deepEqual(plan().packages, []);
    assert.deepEqual(logs(FILE).packages, ["logrotate"]);
    assert.deepEqual(logs(UDP).packages, []);
    assert.deepEqual(logs(PUBLIC).packages, ["ca-certificates", "rsyslog-gnutls"]);
    assert.deepEqual(plan(LOGGED).packages, ["logrotate", "rsyslog-gnutls"]);
  });

  it("restarts rsyslog for its rule, and the service for neither", () => {
    const [service, daemon, timer] = plan(LOGGED).units;
    assert.deepEqual(daemon, {
      name: "rsyslog.service",
      onChange: "restart",
      reads: [RULE, "/etc/rsyslog.d/30-gofleet-cache.pem"],
    });
    assert.deepEqual(timer, { name: "logrotate.timer", onChange: "start", reads: [] });
    assert.deepEqual(service?.reads, plan().units[0]?.reads);
    assert.deepEqual(
      logs(UDP).units.map(({ name }) => name),
      ["gofleet-cache.service", "rsyslog.service"],
    );
  });

  it("has the service start after it, and the rotation start with the service", () => {
    assert.match(unitOf(LOGGED), /^Wants=network-online\.target logrotate\.timer$/m);
    assert.match(unitOf(LOGGED), /^After=network-online\.target rsyslog\.service$/m);
    assert.match(unitOf({ journal: { rsyslog: UDP } }), /^Wants=network-online\.target$/m);
    assert.doesNotMatch(unitOf(), /rsyslog/);
  });

  it("puts what daemons read into files, not links", () => {
    const places = plan(LOGGED).files.map(({ path, place }) => `${place} ${path}`);
    const copies = places.filter((line) => line.startsWith("copy")).sort();
    assert.deepEqual(copies, [
      "copy /etc/logrotate.d/gofleet-cache-log",
      `copy ${RULE}`,
      "copy /etc/rsyslog.d/30-gofleet-cache.pem",
    ]);
  });

  it("sends by UDP what waits for nobody", () => {
    const rule = textOf(logs(UDP), RULE);
    assert.match(rule, /^ {4}target="2001:db8::1"\n {4}port="514"\n {4}protocol="udp"$/m);
    assert.match(rule, /queue\.type="LinkedList"/);
    assert.doesNotMatch(rule, /queue\.filename|resumeRetryCount|StreamDriver|TCP_Framing|omfile/);
  });

  it("asks a public CA where no other is given", () => {
    const rule = textOf(logs(PUBLIC), RULE);
    assert.match(rule, /StreamDriver\.CAFile="\/etc\/ssl\/certs\/ca-certificates\.crt"/);
    assert.match(rule, /StreamDriverPermittedPeers="logs\.corp\.example"/);
  });

  it("takes the lines of the identifier", () => {
    const rule = textOf(plan({ journal: { identifier: "cache-eu", rsyslog: FILE } }), RULE);
    assert.match(rule, /^if \$programname == "cache-eu" then \{$/m);
    assert.match(rule, / {2}stop\n\}\n$/);
  });

  it("holds no variable and no secret of the service", () => {
    const made = plan({ ...LOGGED, env: { PLANTED: "variable" }, secrets: { token: "hidden" } });
    assert.doesNotMatch(textOf(made, RULE), /PLANTED|variable|hidden/);
  });
});
