import { strict as assert } from "node:assert";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ComponentResource, CustomResource, type Output, secret } from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation";

import { withStack } from "../support/engine";

const PROVIDER_LINE = 'exports.handler=()=>require("gofleet/provider").provider';
const PLANTED = "hunter2-planted-secret";

/** A provider that keeps a text file: the smallest thing with create, update, read, delete and drift. */
const STUB = {
  provider: `
    const { readFileSync, rmSync, writeFileSync } = require("node:fs");
    const write = ({ path, text }) => (writeFileSync(path, text), { path, text });
    exports.provider = {
      async diff(id, olds, news) { return { changes: olds.path !== news.path || olds.text !== news.text }; },
      async create(inputs) {
        if (inputs.text === "refused") throw new Error("this text is refused");
        return { id: inputs.path, outs: write(inputs) };
      },
      async update(id, olds, news) { return { outs: write(news) }; },
      async read(id, { path }) {
        const text = readFileSync(path, "utf8");
        return { id, props: { path, text }, inputs: { path, text } };
      },
      async delete(id, { path }) { rmSync(path); },
    };`,
};

interface TextArgs {
  readonly path: string;
  readonly text: unknown;
  /** Other text than the usual line. */
  readonly __provider?: string;
}

class TextFile extends CustomResource {
  declare readonly text: Output<string>;
  constructor(name: string, args: TextArgs, parent: ComponentResource) {
    super("pulumi-nodejs:gofleet:HostRelease", name, { __provider: PROVIDER_LINE, ...args }, { parent });
  }
}

class Holder extends ComponentResource {
  constructor(name: string, args: TextArgs) {
    super("gofleet:test:Holder", name, args);
    new TextFile(`${name}-file`, args, this);
    this.registerOutputs({});
  }
}

describe("the real engine", function () {
  this.timeout(1_200_000);
  let dir = "";
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "gofleet-kept-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const holding =
    (text: unknown): PulumiFn =>
    async () => {
      new Holder("edge", { path: join(dir, "kept"), text });
    };

  it("runs a component through preview, up, no-op, change, refresh and destroy", async () => {
    await withStack(holding("one\n"), { stub: STUB }, async (stack) => {
      assert.deepEqual((await stack.preview()).ops, { edge: "create", "edge-file": "create" });
      assert.equal((await stack.state()).resources, undefined, "a preview changes nothing");

      assert.deepEqual((await stack.up()).changes, { edge: "create", "edge-file": "create" });
      assert.equal(readFileSync(join(dir, "kept"), "utf8"), "one\n");
      assert.deepEqual((await stack.up()).changes, {}, "the same program again changes nothing");

      stack.program = holding("two\n");
      const text = await stack.previewText();
      assert.match(text, /- one/);
      assert.match(text, /\+ two/);
      assert.deepEqual((await stack.up()).changes, { edge: "update", "edge-file": "update" });

      writeFileSync(join(dir, "kept"), "drifted\n");
      await stack.refresh();
      assert.equal((await stack.resource("edge-file"))?.outputs?.["text"], "drifted\n");
      assert.deepEqual((await stack.up()).changes, { "edge-file": "update" });

      assert.deepEqual((await stack.destroy()).changes, { edge: "delete", "edge-file": "delete" });
      assert.throws(() => readFileSync(join(dir, "kept")), { code: "ENOENT" });
    });
  });

  it("reports a failing provider with its message, and state keeps the truth", async () => {
    await withStack(holding("refused"), { stub: STUB }, async (stack) => {
      const { errors } = await stack.up({ expect: "failure" });
      assert.ok(
        errors.some((text) => text.includes("this text is refused")),
        errors.join("\n"),
      );
      assert.equal(await stack.resource("edge-file"), undefined);
      await assert.rejects(stack.up({ expect: "success" }));
    });
  });

  it("finds a planted secret where it is, and only there", async () => {
    await withStack(holding(secret(PLANTED)), { stub: STUB }, async (stack) => {
      await stack.preview({ diff: true });
      await stack.up();
      await stack.refresh();
      assert.deepEqual(await stack.leaksOf(PLANTED), [], "a secret input whose output has the same key stays secret");
    });
    await withStack(holding(PLANTED), { stub: STUB }, async (stack) => {
      await stack.up();
      const found = await stack.leaksOf(PLANTED);
      for (const place of [/^state \(in clear\)$/, /events \(in clear\)$/, /backend.*\(in clear\)$/]) {
        assert.ok(
          found.some((each) => place.test(each)),
          `${place} in ${found.join(", ")}`,
        );
      }
    });
  });

  it("pins the SDK's contract: the text under __provider is run, and its handler() is the provider", async () => {
    const withProvider = (line: string): PulumiFn => {
      return async () => void new Holder("edge", { path: "/unused", text: "one", __provider: line });
    };
    const seen = `exports.handler=()=>({async create(inputs){return {id:"seen",outs:{text:Object.keys(inputs)+""}}}})`;
    await withStack(withProvider(seen), { stub: STUB }, async (stack) => {
      await stack.up();
      assert.equal((await stack.resource("edge-file"))?.outputs?.["text"], "__provider,path,text");
    });
    await withStack(withProvider("exports.provider={}"), { stub: STUB }, async (stack) => {
      const { errors } = await stack.preview({ expect: "failure" });
      assert.ok(
        errors.some((text) => text.includes("handler is not a function")),
        errors.join("\n"),
      );
    });
  });

  it("leaves one constant line of the provider in state", async () => {
    await withStack(holding("one\n"), { stub: STUB }, async (stack) => {
      await stack.up();
      const kept = await stack.resource("edge-file");
      assert.equal(kept?.inputs?.["__provider"], PROVIDER_LINE);
      assert.equal(kept?.outputs?.["__provider"], PROVIDER_LINE);
      assert.equal(kept?.type, "pulumi-nodejs:gofleet:HostRelease");
    });
  });
});
