import { createHash } from "node:crypto";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";

/** A module as a test wants it: its go.mod and its other files. */
export interface TestModule {
  readonly path: string;
  readonly version: string;
  readonly requires?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}

/** The go.sum lines of a module. */
export interface TestSums {
  readonly zip: string;
  readonly mod: string;
}

/**
 * Writes modules as a directory that `GOPROXY=file://…` reads. See https://go.dev/ref/mod#goproxy-protocol.
 *
 * @returns the sums by `module@version`
 */
export async function moduleProxy(
  folder: string,
  modules: readonly TestModule[],
): Promise<Readonly<Record<string, TestSums>>> {
  const sums: Record<string, TestSums> = {};
  for (const module of modules) sums[`${module.path}@${module.version}`] = await writeModule(folder, module);
  return sums;
}

async function writeModule(
  folder: string,
  { path, version, requires = [], files = {} }: TestModule,
): Promise<TestSums> {
  const base = join(folder, escaped(path), "@v", escaped(version));
  mkdirSync(dirname(base), { recursive: true });
  const mod = [`module ${path}`, "", "go 1.20", ...requires.map((each) => `\nrequire ${each}`), ""].join("\n");
  writeFileSync(`${base}.mod`, mod);
  writeFileSync(`${base}.info`, JSON.stringify({ Version: version, Time: "2024-01-02T03:04:05Z" }));
  const contents = { ...files, "go.mod": mod };
  const zip = new ZipFile();
  const written = pipeline(zip.outputStream, createWriteStream(`${base}.zip`));
  const lines = Object.entries(contents).map(([name, content]) => {
    const entry = `${path}@${version}/${name}`;
    zip.addBuffer(Buffer.from(content), entry, { mtime: new Date(0) });
    return `${sha256(content)}  ${entry}\n`;
  });
  zip.end();
  await written;
  return { zip: h1(lines), mod: h1([`${sha256(mod)}  go.mod\n`]) };
}

function h1(lines: readonly string[]): string {
  const sorted = [...lines].sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1));
  return `h1:${createHash("sha256").update(sorted.join("")).digest("base64")}`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function escaped(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}
