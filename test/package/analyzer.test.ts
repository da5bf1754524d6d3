import { strict as assert } from "node:assert";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Analyzer, type AnalyzeResult } from "@pulumi/pulumi/provider/experimental/analyzer";
import { makeProject, REPOSITORY } from "../support/engine/project";

/** A facade for other languages in a project of its own: args and outputs by the package's types. */
const FACADE = `
import * as pulumi from "@pulumi/pulumi";
import type { GoToolchainRef, HostFacts } from "gofleet";

export interface BuildArgs {
  go: pulumi.Input<GoToolchainRef>;
  flags?: pulumi.Input<string>;
}

export class Build extends pulumi.ComponentResource {
  public readonly command: pulumi.Output<string>;
  public readonly facts: pulumi.Output<Record<string, HostFacts>>;
  constructor(name: string, args: BuildArgs, opts?: pulumi.ComponentResourceOptions) {
    super("corp:index:Build", name, {}, opts);
    this.command = pulumi.output(args.go).apply(({ goBinary }) => goBinary);
    this.facts = pulumi.output({});
  }
}
`;

describe("Pulumi's component analyzer, which makes schemas for other languages", function () {
  it("refuses the arguments of GoToolchainHost: versions, durations and sources are unions (docs/languages.md)", () => {
    const analyzer = new Analyzer(REPOSITORY, "gofleet", { name: "gofleet", main: "src/index.ts" }, new Set([NAME]));
    assert.throws(() => analyzer.analyze(), /Union types are not supported for component 'GoToolchainHost'/);
  });

  it("takes refs and facts, so that a facade in front of a stack can be used from any language", () => {
    const project = makeProject();
    try {
      mkdirSync(join(project, "src"));
      writeFileSync(join(project, "src", "index.ts"), FACADE);
      const compilerOptions = { module: "Node16", moduleResolution: "Node16", target: "ES2022", strict: true };
      writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["src"] }));
      const manifest = { name: "corp", main: "src/index.ts" };
      const { components, typeDefinitions }: AnalyzeResult = new Analyzer(
        project,
        "corp",
        manifest,
        new Set(["Build"]),
      ).analyze();
      assert.deepEqual(Object.keys(components["Build"]?.inputs ?? {}).sort(), ["flags", "go"]);
      const ref = Object.values(typeDefinitions).find(({ properties }) => properties?.["goBinary"] !== undefined);
      assert.deepEqual(Object.keys(ref?.properties ?? {}).sort(), ["goBinary", "goEnv", "goRoot", "goVersion"]);
      assert.ok(Object.values(typeDefinitions).some(({ properties }) => properties?.["machine"] !== undefined));
    } finally {
      rmSync(project, { recursive: true, force: true });
    }
  });
});

const NAME = "GoToolchainHost";
