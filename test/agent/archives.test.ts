import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack, type Header } from "tar-stream";
import { COMPONENT, plan, release, Root, shells, type Answer } from "./support";

type NamedHeader = Partial<Header> & Pick<Header, "name">;

/** An archive's entry: what it is, and a file's text. */
type Entry = readonly [NamedHeader | string, string?];

async function tarball(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const [header, text = ""] of entries) tar.entry(typeof header === "string" ? { name: header } : header, text);
  tar.finalize();
  return gzipSync(await buffer(tar));
}

for (const shell of shells()) {
  describe(`agent: shapes of archives, under ${shell.name}`, function () {
    let root: Root;
    let work: string;

    beforeEach(() => {
      root = new Root(shell);
      work = mkdtempSync(join(tmpdir(), "gofleet-archives-"));
    });
    afterEach(() => {
      root.dispose();
      rmSync(work, { recursive: true, force: true });
    });

    const place = async (...entries: Entry[]): Promise<Answer> => {
      const path = join(work, "archive.tar.gz");
      const archive = await tarball(entries);
      writeFileSync(path, archive);
      const checksum = createHash("sha256").update(archive).digest("hex");
      const urls = [`file://${path}`];
      return root.run(
        release(
          plan({ downloads: [{ name: "tool-1", format: "tar.gz", variants: [{ arch: "any", checksum, urls }] }] }),
        ),
      );
    };
    const tree = (): string => root.at(`usr/local/lib/gofleet/${COMPONENT}/tool-1`);
    const names = (): string[] => readdirSync(tree(), { recursive: true, encoding: "utf8" }).sort();
    /** It is refused, says why, and leaves nothing inside or outside. */
    const refused = (answer: Answer, why: RegExp): void => {
      assert.deepEqual([answer.code, answer.result["status"]], [15, "failed"], JSON.stringify(answer));
      assert.match(String(answer.result["msg"]), why);
      assert.ok(!root.has("usr/local/lib/gofleet") && !root.has("etc/gofleet"));
    };

    it("leaves out the directory around everything", async () => {
      const answer = await place(
        [{ name: "tool-1/", type: "directory", mode: 0o700 }],
        [{ name: "tool-1/bin/tool", mode: 0o755 }, "x"],
        ["tool-1/LICENSE", "y"],
      );
      assert.equal(answer.code, 0, JSON.stringify(answer));
      assert.deepEqual(names(), ["LICENSE", "bin", "bin/tool"]);
      assert.equal(statSync(tree()).mode & 0o777, 0o755);
      assert.equal(statSync(join(tree(), "bin/tool")).mode & 0o777, 0o755);
    });

    it("leaves it out where names begin with ./ and it has no entry of its own", async () => {
      assert.equal((await place(["./my tool/a", "x"], ["./my tool/b", "y"])).code, 0);
      assert.deepEqual(names(), ["a", "b"]);
    });

    it("keeps what is at the top", async () => {
      const answer = await place([{ name: "athens", mode: 0o755 }, "x"], ["LICENSE", "y"]);
      assert.equal(answer.code, 0, JSON.stringify(answer));
      assert.deepEqual(names(), ["LICENSE", "athens"]);
      assert.equal(readFileSync(join(tree(), "athens"), "utf8"), "x");
    });

    it("keeps a single file, and directories beside each other or beside a hidden file", async () => {
      assert.equal((await place(["athens", "x"])).code, 0);
      assert.deepEqual(names(), ["athens"]);
      assert.equal((await place(["bin/a", "x"], ["share/b", "y"])).code, 0);
      assert.deepEqual(names(), ["bin", "bin/a", "share", "share/b"]);
      assert.equal((await place(["bin/a", "x"], [".hidden", "y"])).code, 0);
      assert.deepEqual(names(), [".hidden", "bin", "bin/a"]);
    });

    it("does not take a link for the directory around everything", async () => {
      mkdirSync(join(work, "outside"));
      writeFileSync(join(work, "outside/secret"), "s");
      assert.equal((await place([{ name: "all", type: "symlink", linkname: join(work, "outside") }])).code, 0);
      assert.deepEqual(readdirSync(tree()), ["all"]);
      assert.ok(existsSync(join(work, "outside/secret")));
    });

    it("refuses names that are absolute or lead out", async () => {
      const outside = join(work, "evil");
      refused(await place([outside, "x"], ["good", "y"]), /names that begin with \/ or lead out/);
      refused(await place(["tool-1/../../../evil", "x"], ["good", "y"]), /tool-1 cannot be unpacked: .*\.\./s);
      refused(
        await place([{ name: "h", type: "link", linkname: "/etc/hostname" }], ["good", "y"]),
        /tool-1 cannot be unpacked/,
      );
      assert.ok(!existsSync(outside));
    });

    it("writes nothing through a link that leads out", async () => {
      mkdirSync(join(work, "outside"));
      const link: NamedHeader = { name: "out", type: "symlink", linkname: join(work, "outside") };
      refused(await place([link], ["out/evil", "x"]), /tool-1 cannot be unpacked/);
      assert.deepEqual(readdirSync(join(work, "outside")), []);
    });
  });
}
