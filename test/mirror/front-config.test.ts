import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import fc from "fast-check";
import { parsePath } from "../../src/model/names";
import { frontPlan } from "../../src/plan/mirror/front";
import { resolveFront } from "../../src/model/mirror/front-resolve";
import { word } from "../../src/render/mirror/nginx-text";
import { FRONT_CASES } from "../support/front-cases";
import { DOMAIN, needsNginx, TestMirror, type Setup } from "../support/front";
import { batches } from "../support/hostile";
import { nginxVersion, text } from "../support/nginx";

describe("the front's configuration, read by nginx", function () {
  this.timeout(120_000);
  let mirror: TestMirror | undefined;
  before(function () {
    needsNginx(this);
  });
  afterEach(async () => {
    await mirror?.stop();
    mirror = undefined;
  });

  const make = (setup: Setup = {}) => (mirror = new TestMirror(setup));

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
    const { front, files } = make();
    const spoilt = (edit: (config: string) => string) => front.complaint({ ...files, edit });
    assert.match(spoilt((config) => config.replace("gzip off;", "gzip of;")) ?? "", /invalid value "of"/);
    assert.match(
      spoilt((config) => config.replace("$gomod_generation", "$gomod_generatoin")) ?? "",
      /unknown "gomod_generatoin" variable/,
    );
    assert.match(front.complaint({ ...files, key: mirror?.ca.root.key ?? "" }) ?? "", /key values mismatch/);
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

  describe("and the probe that reads the front", () => {
    /** The probe of a host, against this front. */
    function probe({ front, root }: TestMirror): { status: number | null; stderr: string } {
      const resolved = resolveFront({
        domain: DOMAIN,
        tls: { certificate: "", key: "" },
        addresses: ["127.0.0.1"],
        port: front.port,
      });
      const [script] = frontPlan(resolved, front.place, { config: "", certificate: "" }).probes ?? [];
      const below = (script?.script ?? "")
        .replaceAll("/etc/gofleet/", `${root}/etc/gofleet/`)
        .replace("-lt 20", "-lt 2");
      const { status, stderr } = spawnSync("sh", [], { input: below, encoding: "utf8" });
      return { status, stderr };
    }

    it("is content with the certificate that it was given, and with no other", async () => {
      const started = await make().start();
      assert.deepEqual(probe(started), { status: 0, stderr: "" });
      const { place } = started.front;
      const good = text(started.front.path(place.front.certificate));
      started.front.put(place.front.certificate, started.ca.chain(started.ca.leaf("other.example")));
      assert.match(probe(started).stderr, /does not answer with the certificate/);
      started.front.put(place.front.certificate, good);
      await started.front.stop();
      assert.notEqual(probe(started).status, 0);
    });

    it("is content where clients need a password or a certificate", async () => {
      const passwords = { ci: "k3V9mZpQ7xTfLw2RbN8sHdYc" };
      const users = await make({ args: { access: { users: passwords } }, files: { passwords } }).start();
      assert.equal(probe(users).status, 0);
      await users.stop();
      const clientCa = users.ca.root.certificate;
      const certificates = await make({ args: { access: { clientCa } }, files: { clientCa } }).start();
      assert.equal(probe(certificates).status, 0);
    });
  });
});
