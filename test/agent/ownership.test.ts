import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { listing } from "./listing";
import { COMPONENT, file, INSTANCE, plan, release, Root, shells, STACK, type Event, type Release } from "./support";

const OTHER_STACK = "acme/web/prod";
const OTHER_INSTANCE = "f".repeat(32);
const config = (text: string, path = "/etc/demo/shared.conf"): Release => release(plan({ files: [file(path, text)] }));
const stands = (events: readonly Event[]): string[] =>
  events.filter(({ ev }) => ev === "stands").map(({ path, kind }) => `${String(path)} ${String(kind)}`);

describe("agent: ownership", function () {
  const [shell] = shells();
  let root: Root;
  beforeEach(() => (root = new Root(shell)));
  afterEach(() => root.dispose());

  it("hands a path over within a stack, with what it displaced", async () => {
    mkdirSync(root.at("etc/demo"), { recursive: true });
    writeFileSync(root.at("etc/demo/shared.conf"), "by hand\n", { mode: 0o640 });
    const before = listing(root.path);
    assert.equal((await root.run(config("first\n"))).code, 0);
    const taken = await root.run(config("second\n"), { component: "web", urn: "urn:web", expect: "" });
    assert.equal(taken.code, 0, JSON.stringify(taken));
    assert.equal(root.read("etc/demo/shared.conf"), "second\n");
    assert.equal(root.read(`var/lib/gofleet/${COMPONENT}/ledger`), "");
    // The first owner's remove must not take it away; the second's gives the original back.
    assert.equal((await root.start("remove")).code, 0);
    assert.equal(root.read("etc/demo/shared.conf"), "second\n");
    assert.equal((await root.start("remove", { component: "web" })).code, 0);
    assert.deepEqual(listing(root.path), before);
  });

  it("refuses a path of another stack, naming both", async () => {
    assert.equal((await root.run(config("first\n"))).code, 0);
    const answer = await root.run(config("second\n"), {
      component: "web",
      urn: "urn:web",
      stack: OTHER_STACK,
      expect: "",
    });
    assert.deepEqual([answer.code, answer.result["status"]], [18, "owned"]);
    const said = String(answer.result["msg"]);
    for (const part of [
      "/etc/demo/shared.conf",
      `component ${COMPONENT}`,
      STACK,
      "urn:go",
      "component web",
      OTHER_STACK,
      "urn:web",
    ])
      assert.ok(said.includes(part), `${part} in: ${said}`);
    assert.ok(!root.has("etc/gofleet/web"));
  });

  it("refuses the directory of another stack, unless told to take it", async () => {
    assert.equal((await root.run(config("first\n"))).code, 0);
    const other = { stack: OTHER_STACK, urn: "urn:other", instance: OTHER_INSTANCE };
    const refused = await root.run(config("second\n"), { ...other, expect: "" });
    assert.equal(refused.code, 18);
    assert.match(String(refused.result["msg"]), /acme\/builders\/prod \(urn:go\).*acme\/web\/prod/);
    assert.equal((await root.run(config("second\n"), { ...other, expect: "", adopt: "take" })).code, 0);
    const late = await root.start("remove");
    assert.deepEqual([late.code, late.result["status"]], [0, "notours"]);
    assert.match(String(late.result["msg"]), /urn:other/);
    assert.equal(root.read("etc/demo/shared.conf"), "second\n");
  });

  it("takes over a directory of the same stack with the new instance, but only once it is healthy", async () => {
    assert.equal((await root.run(config("first\n"))).code, 0);
    const renamed = { urn: "urn:renamed", instance: OTHER_INSTANCE, expect: "" };
    const bad = release(
      plan({
        files: [file("/etc/demo/shared.conf", "bad\n")],
        probes: [{ name: "no", timeout: 60, script: "exit 1" }],
      }),
    );
    assert.equal((await root.run(bad, renamed)).code, 20);
    assert.match(root.read(`etc/gofleet/${COMPONENT}/owner`), new RegExp(INSTANCE));
    const taken = await root.run(config("first\n"), renamed);
    assert.deepEqual([taken.code, taken.result["instance"]], [0, OTHER_INSTANCE]);
    assert.equal((await root.start("remove")).result["status"], "notours");
    assert.ok(root.has("etc/demo/shared.conf"));
  });

  it("refuses units and directories in the way, and returns them on remove when allowed to set them aside", async () => {
    const unit = config("[Service]\n", "/etc/systemd/system/mine.service");
    mkdirSync(root.at("etc/systemd/system"), { recursive: true });
    writeFileSync(root.at("etc/systemd/system/mine.service"), "by hand\n");
    mkdirSync(root.at("etc/demo/shared.conf/inner"), { recursive: true });
    writeFileSync(root.at("etc/demo/shared.conf/inner/x"), "x", { mode: 0o600 });
    const before = listing(root.path);
    const refusedUnit = await root.run(unit);
    assert.equal(refusedUnit.code, 18);
    assert.match(String(refusedUnit.result["msg"]), /mine\.service.*adopt: "displace"/s);
    const refusedDirectory = await root.run(config("x"), { adopt: "displace" });
    assert.equal(refusedDirectory.code, 18);
    assert.match(String(refusedDirectory.result["msg"]), /replaces: "directory"/);
    assert.deepEqual(
      listing(root.path).filter((line) => !line.startsWith("./run")),
      before,
    );

    assert.equal((await root.run(unit, { adopt: "displace" })).code, 0);
    assert.equal((await root.run(config("x"), { component: "web", expect: "", replaces: "directory" })).code, 0);
    assert.equal(readFileSync(root.at("etc/demo/shared.conf"), "utf8"), "x");
    assert.equal((await root.start("remove")).code, 0);
    assert.equal((await root.start("remove", { component: "web" })).code, 0);
    assert.deepEqual(listing(root.path), before);
  });

  it("says what stands at each path, and changes nothing", async () => {
    mkdirSync(root.at("etc/demo/dir"), { recursive: true });
    writeFileSync(root.at("etc/demo/file"), "x");
    assert.equal((await root.run(config("x", "/etc/demo/theirs"), { component: "web", expect: "" })).code, 0);
    const before = listing(root.path);
    const wanted = release(
      plan({ files: ["dir", "file", "theirs", "absent"].map((name) => file(`/etc/demo/${name}`, "y")) }),
    );
    const answer = await root.start("adoption", { release: wanted.id }, wanted.entries);
    assert.deepEqual(stands(answer.events).sort(), [
      "/etc/demo/absent absent",
      "/etc/demo/dir directory",
      "/etc/demo/file file",
      "/etc/demo/theirs owned",
    ]);
    assert.deepEqual(listing(root.path), before);
  });

  it("finishes a remove that was cut short", async () => {
    mkdirSync(root.at("etc/demo"), { recursive: true });
    writeFileSync(root.at("etc/demo/shared.conf"), "by hand\n");
    const before = listing(root.path);
    for (const step of ["removing", "ledger", "dropped", "flipped", "linked", "removed"]) {
      assert.equal((await root.run(config("first\n"))).code, 0);
      const cut = await root.start("remove", { pause: step }, new Map(), {
        onEvent: (event, kill) => event.ev === "paused" && kill(),
      });
      assert.ok(
        cut.events.some(({ ev }) => ev === "paused"),
        step,
      );
      const again = await root.start("remove");
      assert.deepEqual(
        [again.code, existsSync(root.at("etc/gofleet"))],
        [0, false],
        `${step}: ${JSON.stringify(again)}`,
      );
      assert.deepEqual(
        listing(root.path).filter((line) => !/run/.test(line)),
        before,
        step,
      );
    }
  });
});
