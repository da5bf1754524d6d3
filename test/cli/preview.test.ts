import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gofleet } from "../report/support/cli";
import { file, step, SUMMARY, updated } from "../report/support/events";

describe("gofleet preview of saved events", function () {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "gofleet-preview-test-"));
    const small = (stack: string) =>
      updated("a", { hosts: 2, files: { "/etc/a": "1\n" } }, { hosts: 2, files: { "/etc/a": "2\n" } }, stack);
    writeFileSync(join(folder, "dev.ndjson"), file([...small("dev"), SUMMARY]).text);
    writeFileSync(join(folder, "prod.ndjson"), file([...small("prod"), SUMMARY]).text);
    const gone = step("delete", "corp:index:Disk", "data", { old: { inputs: {}, protect: true } });
    writeFileSync(join(folder, "gone.ndjson"), file([gone, SUMMARY]).text);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("writes one report of several stacks, in every form that is asked for", async () => {
    const files = ["--events", "dev.ndjson", "--events", "prod.ndjson"];
    const { code, out, err } = await gofleet(folder, ["preview", ...files, "--html", "r.html", "--json", "r.json"]);
    assert.equal(code, 0, err);
    assert.match(out, /2 updates, 2 hosts/);
    assert.match(readFileSync(join(folder, "r.html"), "utf8"), /^<!doctype html>/);
    assert.equal(
      (JSON.parse(readFileSync(join(folder, "r.json"), "utf8")) as { gate: { pass: boolean } }).gate.pass,
      true,
    );
  });

  it("writes what a comment has no room for to the step summary, after what is there", async () => {
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`/etc/${i}`, `${i} `.repeat(900)]));
    const events = [...updated("big", { hosts: 2, files: {} }, { hosts: 2, files }), SUMMARY];
    writeFileSync(join(folder, "big.ndjson"), file(events).text);
    writeFileSync(join(folder, "summary.md"), "of another step\n");
    const args = ["--events", "big.ndjson", "--summary", "summary.md", "--full", "https://ci.example/7"];
    const { code, out, err } = await gofleet(folder, ["preview", ...args]);
    assert.equal(code, 0, err);
    assert.match(
      out,
      /\*\*Left out here, for want of room:\*\* \d+ file differences\. See \[the whole report\]\(https:\/\/ci/,
    );
    const summary = readFileSync(join(folder, "summary.md"), "utf8");
    assert.match(summary, /^of another step\n## /);
    assert.equal(summary.split("<details>").length - 1, 60);
    assert.ok(out.length < 65_536 && summary.length > out.length);
  });

  it("ends with 4 where the gate stops the change, after the report is written; an approval lets it pass", async () => {
    const stopped = await gofleet(folder, ["preview", "--events", "gone.ndjson", "--out", "gone.md"]);
    assert.equal(stopped.code, 4, stopped.err);
    assert.match(stopped.err, /stopped: Disk data is protected, and is deleted/);
    assert.match(readFileSync(join(folder, "gone.md"), "utf8"), /⛔ \*\*Stopped:\*\* protected/);
    const approved = ["--approved", "docs, gofleet/approve-destroy"];
    assert.equal((await gofleet(folder, ["preview", "--events", "gone.ndjson", ...approved])).code, 0);
    assert.equal((await gofleet(folder, ["preview", "--events", "gone.ndjson", "--fail-on", "none"])).code, 0);
  });

  it("shows places in TypeScript only where the engine knows its lines", async () => {
    const urn = "urn:pulumi:dev::fleet::corp:index:Disk::data";
    const state = (size: number) => ({ type: "corp:index:Disk", inputs: { size }, outputs: {} });
    const newState = { ...state(2), sourcePosition: "project:///index.ts#3,7" };
    const digest = { steps: [{ op: "update", urn, oldState: state(1), newState }], changeSummary: { update: 1 } };
    writeFileSync(join(folder, "digest.json"), JSON.stringify(digest));
    const report = async (options: string): Promise<string> => {
      writeFileSync(join(folder, "Pulumi.yaml"), `name: fleet\nruntime: { name: nodejs${options} }\n`);
      const { code, out, err } = await gofleet(folder, ["preview", "--events", "digest.json"]);
      assert.equal(code, 0, err);
      return out;
    };
    assert.match(await report(""), /`data`.*`index\.ts:3`/);
    const compiled = await report(', options: { typescript: false, nodeargs: "--import tsx" }');
    assert.match(compiled, /`data`/);
    assert.doesNotMatch(compiled, /index\.ts/);
    rmSync(join(folder, "Pulumi.yaml"));
  });

  it("refuses what makes no sense, and says what would do", async () => {
    const kind = await gofleet(folder, ["preview", "--events", "dev.ndjson", "--fail-on", "deletes"]);
    assert.equal(kind.code, 2);
    assert.match(kind.err, /"deletes"; wanted none, or some of failure, policy/);
    for (const option of ["--refresh", "--look"]) {
      assert.equal((await gofleet(folder, ["preview", "--events", "dev.ndjson", option])).code, 2, option);
    }
    const share = await gofleet(folder, ["preview", "--low-disk", "ten"]);
    assert.match(share.err, /Wanted a share, such as "10 %"/);
    const missing = await gofleet(folder, ["preview", "--events", "nowhere.json"]);
    assert.equal(missing.code, 1);
    assert.match(missing.err, /nowhere\.json/);
  });
});
