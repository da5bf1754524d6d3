import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { skip } from "../support/skip";
import { listing } from "./listing";
import { COMPONENT, file, plan, release, Root, sha256, shells, until, type Event, type Release } from "./support";

const version = (text: string, more: readonly string[] = []): Release =>
  release(
    plan({
      files: [
        file("/etc/demo/link.conf", `${text}\n`),
        file("/etc/demo/copy.conf", `${text}\n`, { place: "copy" }),
        ...more.map((name) => file(`/etc/demo/${name}`, `${text}\n`)),
      ],
      checks: [{ name: "staged", timeout: 60, script: `grep -qx ${text} "$GOFLEET_STAGED/etc/demo/link.conf"\n` }],
      probes: [
        {
          name: "agrees",
          timeout: 60,
          script: 'cmp "$GOFLEET_ROOT/etc/demo/link.conf" "$GOFLEET_ROOT/etc/demo/copy.conf"\n',
        },
      ],
    }),
  );

const old = version("old", ["only-old"]);
const next = version("new", ["only-new"]);

/** What the managed paths say: `old`, `new`, or what is wrong. */
function state(root: Root): string {
  const [link, copy] = [root.read("etc/demo/link.conf").trim(), root.read("etc/demo/copy.conf").trim()];
  const names = readdirSync(root.at("etc/demo")).sort().join(" ");
  return link === copy && names === `copy.conf link.conf only-${link}` ? link : `a mix: ${link} ${copy} ${names}`;
}

/** Ends the process that runs the transaction, the way a crash would. */
function kill(root: Root, tx: string): void {
  process.kill(Number(readFileSync(root.at(`var/lib/gofleet/${COMPONENT}/runs/${tx}/pid`), "utf8")), "SIGKILL");
}

/** Steps of a run, and what the host has when the agent dies there. */
const STEPS = {
  stage: "old",
  staged: "old",
  checking: "old",
  locked: "old",
  checked: "old",
  txn: "old",
  ledger: "old",
  dropped: "old",
  flipped: "old",
  linked: "old",
  probing: "old",
  probed: "old",
  settled: "new",
} as const;

const [shell] = shells();

describe("agent: faults", function () {
  let root: Root;
  beforeEach(() => (root = new Root(shell)));
  afterEach(() => root.dispose());

  for (const [step, expected] of Object.entries(STEPS)) {
    it(`killed at "${step}": the host is on the ${expected} release, and the next run finishes`, async () => {
      assert.equal((await root.run(old)).code, 0);
      const cut = await root.run(
        next,
        { tx: "dies", pause: step },
        { onEvent: (event: Event) => event.ev === "paused" && kill(root, "dies") },
      );
      assert.ok(
        cut.events.some(({ ev }) => ev === "paused"),
        `never paused at ${step}`,
      );
      if (["stage", "staged", "checking"].includes(step)) assert.notEqual(cut.code, 0);
      else await until(() => existsSync(root.at(`var/lib/gofleet/${COMPONENT}/runs/dies/exit`)));
      assert.equal(state(root), expected);
      assert.ok(!root.has(`etc/gofleet/${COMPONENT}/txn`));

      const again = await root.run(next, { tx: "dies", expect: `${old.id}` });
      assert.deepEqual([again.code, state(root)], [0, "new"], JSON.stringify(again));
      const leftovers = listing(root.path).filter((line) => /\.part\.|gf~|\.new |up\./.test(line));
      assert.deepEqual(leftovers, []);
    });
  }

  it("killed together with what watches over it, it is finished by the next run, which goes back to the settled release", async () => {
    assert.equal((await root.run(old)).code, 0);
    for (const step of ["txn", "dropped", "flipped", "linked"]) {
      const cut = root.run(
        next,
        { tx: step, pause: step },
        {
          onEvent: (event: Event, stop: () => void) => {
            if (event.ev !== "paused") return;
            killGroup(root, step);
            stop();
          },
        },
      );
      await cut;
      assert.ok(root.has(`etc/gofleet/${COMPONENT}/txn`), step);
      const bad = release(
        plan({
          files: [file("/etc/demo/link.conf", "bad\n")],
          probes: [{ name: "no", timeout: 60, script: "exit 1\n" }],
        }),
      );
      const answer = await root.run(bad, { expect: old.id });
      assert.deepEqual([answer.code, answer.result["current"], state(root)], [20, old.id, "old"], step);
    }
  });

  it("a cut connection changes nothing: the run goes on, and can be followed from any line", async () => {
    assert.equal((await root.run(old)).code, 0);
    await root.run(
      next,
      { tx: "cut", pause: "flipped" },
      { onEvent: (event: Event, stop: () => void) => event.ev === "paused" && stop() },
    );
    writeFileSync(root.at(`var/lib/gofleet/${COMPONENT}/runs/cut/go`), "");
    const followed = await root.start("follow", { tx: "cut", from: 2 });
    assert.equal(followed.code, 0);
    assert.deepEqual([followed.events[0]?.ev, followed.result["status"], state(root)], ["staged", "ok", "new"]);
    assert.equal((await root.start("follow", { tx: "nobody" })).code, 66);
  });

  it("refuses an upload that is cut or damaged, before anything is written", async () => {
    const before = listing(root.path);
    const cut = await root.run(next, {}, { corrupt: (body: Buffer) => body.subarray(0, body.length - 200) });
    assert.equal(cut.code, 11);
    for (const [path, text] of [
      ["release/etc/demo/link.conf", "other\n"],
      ["release/.gofleet/manifest", "gofleet\t1\n"],
      ["release/etc/more", "x"],
    ] as const) {
      const answer = await root.run({ ...next, entries: new Map([...next.entries, [path, text]]) });
      assert.equal(answer.code, 11, `${path}: ${JSON.stringify(answer)}`);
    }
    const missing = new Map(next.entries);
    missing.delete("release/etc/demo/link.conf");
    const lacking = await root.run({ ...next, entries: missing });
    assert.equal(lacking.code, 11, JSON.stringify(lacking));
    assert.deepEqual(
      listing(root.path).filter((line) => !/^\.\/run/.test(line)),
      before,
    );
  });

  it("refuses records that no model makes", async () => {
    for (const record of [
      "file\t/etc/../x\t0644\troot\troot\t00",
      "link\t/etc/a b\tx",
      "link\trelative\tx",
      "download\t../x\tany\tfile\t00\t-\t-",
      "probe\tx/y\t1\t00",
      "what\tis\tthis",
    ]) {
      const manifest = `gofleet\t1\nconfirm\t0\n${record}\n`;
      const entries = new Map([["release/.gofleet/manifest", manifest]]);
      const answer = await root.run({ id: sha256(manifest).slice(0, 16), manifest, entries });
      assert.equal(answer.code, 11, record);
      assert.match(String(answer.result["msg"]), /manifest line 3/);
    }
  });

  it("refuses units where nothing can run them, naming them", async () => {
    const unit = { name: "demo.service", onChange: "restart" as const, reads: [] };
    const answer = await root.run(release(plan({ units: [unit] })));
    assert.equal(answer.code, 14);
    assert.match(String(answer.result["msg"]), /demo\.service/);
  });

  it("refuses another machine, and a host that somebody else moved", async () => {
    const foreign = await root.run(old, { machine: "f".repeat(32) });
    assert.deepEqual([foreign.code, foreign.result["status"]], [19, "machine"]);
    assert.match(String(foreign.result["msg"]), new RegExp("f".repeat(32)));
    assert.equal(
      (await root.run(old, { machine: "f".repeat(32), newmachine: "install", operator: "ann from desk" })).code,
      0,
    );

    const moved = await root.run(next, { expect: "aaaaaaaaaaaaaaaa" });
    assert.deepEqual([moved.code, moved.result["status"], moved.result["current"]], [17, "moved", old.id]);
    assert.match(String(moved.result["msg"]), /ann from desk/);
    assert.match(String(moved.result["msg"]), new RegExp(old.id));
    assert.equal((await root.run(next, { expect: `bbbbbbbbbbbbbbbb,${old.id}` })).code, 0);
  });

  it("serialises two runs, and says busy when it may not wait", async () => {
    assert.equal((await root.run(old)).code, 0);
    const held = root.run(next, { tx: "first", pause: "linked" });
    await until(
      () =>
        root.has(`var/lib/gofleet/${COMPONENT}/runs/first/log`) &&
        root.read(`var/lib/gofleet/${COMPONENT}/runs/first/log`).includes("paused"),
    );
    const busy = await root.run(old, { lockwait: 0, expect: old.id });
    assert.deepEqual([busy.code, busy.result["status"]], [16, "busy"]);
    const waits = root.run(version("third"), { lockwait: 120, expect: `${old.id},${next.id}` });
    writeFileSync(root.at(`var/lib/gofleet/${COMPONENT}/runs/first/go`), "");
    assert.equal((await held).code, 0);
    assert.equal((await waits).code, 0);
    assert.equal(root.read("etc/demo/link.conf"), "third\n");
  });

  it("leaves the old release when the disk is full", async function () {
    if (process.getuid?.() !== 0) skip(this, "mounting a small file system needs root");
    mkdirSync(root.at("var"), { recursive: true });
    const small = (path: string): void => {
      mkdirSync(root.at(path), { recursive: true });
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=800k", "tmpfs", root.at(path)]);
    };
    try {
      small("etc");
      small("var");
    } catch {
      skip(this, "a small tmpfs cannot be mounted here");
    }
    try {
      const ok = await root.run(old);
      assert.equal(ok.code, 0, JSON.stringify(ok));
      const big = release(plan({ files: [file("/etc/demo/link.conf", "x".repeat(900_000))] }));
      const full = await root.run(big);
      assert.deepEqual([full.code, full.result["current"]], [12, old.id], JSON.stringify(full));
      assert.equal(state(root), "old");

      for (const place of ["etc", "var"]) {
        try {
          writeFileSync(root.at(`${place}/filler`), Buffer.alloc(900_000));
        } catch {
          // Full, as wanted.
        }
        const none = await root.run(next);
        assert.equal(none.code, 12, `${place}: ${JSON.stringify(none)}`);
        assert.equal(state(root), "old");
        execFileSync("rm", [root.at(`${place}/filler`)]);
      }
      const freed = await root.run(next);
      assert.deepEqual([freed.code, state(root)], [0, "new"], JSON.stringify(freed));
    } finally {
      for (const path of ["etc", "var"]) execFileSync("umount", ["--lazy", root.at(path)]);
    }
  });

  it("leaves the old release when a directory cannot be written", async function () {
    assert.equal((await root.run(old)).code, 0);
    const more = release(
      plan({
        files: [...["link", "copy"].map((name) => file(`/etc/demo/${name}.conf`, "new\n")), file("/etc/closed/x", "x")],
      }),
    );
    mkdirSync(root.at("etc/closed"));
    if (process.getuid?.() === 0) {
      try {
        execFileSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", root.at("etc/closed")]);
      } catch {
        skip(this, "a read-only file system cannot be mounted here");
      }
    } else {
      chmodSync(root.at("etc/closed"), 0o555);
    }
    try {
      const answer = await root.run(more);
      assert.deepEqual([answer.code, answer.result["current"]], [20, old.id], JSON.stringify(answer));
      assert.match(String(answer.result["msg"]), /closed/);
    } finally {
      if (process.getuid?.() === 0) execFileSync("umount", ["--lazy", root.at("etc/closed")]);
      else chmodSync(root.at("etc/closed"), 0o755);
    }
    assert.equal((await root.run(more)).code, 0);
  });

  it("repairs a release on the host that was damaged", async () => {
    assert.equal((await root.run(old)).code, 0);
    const tree = `etc/gofleet/${COMPONENT}/releases/${old.id}/etc/demo`;
    writeFileSync(root.at(`${tree}/link.conf`), "damaged\n");
    chmodSync(root.at(`${tree}/copy.conf`), 0o600);
    execFileSync("rm", [root.at("etc/demo/only-old"), root.at(`${tree}/only-old`)]);
    const again = await root.run(old);
    assert.deepEqual([again.code, again.result["status"]], [0, "ok"], JSON.stringify(again));
    assert.equal(state(root), "old");
    assert.equal((await root.run(old)).result["status"], "same");
  });
});

/** The agent and the shell that waits for it, as a power cut would. */
function killGroup(root: Root, tx: string): void {
  const pid = Number(readFileSync(root.at(`var/lib/gofleet/${COMPONENT}/runs/${tx}/pid`), "utf8"));
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const group = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
  process.kill(-group, "SIGKILL");
}
