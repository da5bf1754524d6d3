// Packs the Go programs that are built on hosts, as Go module zips with their h1: sums. Equal sources make equal bytes.
import { createHash } from "node:crypto";
import { createWriteStream, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";

const MODULES = ["sandbox", "store"];

/** A version no release has; what is inside is told apart by the sum. */
const VERSION = "v0.0.0";

/** Writes `<folder>/<name>.zip` and `<folder>/<name>.json` with its sum. */
export async function packHostTools(folder) {
  mkdirSync(folder, { recursive: true });
  for (const name of MODULES) {
    const files = sources(join("hosttools", name)).map((path) => ({
      name: `gofleet/${name}@${VERSION}/${path}`,
      content: readFileSync(join("hosttools", name, path)),
    }));
    const zip = new ZipFile();
    const written = pipeline(zip.outputStream, createWriteStream(join(folder, `${name}.zip`)));
    for (const { name: entry, content } of files) {
      zip.addBuffer(content, entry, {
        mtime: new Date("2020-01-01T00:00:00Z"),
        mode: 0o100644,
        forceDosTimestamp: true,
      });
    }
    zip.end();
    await written;
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ h1: hash1(files) })}\n`);
  }
}

/** What the build needs: no tests, nothing that an editor left. */
function sources(root, below = "") {
  return readdirSync(join(root, below), { withFileTypes: true })
    .flatMap((entry) => {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) return entry.name === "testdata" ? [] : sources(root, path);
      return /^go\.(mod|sum)$|(?<!_test)\.go$/.test(entry.name) ? [path] : [];
    })
    .sort();
}

/** Go's "hash 1". See https://go.dev/ref/mod#go-sum-files. */
function hash1(files) {
  const hex = (content) => createHash("sha256").update(content).digest("hex");
  const names = [...files].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const lines = names.map(({ name, content }) => `${hex(content)}  ${name}\n`).join("");
  return `h1:${createHash("sha256").update(lines).digest("base64")}`;
}
