import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { agentSource } from "../../src/host/agent-source";
import { skip } from "../support/skip";
import { file, plan, release, Root, shells, which } from "./support";

describe("agent: output", function () {
  for (const shell of shells()) {
    it(`escapes any bytes into JSON under ${shell.name}`, () => {
      // The agent's functions without its last line, which runs a verb.
      const functions = agentSource().replace(/\nmain "\$@"\n*$/, "\n");
      const script = `${functions}\nLOG=; ECHO=1; while IFS= read -r hex; do printf '%s' "$(printf "$hex")" >"$F"; emit out msg "$(cat "$F")"; done`;
      const samples = fc.sample(
        fc.oneof(
          fc.uint8Array({ minLength: 0, maxLength: 24 }).map((bytes) => Buffer.from(bytes)),
          fc.string({ unit: "binary", maxLength: 16 }).map((text) => Buffer.from(text)),
          fc.string({ unit: "grapheme-ascii", maxLength: 16 }).map((text) => Buffer.from(text)),
        ),
        { numRuns: 60, seed: 7 },
      );
      // A shell's variable holds no NUL and loses newlines at the end.
      const wanted = samples.map((bytes) => {
        const kept = bytes.filter((byte) => byte !== 0);
        let end = kept.length;
        while (end > 0 && kept[end - 1] === 10) end--;
        return Buffer.from(kept.subarray(0, end));
      });
      const input = samples
        .map((bytes) => `${[...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")}\n`)
        .join("");
      const scratch = join(shell.bin, "scratch");
      // More than one argument of a program may hold.
      const program = join(shell.bin, "output-test");
      writeFileSync(program, script);
      const run = spawnSync(join(shell.bin, "sh"), [program], { input, env: { ...process.env, F: scratch } });
      const lines = run.stdout.toString("latin1").split("\n").filter(Boolean);
      assert.equal(lines.length, samples.length, run.stderr.toString());
      lines.forEach((line, index) => {
        assert.match(line, /^[\x20-\x7e]*$/);
        const { msg } = JSON.parse(line) as { msg: string };
        assert.equal(msg, wanted[index]?.toString("utf8"), `${line} for ${String(wanted[index]?.toString("hex"))}`);
      });
    });
  }

  it("wraps whatever a probe prints", async () => {
    const root = new Root(shells()[0]);
    try {
      const script = "printf '\\377\\001\"\\\\ \\303\\244\\t\\n' ; head -c 40000 /dev/urandom | tr -d '\\000'\n";
      const what = release(plan({ files: [file("/etc/x", "x")], probes: [{ name: "odd", timeout: 60, script }] }));
      const answer = await root.run(what);
      assert.equal(answer.code, 0, JSON.stringify(answer.result));
      const out = String(answer.events.find(({ ev }) => ev === "probe")?.["out"]);
      assert.ok(out.startsWith('\ufffd\u0001"\\ ä\t\n'), JSON.stringify(out.slice(0, 20)));
      const again = await root.run(what);
      assert.equal(again.events.find(({ ev }) => ev === "probe")?.["out"], out);
    } finally {
      root.dispose();
    }
  });

  it("is a program that shellcheck has nothing against", function () {
    const shellcheck = which("shellcheck");
    if (shellcheck === undefined) skip(this, "shellcheck is not installed");
    const { stdout, status } = spawnSync(shellcheck, ["--shell=sh", "-"], { input: agentSource() });
    assert.equal(status, 0, stdout.toString());
  });
});
