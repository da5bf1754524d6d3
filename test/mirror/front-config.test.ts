import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import fc from "fast-check";
import { parsePath } from "../../src/model/names";
import { word } from "../../src/render/mirror/nginx-text";
import { FRONT_CASES } from "../support/front-cases";
import { testMirrors } from "../support/front";
import { batches } from "../support/hostile";
import { nginxVersion } from "../support/nginx";

describe("the front's configuration, read by nginx", function () {
  const make = testMirrors();

  /** What only the case's host has: its neighbours' names, its log, and an nginx that may be newer. */
  const here = (given: string) => {
    const config = given
      .replace("/var/log/goproxy/access.log", "/dev/null")
      .replace(/goproxy-[bc]\.corp\.example:/g, "127.0.0.1:");
    return nginxVersion() < 1_025_001 ? config.replace(/^ *http2 on;$/m, "") : config;
  };

  for (const [name, { args, context }] of Object.entries(FRONT_CASES)) {
    it(`is good, without a warning: ${name}`, () => {
      const pair = { tls: { certificate: "", key: "" } };
      const setup = { args: { ...args, ...pair }, context, files: { edit: here, passwords: {} } };
      const started = make(context.store === undefined ? { ...setup, store: false } : setup);
      const ca = started.ca.root.certificate;
      assert.equal(started.front.complaint({ ...started.files, clientCa: ca, edit: here }), undefined);
    });
  }

  it("would not be good with a mistake in it", () => {
    const mirror = make();
    const { front, files } = mirror;
    const spoilt = (edit: (config: string) => string) => front.complaint({ ...files, edit });
    assert.match(spoilt((config) => config.replace("gzip off;", "gzip of;")) ?? "", /invalid value "of"/);
    assert.match(
      spoilt((config) => config.replace("$gomod_generation", "$gomod_generatoin")) ?? "",
      /unknown "gomod_generatoin" variable/,
    );
    assert.match(front.complaint({ ...files, key: mirror.ca.root.key }) ?? "", /key values mismatch/);
  });

  it("lets no string escape its quotes (1,000 strings, answered by nginx)", async () => {
    const { front, files } = await make().start();
    let kept = 0;
    await fc.assert(
      fc.asyncProperty(batches(100), async (values) => {
        const made = values.flatMap((value) => {
          try {
            return value === "" ? [] : [{ value, quoted: word`${value}` }];
          } catch {
            return [];
          }
        });
        kept += made.length;
        const locations = made
          .map(({ quoted }, index) => `location = /quoted/${index} { return 200 ${quoted}; }`)
          .join("\n");
        await front.reload({
          files: {
            ...files,
            edit: (config) => config.replace("location = /healthz", `${locations}\nlocation = /healthz`),
          },
        });
        for (const [index, { value }] of made.entries()) {
          assert.equal((await front.get(`/quoted/${index}`)).body.toString(), value);
        }
      }),
      { numRuns: 10, endOnFailure: true },
    );
    assert.ok(kept > 100, `${kept} strings were let through`);
  });

  it("means the very file that a path names (1,000 strings)", () => {
    const { root, front, files } = make();
    const folder = join(root, "logs");
    mkdirSync(folder);
    let kept = 0;
    fc.assert(
      fc.property(batches(100), (values) => {
        const paths = values.flatMap((value) => {
          const path = parsePath("x", `${folder}/x${value.replaceAll("/", "")}`).value;
          return path !== undefined && basename(path).length < 200 ? [path] : [];
        });
        kept += paths.length;
        const lines = paths.map((path) => `access_log ${word`${path}`};`).join("\n");
        const edit = (config: string) =>
          config.replace("location = /healthz {", `${`location = /logs { ${lines} }`}\nlocation = /healthz {`);
        assert.equal(front.complaint({ ...files, edit }), undefined);
        for (const path of paths) assert.ok(existsSync(path), path);
      }),
      { numRuns: 10, endOnFailure: true },
    );
    assert.ok(kept > 50, `${kept} paths were let through`);
    assert.ok(readdirSync(folder).every((name) => name.startsWith("x")));
  });
});
