import { strict as assert } from "node:assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { REPOSITORY } from "../support/engine/project";

const DOCUMENTS = [
  "README.md",
  "CHANGELOG.md",
  ...readdirSync(join(REPOSITORY, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  "examples/README.md",
  ...readdirSync(join(REPOSITORY, "examples"))
    .map((name) => `examples/${name}/README.md`)
    .filter((name) => existsSync(join(REPOSITORY, name))),
];
const LONGEST_README = 150;

const read = (name: string) => readFileSync(join(REPOSITORY, name), "utf8");

/** The TypeScript in a document, block by block. */
function programs(text: string): string[] {
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, program = ""]) => program);
}

/** What the compiler says of programs, as `name: message`. */
function complaints(sources: ReadonlyMap<string, string>): string[] {
  const { options } = ts.parseJsonConfigFileContent(
    { extends: "./tsconfig.json", compilerOptions: { noEmit: true, rootDir: ".", noUnusedLocals: false } },
    ts.sys,
    REPOSITORY,
  );
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => sources.has(name) || fileExists(name);
  host.readFile = (name) => sources.get(name) ?? readFile(name);
  host.getSourceFile = (name, language, ...rest) => {
    const text = sources.get(name);
    return text === undefined
      ? getSourceFile(name, language, ...rest)
      : ts.createSourceFile(name, text, typeof language === "object" ? language : { languageVersion: language });
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const name = file === undefined ? "" : relative(REPOSITORY, file.fileName);
    return `${name}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
}

describe("the documentation", function () {
  it("holds only programs that type-check", () => {
    const sources = new Map(
      DOCUMENTS.flatMap((name) =>
        programs(read(name)).map(
          (program, index) => [join(REPOSITORY, `${name.replace(/\W/g, "-")}-${index + 1}.ts`), program] as const,
        ),
      ),
    );
    assert.ok(sources.size >= 6, `${sources.size} programs`);
    assert.deepEqual(complaints(sources), []);
  });

  it("would show a program that does not", () => {
    const wrong = 'import { ssh } from "gofleet";\nexport const rack = ssh({ hots: "10.20.0.11" });\n';
    assert.match(complaints(new Map([[join(REPOSITORY, "wrong.ts"), wrong]])).join(), /hots/);
  });

  it("leads nowhere that does not exist", () => {
    for (const name of DOCUMENTS) {
      for (const [, target = ""] of read(name).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#[^)]*)?\)/g)) {
        if (target === "") continue;
        assert.ok(existsSync(join(REPOSITORY, dirname(name), target)), `${name} links to ${target}`);
      }
    }
  });

  it("leads to headings that exist", () => {
    const anchors = (text: string) =>
      [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
        title
          .toLowerCase()
          .replace(/[^\w\s-]/g, "")
          .replace(/\s/g, "-"),
      );
    for (const name of DOCUMENTS) {
      for (const [, target = "", anchor = ""] of read(name).matchAll(/\]\((?!https?:)([^)#\s]*)#([^)]*)\)/g)) {
        const document = target === "" ? name : join(dirname(name), target);
        assert.ok(anchors(read(document)).includes(anchor), `${name} links to ${document}#${anchor}`);
      }
    }
  });

  it("has tables with the same number of cells in each row", () => {
    for (const name of DOCUMENTS) {
      const tables = read(name).match(/(?:^\|.*\|\n)+/gm) ?? [];
      for (const table of tables) {
        const cells = table
          .trimEnd()
          .split("\n")
          .map((row) => row.split(/(?<!\\)\|/).length);
        assert.equal(new Set(cells).size, 1, `${name}:\n${table}`);
      }
    }
  });

  it("leads from the README to every page, and from the examples' index to every example", () => {
    const pages = DOCUMENTS.filter((name) => name.startsWith("docs/"));
    assert.deepEqual(
      pages.filter((name) => !read("README.md").includes(`](${name})`)),
      [],
    );
    const examples = DOCUMENTS.filter((name) => /^examples\/.+\//.test(name)).map((name) => name.slice(9));
    assert.deepEqual(
      examples.filter((name) => !read("examples/README.md").includes(`](${name})`)),
      [],
    );
  });

  it("begins with the two commands, and the README is short", () => {
    const lines = read("README.md").trimEnd().split("\n");
    assert.ok(lines.length <= LONGEST_README, `${lines.length} lines`);
    assert.match(read("README.md").split("```")[1] ?? "", /npm start.*\n.*npm test/);
  });

  it("names every exit code of the protocol", () => {
    const codes = (text: string) => [...text.matchAll(/^\| (1\d|2[0-2]) \|/gm)].map(([, code]) => code);
    assert.deepEqual(codes(read("docs/operations.md")), codes(read("docs/host-protocol.md")));
  });
});
