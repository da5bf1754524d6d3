import assert from "node:assert/strict";
import { join } from "node:path";
import { circles, importsBelow, importsOf, wrongImports, type Layers } from "./support/imports";

const PULUMI = /^@pulumi\/pulumi(\/|$)/;

/** Any package but a provider's SDK: those are optional, each reached by a subpath of its own. */
const NO_SDK = /^(?!@pulumi\/(?!pulumi(\/|$)))/;

/**
 * model ← render ← plan ← targets ← components; host beside targets; engine, which finds and runs the operator's tools,
 * below components; cli on top, known to nobody.
 */
const LAYERS: Layers = {
  model: { imports: [], packages: [/^fastest-levenshtein$/] },
  render: { imports: ["model"], packages: [/^(smol-toml|yaml)$/] },
  plan: { imports: ["model", "render"], packages: [] },
  host: { imports: ["model", "render", "plan"], packages: [NO_SDK] },
  targets: { imports: ["model", "render", "plan", "host"], packages: [PULUMI] },
  components: { imports: ["model", "render", "plan", "host", "targets", "engine"], packages: [PULUMI] },
  engine: { imports: ["model", "plan", "render"], packages: [NO_SDK] },
  policy: { imports: ["model"], packages: [/^@pulumi\/policy$/] },
  report: { imports: ["model", "render", "plan", "host"], packages: [/^diff$/] },
  cli: { imports: ["model", "render", "plan", "host", "targets", "engine", "report"], packages: [NO_SDK] },
};

describe("layers", () => {
  const imports = importsBelow(join(__dirname, "..", "src"));

  it("have imports that point one way", () => assert.deepEqual(wrongImports(imports, LAYERS), []));

  it("have files of which none imports itself around others", () => assert.deepEqual(circles(imports), []));

  it("would catch two files that import each other, by a type alone", () => {
    const a = importsOf("host/a.ts", 'import { b } from "./b";');
    const b = importsOf("host/b.ts", 'import { c } from "../plan/c";\nimport type { A } from "./a";');
    assert.deepEqual(circles([...a, ...b, ...importsOf("plan/c.ts", "")]), ["host/a.ts → host/b.ts → host/a.ts"]);
  });

  it("were read", () => {
    assert.ok(imports.some(({ from, to }) => from === "plan/toolchain.ts" && to === "model/toolchain"));
    assert.ok(imports.some(({ to }) => to === "@pulumi/pulumi"));
  });

  const wrong: Record<string, [file: string, source: string, says: RegExp]> = {
    "an arrow upward": ["model/a.ts", 'import { b } from "../plan/b";', /model may not know plan/],
    "a type from above": ["render/a.ts", 'import type { B } from "../plan/b";', /render may not know plan/],
    "a re-export from above": ["plan/a.ts", 'export * from "../targets/b";', /plan may not know targets/],
    "an import inside a function": ["plan/a.ts", 'const b = () => import("../host/b");', /plan may not know host/],
    "a require": ["model/a.ts", 'const b = require("../cli/b");', /model may not know cli/],
    "a nested file": ["host/agent/a.ts", 'import "../../components/b";', /host may not know components/],
    "Pulumi in a pure layer": ["render/a.ts", 'import * as pulumi from "@pulumi/pulumi";', /which render may not/],
    "Pulumi in the model, as a type": [
      "model/a.ts",
      'import type { Output } from "@pulumi/pulumi";',
      /which model may not/,
    ],
    "a cloud SDK": ["targets/a.ts", 'import * as aws from "@pulumi/aws";', /which targets may not/],
    "the command line": ["host/a.ts", 'import "../cli/lock";', /host may not know cli/],
    "the index": ["components/a.ts", 'import { lock } from "../index";', /which components may not/],
    "a file outside the sources": ["model/a.ts", 'import "../../scripts/build";', /which model may not/],
    "a layer nobody declared": ["misc/a.ts", 'import "../model/a";', /misc is no layer/],
  };
  for (const [name, [file, source, says]] of Object.entries(wrong)) {
    it(`would catch ${name}`, () => {
      const found = wrongImports(importsOf(file, source), LAYERS);
      assert.equal(found.length, 1, "it was not caught");
      assert.match(found[0] ?? "", says);
    });
  }

  it("allow what points down, and node's own modules", () => {
    const source = 'import "node:fs"; import "../model/a"; import "./b"; export * from "../render/c";';
    assert.deepEqual(wrongImports(importsOf("plan/a.ts", source), LAYERS), []);
  });
});
