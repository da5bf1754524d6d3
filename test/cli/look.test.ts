import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { look } from "../../src/cli/look";
import { buildReport } from "../../src/report/build";
import { readPreview } from "../../src/report/read-preview";
import type { Report } from "../../src/report/report";
import { file, SUMMARY, updated } from "../report/support/events";
import { removeTree } from "../support/remove-tree";
import { skip } from "../support/skip";

describe("gofleet preview --look", function () {
  let project = "";
  beforeEach(() => (project = mkdtempSync(join(tmpdir(), "gofleet-look-"))));
  afterEach(() => removeTree(project));

  /** The report of an update on these hosts, looked at. */
  async function looked(hosts: Readonly<Record<string, string>>, lowDisk: number): Promise<Report> {
    const of = (text: string) => ({ hosts: 0, files: { "/etc/a": text }, more: { hosts } });
    const preview = readPreview([file([...updated("a", of("1"), of("2")), SUMMARY])]);
    return buildReport(await look(preview, project, lowDisk), { gate: { failOn: ["disk", "unreachable"] } });
  }
  const risks = (report: Report, kind: string): string[] =>
    report.risks.filter((risk) => risk.kind === kind).map(({ text }) => text.toJSON());

  it("finds nothing on hosts with room enough, and leaves nothing there", async () => {
    const report = await looked({ here: "local root" }, 0);
    assert.deepEqual([risks(report, "disk"), risks(report, "unreachable")], [[], []]);
    assert.equal(report.gate.pass, true);
    assert.deepEqual(readdirSync(join(project, "root", "run", "gofleet")), []);
  });

  it("tells disks with less free than asked for, once for all hosts, and stops where the gate is told to", async () => {
    const report = await looked({ a: "local a", b: "local b" }, 1);
    const [bytes = ""] = risks(report, "disk").filter((text) => text.includes("space"));
    assert.match(bytes, /^2 hosts have as little as \d+ % of the space on \/\S* left \([\d.]+ \w+\): a, b$/);
    assert.deepEqual(
      report.gate.reasons.map(({ kind }) => kind),
      risks(report, "disk").map(() => "disk"),
    );
    assert.equal(report.gate.pass, false);
  });

  it("tells hosts that do not answer, and those whose address is not known yet", async () => {
    writeFileSync(join(project, "a-file"), "");
    const report = await looked({ broken: "local a-file", later: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" }, 0);
    const [text = ""] = risks(report, "unreachable");
    assert.match(text, /^2 hosts could not be looked at: broken, later; of the first: .*a-file/);
    const later = await looked({ later: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" }, 0);
    assert.deepEqual(risks(later, "unreachable"), [
      "later could not be looked at: its address is not known before the update",
    ]);
  });

  describe("on a disk of its own", () => {
    const mount = (...args: string[]) => spawnSync("mount", args, { encoding: "utf8" });
    let disk = "";

    beforeEach(function () {
      disk = join(project, "host");
      mkdirSync(disk);
      const { status, stderr } = mount("-t", "tmpfs", "-o", "size=8m,nr_inodes=40", "tmpfs", disk);
      if (status !== 0) skip(this, `a disk cannot be mounted here: ${stderr.trim()}`);
    });
    afterEach(() => spawnSync("umount", ["--lazy", disk]));

    it("tells which disk, and how much is left of it", async () => {
      assert.deepEqual(risks(await looked({ a: "local host" }, 0.1), "disk"), []);
      writeFileSync(join(disk, "filler"), Buffer.alloc(7.5 * 1024 * 1024));
      const found = risks(await looked({ a: "local host" }, 0.1), "disk");
      assert.equal(found.length, 1);
      // What is sent to the host is there as well while it answers.
      assert.match(found[0] ?? "", new RegExp(`^a has [3-6] % of the space on ${disk} left \\([345]\\d\\d KiB\\)$`));
    });

    it("tells inodes apart from bytes", async () => {
      for (let index = 0; index < 34; index++) writeFileSync(join(disk, String(index)), "");
      const found = risks(await looked({ a: "local host" }, 0.1), "disk");
      assert.equal(found.length, 1);
      assert.match(found[0] ?? "", /^a has \d+ % of the inodes on .* left \(\d\)$/);
    });
  });
});
