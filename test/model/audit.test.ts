import assert from "node:assert/strict";
import { auditWords, checkAudit } from "../../src/model/audit";
import { describe as told } from "../../src/model/issues";

describe("audit", () => {
  it("is a journal of its own unless more, or none, is asked for", () => {
    assert.equal(auditWords(), "journal");
    assert.equal(auditWords({ journal: false }), "off");
    assert.equal(
      auditWords({ file: "/var/log/audit.log", url: "https://audit.corp.example/events", syslog: "local6" }),
      "journal file:/var/log/audit.log url:https://audit.corp.example/events syslog:local6",
    );
  });

  for (const [given, message] of [
    [{ file: "audit.log" }, /audit\.file: given "audit\.log", wanted an absolute path/],
    [{ url: "ftp://x" }, /audit\.url: /],
    [{ url: "https://a:b@audit.corp.example" }, /audit\.url: given a URL with credentials \(not shown\)/],
    [{ url: "https://audit.corp.example/a b" }, /audit\.url: .*without white space/],
    [{ reasons: "always" }, /audit\.reasons: given "always"/],
    [{ syslog: "kern" }, /audit\.syslog: given "kern", wanted one of "auth"/],
    [{ jornal: true }, /audit\.jornal: .*did you mean "journal"/],
    [true, /audit: given true/],
  ] as const) {
    it(`refuses ${JSON.stringify(given)}`, () => assert.match(told(checkAudit("audit", given)), message));
  }
});
