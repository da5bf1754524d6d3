import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GODEBUG_KEYS } from "../../../src/model/service/godebug";
import { parseEndpoint } from "../../../src/model/service/listen";
import { checkBreaker, resolveRestart } from "../../../src/model/service/restart";
import { resolveService } from "../../../src/model/service/service";
import { needsGo } from "../../support/go";

describe("a service with its defaults", () => {
  const get = "http://127.0.0.1:7070/healthz";

  it("is probed where it has health, and told apart by how it comes on", () => {
    assert.equal(resolveService({ exec: ["x"] }).health.notify, "none");
    assert.equal(resolveService({ exec: ["x"], health: { get } }).health.notify, "probe");
    assert.equal(resolveService({ exec: ["x"] }).update, "restart");
    assert.equal(resolveService({ exec: ["x"], sockets: { http: { listen: ":80" } } }).update, "socket");
  });

  it("counts starts that are never ready, and hangs, for its breaker", () => {
    const within = (more: object) => resolveService({ exec: ["x"], ...more }).restart.breaker?.within;
    assert.equal(within({}), 15);
    // Five starts of 30 s, a second between.
    assert.equal(within({ health: { get } }), Math.ceil(1.5 * 5 * 31));
    // Three bad answers, one each 30 s, then a minute of silence, then ten seconds for stacks.
    const health = { readiness: { get }, liveness: { get } };
    assert.equal(within({ health, watchdog: { within: "1 min" } }), Math.ceil(1.5 * 5 * (90 + 60 + 10 + 1)));
  });

  it("opens its breaker later where pauses grow, as systemd 254 lets them", () => {
    const grow = { after: "16 s", steps: 4 } as const;
    // 1, 2, 4, 8 and 16 s between five runs of a second.
    assert.equal(resolveRestart({ grow }).breaker?.within, Math.ceil(1.5 * (31 + 5)));
    const breaker = (within: "36 s" | "37 s") => checkBreaker({ grow, breaker: { within } }, []);
    assert.equal(breaker("36 s").length, 1);
    assert.equal(breaker("37 s").length, 0);
    assert.equal(resolveRestart({ when: "no" }).breaker, undefined);
  });

  it("has Go's own limits below the unit's", () => {
    const { derived } = resolveService({ exec: ["x"], limits: { memory: "100 MiB", cpus: 0.5 } });
    assert.deepEqual(derived, { GOMAXPROCS: "1", GOMEMLIMIT: "94371840B" });
  });
});

describe("addresses", () => {
  it("are read as Go reads them, names apart", () => {
    assert.deepEqual(parseEndpoint(":80"), { address: "::", port: 80 });
    assert.deepEqual(parseEndpoint("[::1]:80"), { address: "::1", port: 80 });
    assert.deepEqual(parseEndpoint("127.0.0.1:80"), { address: "127.0.0.1", port: 80 });
    for (const bad of ["80", ":0", ":65536", "[127.0.0.1]:80", "::1:80", "localhost:80", "1.2.3:80", 80]) {
      assert.equal(parseEndpoint(bad), undefined, String(bad));
    }
  });
});

describe("settings of GODEBUG", () => {
  it("are those of this machine's Go", function () {
    needsGo(this);
    const root = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
    const names = (file: string, shape: RegExp) =>
      [...readFileSync(join(root, "src", file), "utf8").matchAll(shape)].map(([, name = ""]) => name);
    const known = [
      ...names("internal/godebugs/table.go", /\{Name: "([a-z0-9]+)"/g),
      ...names("runtime/runtime1.go", /^\t\{name: "([a-z0-9]+)"/gm),
    ];
    assert.ok(known.length > 60, `only ${known.length} settings were read`);
    assert.deepEqual(
      known.filter((name) => !GODEBUG_KEYS.includes(name)),
      [],
    );
  });
});
