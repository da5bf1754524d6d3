import assert from "node:assert/strict";
import { join, relative } from "node:path";
import ts from "typescript";
import { REPOSITORY } from "../support/engine/project";

/** What functions make, not people: a target's release, a gate as the provider takes it. */
const MADE = /^src\/(host\/|model\/gates\.ts)/;
/** Says which one of several an object is. */
const OBVIOUS = ["kind"];
/** Parts of a credential are called what the forge calls them; their type says what they may do. */
const CREDENTIAL = /Credential$/;

/** Types and fields that a program writes, reached from the arguments that the package exports. */
function undocumented(program: ts.Program, entry: string): { seen: number; found: string[] } {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(entry);
  const module = source && checker.getSymbolAtLocation(source);
  assert.ok(module, entry);
  const seen = new Set<ts.Declaration>();
  const found: string[] = [];

  const original = (symbol: ts.Symbol | undefined): ts.Symbol | undefined =>
    symbol !== undefined && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const isSilent = (symbol: ts.Symbol): boolean => symbol.getDocumentationComment(checker).length === 0;
  const look = (declaration: ts.Declaration): void => {
    const file = relative(REPOSITORY, declaration.getSourceFile().fileName);
    if (seen.has(declaration) || !file.startsWith("src/") || MADE.test(file)) return;
    if (!ts.isInterfaceDeclaration(declaration) && !ts.isTypeAliasDeclaration(declaration)) return;
    seen.add(declaration);
    const name = checker.getSymbolAtLocation(declaration.name);
    if (name !== undefined && isSilent(name)) found.push(`${file}: ${name.name}`);
    const hasFields = ts.isInterfaceDeclaration(declaration) && !CREDENTIAL.test(declaration.name.text);
    for (const member of hasFields ? declaration.members : []) {
      const field = member.name && checker.getSymbolAtLocation(member.name);
      const isNever = ts.isPropertySignature(member) && member.type?.kind === ts.SyntaxKind.NeverKeyword;
      if (field !== undefined && !isNever && !OBVIOUS.includes(field.name) && isSilent(field)) {
        found.push(`${file}: ${declaration.name.text}.${field.name}`);
      }
    }
    follow(declaration);
  };
  const follow = (node: ts.Node): void => {
    if (ts.isTypeReferenceNode(node)) original(checker.getSymbolAtLocation(node.typeName))?.declarations?.forEach(look);
    if (ts.isExpressionWithTypeArguments(node)) {
      original(checker.getSymbolAtLocation(node.expression))?.declarations?.forEach(look);
    }
    ts.forEachChild(node, follow);
  };
  for (const symbol of checker.getExportsOfModule(module)) {
    if (symbol.name.endsWith("Args")) original(symbol)?.declarations?.forEach(look);
  }
  return { seen: seen.size, found: found.sort() };
}

describe("arguments in programs", function () {
  const { options } = ts.parseJsonConfigFileContent({ extends: "./tsconfig.json" }, ts.sys, REPOSITORY);

  it("have a sentence each, types and fields", () => {
    const entry = join(REPOSITORY, "src/index.ts");
    const { seen, found } = undocumented(ts.createProgram([entry], options), entry);
    assert.ok(seen > 50, `${seen} types`);
    assert.deepEqual(found, []);
  });

  it("would be found without one", () => {
    const entry = join(REPOSITORY, "src/model/wrong.ts");
    const text =
      'export interface FooArgs {\n  /** Said. */\n  a: Bar;\n  kind: "x";\n}\n/** A bar. */\ninterface Bar { b: string }\n';
    const host = ts.createCompilerHost(options);
    const { getSourceFile } = host;
    host.getSourceFile = (name, language, ...rest) =>
      name === entry ? ts.createSourceFile(name, text, language) : getSourceFile(name, language, ...rest);
    const { found } = undocumented(ts.createProgram([entry], options, host), entry);
    assert.deepEqual(found, ["src/model/wrong.ts: Bar.b", "src/model/wrong.ts: FooArgs"]);
  });
});
