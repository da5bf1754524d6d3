import assert from "node:assert/strict";
import { readPreview } from "../../src/report/read-preview";
import { findSecret } from "../support/engine/leaks";
import { renderHtml } from "../../src/report/html";
import { renderJson } from "../../src/report/json";
import { renderMarkdown } from "../../src/report/markdown";
import { reportOf } from "./support/example-report";
import {
  COMPONENT,
  file,
  RELEASE,
  releaseInputs,
  step,
  SUMMARY,
  updated,
  urn,
  type ReleaseSettings,
} from "./support/events";

const PLANTED = "hunter2-planted-secret";
const SIGNATURE = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

describe("saved previews", () => {
  const small = updated("a", { hosts: 1, files: { "/etc/a": "1\n" } }, { hosts: 1, files: { "/etc/a": "2\n" } });

  it("are read as lines, as an array and as a digest", () => {
    const lines = readPreview([file([...small, SUMMARY])]);
    const array = readPreview([{ name: "a.json", text: JSON.stringify([...small, SUMMARY]) }]);
    assert.deepEqual(lines, array);
    const steps = small.map(({ resourcePreEvent: event }) => {
      const { op, urn: of, type, old, new: next } = event?.metadata ?? {};
      return {
        op,
        urn: of,
        oldState: { ...old, type },
        newState: { ...next, type, sourcePosition: "project:///index.ts#7,3" },
      };
    });
    const digest = { name: "d.json", text: JSON.stringify({ steps, changeSummary: { update: 1 } }) };
    assert.equal(renderMarkdown(reportOf([digest])).text.includes("`index.ts:7`"), true);
    const both = readPreview([digest, file([...small, SUMMARY])]);
    assert.equal(both.stacks.length, 1, "two files of one stack are one preview");
    assert.deepEqual(both.stacks[0]?.resources[1]?.position, { file: "index.ts", line: 7 });
  });

  it("have it among the risks that an update cannot be taken back", () => {
    const of = (text: string, more?: object): ReleaseSettings => {
      const plan = { attributes: {}, ...more };
      return { hosts: 2, files: { "/etc/a": text }, more: { plan } };
    };
    const risks = (more?: object): string[] =>
      reportOf([file([...updated("a", of("1\n"), of("2\n", more)), SUMMARY])]).risks.map(({ kind }) => kind);
    assert.ok(risks({ irreversible: true }).includes("irreversible"));
    assert.ok(!risks().includes("irreversible"));
  });

  it("say of a unit that is reloaded when it restarts all the same", () => {
    const files = { "/etc/program": "1\n", "/etc/a": "1\n" };
    const units = {
      "service.service": { onChange: "reload", reads: Object.keys(files), restartFor: ["/etc/program"] },
    };
    const downtime = (after: Partial<typeof files>): string | undefined => {
      const of = (texts: typeof files): ReleaseSettings => ({
        hosts: 1,
        files: texts,
        more: { plan: { attributes: {}, units } },
      });
      const events = updated("a", of(files), of({ ...files, ...after }));
      return reportOf([file([...events, SUMMARY])]).components[0]?.downtime;
    };
    assert.equal(downtime({ "/etc/a": "2\n" }), "reload");
    assert.equal(downtime({ "/etc/program": "2\n" }), "restart");
  });

  it("skip places in packages for the user's own", () => {
    const stackTrace = ["project:///node_modules/gofleet/dist/a.js#1,1", "project:///src/pool.ts#12,5"];
    const newState = {
      type: RELEASE,
      inputs: { a: 1 },
      sourcePosition: stackTrace[0],
      stackTrace: stackTrace.map((sourcePosition) => ({ sourcePosition })),
    };
    const text = JSON.stringify({ steps: [{ op: "create", urn: urn(RELEASE, "a"), newState }] });
    assert.deepEqual(readPreview([{ name: "d", text }]).stacks[0]?.resources[0]?.position, {
      file: "src/pool.ts",
      line: 12,
    });
  });

  it("that were cut off count as failed, and keep what is there", () => {
    const { text } = file([...small, SUMMARY]);
    const report = reportOf([{ name: "cut.ndjson", text: text.slice(0, text.length - 20) }]);
    assert.equal(report.verdict.level, "failed");
    assert.equal(report.components.length, 1);
  });

  it("name the file and line that is no event", () => {
    assert.throws(
      () => readPreview([{ name: "log.txt", text: "hello\nworld\n" }]),
      /log\.txt, line 1: not an engine event/,
    );
    assert.throws(() => readPreview([{ name: "empty", text: "\n" }]), /empty: empty/);
  });

  it("lose every secret on the way in, and the SDK's debug lines", () => {
    const secret = { ...SIGNATURE, plaintext: JSON.stringify(PLANTED) };
    const olds = { old: { inputs: { a: secret, list: [secret], deep: { b: secret } } } };
    const report = reportOf([
      file([
        step("update", "corp:index:Thing", "a", { ...olds, new: { inputs: { a: 1, list: [2], deep: { b: 3 } } } }),
        { diagnosticEvent: { severity: "debug", message: `registering ${PLANTED}` } },
        SUMMARY,
      ]),
    ]);
    const texts = { markdown: renderMarkdown(report).text, page: renderHtml(report), json: renderJson(report) };
    assert.deepEqual(findSecret(PLANTED, new Map(Object.entries(texts))), []);
    assert.match(texts.markdown, /`\[secret\]` → `1`/);
  });

  it("say what became of secrets without their values", () => {
    const secrets = { secrets: { token: "[secret]" } };
    const of = (files: Record<string, string>) =>
      updated("a", { hosts: 1, files: {}, more: secrets }, { hosts: 1, files, more: secrets });
    const told = (files: Record<string, string>) => renderMarkdown(reportOf([file([...of(files), SUMMARY])])).text;
    assert.match(told({}), /secret `token` changes \(never shown\)/);
    assert.match(told({ "/etc/a": "x" }), /may change too, which no preview shows: secret `token`/);
  });

  it("fold the same change of many components into one entry and one difference", () => {
    const many = Array.from({ length: 40 }, (_, i) =>
      updated(`a${i}`, { hosts: 1, files: { "/etc/a": "1\n" } }, { hosts: 1, files: { "/etc/a": "2\n" } }),
    ).flat();
    const report = reportOf([file([...many, SUMMARY])]);
    assert.equal(report.details.length, 1);
    const { text } = renderMarkdown(report);
    assert.match(text, /GoServiceUnit · 40 times/);
    assert.match(text, /the same 40 times, on 40 hosts/);
  });

  it("count a component as taken off, replaced, or restarted on its hosts", () => {
    const old = { inputs: releaseInputs({ hosts: 3, files: { "/a": "1" } }), parent: urn(COMPONENT, "a") };
    const root = step("delete", COMPONENT, "a", { old: { inputs: {} } });
    const gone = reportOf([file([root, step("delete", RELEASE, "a-release", { old }), SUMMARY])]);
    assert.deepEqual(
      gone.risks.map(({ kind, text }) => `${kind} ${text.toJSON()}`),
      ["delete GoServiceUnit a is taken off 3 hosts"],
    );
    const restart = reportOf([
      file([...updated("a", { hosts: 3, files: { "/a": "1" } }, { hosts: 3, files: { "/a": "2" } }), SUMMARY]),
    ]);
    assert.deepEqual(
      restart.risks.map(({ kind }) => kind),
      ["downtime"],
    );
    assert.equal(restart.components[0]?.downtime, "restart");
  });

  it("say which host did not answer a refresh", () => {
    const message = "rack-2 (192.0.2.2) cannot be reached: no route; not read";
    const said = { diagnosticEvent: { severity: "warning", message, urn: urn(RELEASE, "a-release") } };
    const report = reportOf([file([...small, said, SUMMARY])]);
    assert.deepEqual(
      report.risks.map(({ kind }) => kind),
      ["unreachable", "downtime"],
    );
    assert.equal(report.verdict.level, "attention");
  });

  it("show drift apart from the change that puts it back", () => {
    const drift = { drift: { "rack-0001": { "/etc/a": "modified" } } };
    const files = { "/etc/a": "1" };
    const report = reportOf([file([...updated("a", { hosts: 2, files, more: drift }, { hosts: 2, files }), SUMMARY])]);
    assert.deepEqual(
      report.risks.map(({ text }) => text.toJSON()),
      ["a: /etc/a changed by hand on rack-0001"],
    );
    assert.equal(report.components[0]?.where.toJSON(), "on 1 of 2 hosts");
  });
});
