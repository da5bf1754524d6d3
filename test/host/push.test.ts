import { strict as assert } from "node:assert";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { connect } from "../../src/host/connect";
import { HostComponent, type HostState } from "../../src/host/host-component";
import { prepare, type PreparedRelease } from "../../src/host/prepared-release";
import { planInputs, type ReleaseInputs } from "../../src/host/release";
import type { ExecRequest } from "../../src/host/transport";
import { upload } from "../../src/host/upload";
import { AT_ONCE } from "../../src/model/rollout";
import { EMPTY_PLAN, type PlanDownload } from "../../src/plan/host-plan";
import { removeTree } from "../support/remove-tree";
import { POLICY } from "../support/release-policy";

const SIZE = 3_000_000;
const digest = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

describe("sending a file to hosts", function () {
  let work: string;
  let content: Buffer;
  let sent: { readonly host: string; readonly verb: string; readonly upload: readonly Buffer[] }[];

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), "gofleet-push-"));
    // Nothing that gzip makes smaller, but of one kind, so that a part of it is easily found.
    content = randomBytes(SIZE);
    writeFileSync(join(work, "app"), content);
    writeFileSync(join(work, "tool"), "tool");
    sent = [];
  });
  afterEach(() => removeTree(work));

  const download = (name: string, file: string, bytes: Buffer): PlanDownload => ({
    name,
    format: "file",
    as: file,
    variants: [{ arch: "any", checksum: digest(bytes), urls: [], file: join(work, file) }],
  });

  function inputs(downloads: readonly PlanDownload[]): ReleaseInputs {
    return {
      component: "c",
      stack: "acme/builders/prod",
      resourceUrn: "urn:c",
      files: {},
      plan: planInputs({ ...EMPTY_PLAN, downloads }),
      hosts: { a: `local ${join(work, "a")}`, b: `local ${join(work, "b")}` },
      policy: POLICY,
      rollout: AT_ONCE,
    };
  }

  function on(host: string, given: ReleaseInputs, release: PreparedRelease, before?: HostState) {
    const options = {
      inputs: given,
      instance: "0123456789abcdef0123456789abcdef",
      progress: { status: () => undefined, warn: () => undefined, info: () => undefined },
      connect: (line: string) => {
        const transport = connect(line);
        const exec = (request: ExecRequest) => {
          sent.push({ host, verb: request.verb, upload: request.upload });
          return transport.exec(request);
        };
        return { place: transport.place, exec, close: () => undefined };
      },
    };
    return new HostComponent(host, options).apply(release, before?.actual);
  }

  const placed = (host: string, name: string, file: string): Buffer =>
    readFileSync(join(work, host, "usr/local/lib/gofleet/c", name, file));
  const bytes = ({ upload: parts }: (typeof sent)[number]): number => parts.reduce((sum, part) => sum + part.length, 0);

  it("packs it once for all of them, holds it once, and sends it only where it is missing", async () => {
    const app = download("app-1", "app", content);
    const given = inputs([app]);
    const release = prepare(given, "00".repeat(32));
    const [a, b] = await Promise.all([on("a", given, release), on("b", given, release)]);
    for (const host of ["a", "b"]) assert.deepEqual(placed(host, "app-1", "app"), content);
    const puts = sent.filter(({ verb }) => verb === "put");
    assert.deepEqual(puts.map(({ host }) => host).sort(), ["a", "b"]);
    const [one, other] = puts.map(({ upload: parts }) => parts.slice(1));
    assert.ok(one?.length !== 0 && one?.every((part, index) => part === other?.[index]), "packed or copied twice");
    for (const each of sent) assert.equal(bytes(each) > SIZE, each.verb === "put", each.verb);

    // One more file: the first is there.
    const more = inputs([app, download("tool-1", "tool", Buffer.from("tool"))]);
    sent = [];
    await on("a", more, prepare(more, "00".repeat(32)), a);
    assert.deepEqual(placed("a", "tool-1", "tool").toString(), "tool");
    assert.deepEqual(
      sent.map(({ verb }) => verb).filter((verb) => verb !== "follow"),
      ["run", "put", "run"],
    );
    assert.ok(sent.every((each) => bytes(each) < 100_000));

    sent = [];
    await on("b", given, release, b);
    assert.deepEqual(
      sent.map(({ verb }) => verb),
      ["run"],
    );
  });

  it("refuses one that has changed since the preview, before it sends a byte of it", async () => {
    const given = inputs([download("app-1", "app", content)]);
    writeFileSync(join(work, "app"), "changed");
    await assert.rejects(
      on("a", given, prepare(given, "00".repeat(32))),
      (error: Error) =>
        error.message ===
        `${join(work, "app")} is not what the preview saw: its sha256 is ${digest(Buffer.from("changed"))}, ` +
          `wanted ${digest(content)}; run it again`,
    );
    rmSync(join(work, "app"));
    await assert.rejects(on("a", given, prepare(given, "00".repeat(32))), /app cannot be sent: ENOENT/);
    assert.ok(!sent.some(({ verb }) => verb === "put"));
  });

  it("fails where a file cannot be read, and reads it anew the next time", async () => {
    const entries = new Map([["upload/x", { file: join(work, "none") }]]);
    await assert.rejects(upload({}, entries), /ENOENT/);
    writeFileSync(join(work, "none"), "here");
    const parts = await upload({ key: "value" }, entries);
    const tar = gunzipSync(Buffer.concat(parts)).toString("latin1");
    assert.match(tar, /^request\0/);
    assert.ok(tar.includes("key\tvalue\n") && tar.includes("here"));
  });
});
