import { strict as assert } from "node:assert";
import { output, secret } from "@pulumi/pulumi";
import { GoServiceUnit, type GoServiceUnitArgs } from "../../src/index";
import { withStack, type TestStack } from "../support/engine";
import { example } from "../support/example";
import { addresses, FakeHosts, pool } from "./pool-program";

const SETTINGS = "/etc/gofleet/gofleet-test-buildcache";
const UNIT = "gofleet-gofleet-test-buildcache.service";

describe("a service in a program", function () {
  this.timeout(600_000);
  let hosts: FakeHosts;
  beforeEach(() => (hosts = new FakeHosts()));
  afterEach(() => hosts.remove());

  /** Also wrong ones. */
  const program =
    (more: object = {}) =>
    async () => {
      const cache = new GoServiceUnit("buildcache", {
        target: pool(1),
        release: {
          url: "https://dl.corp.example/buildcached-1.8.2",
          sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        },
        exec: ["buildcached", "--listen", "127.0.0.1:7070"],
        health: { get: "http://127.0.0.1:7070/healthz", within: "30 s" },
        ...more,
      } as unknown as GoServiceUnitArgs);
      return { unit: cache.unit, activeRelease: cache.activeRelease, monitoring: cache.monitoring };
    };
  const start = (first: Parameters<typeof withStack>[0], body: (stack: TestStack) => Promise<void>) =>
    withStack(first, { env: hosts.env }, body);
  const files = async (stack: TestStack): Promise<Record<string, string>> =>
    (await stack.resource("buildcache-release"))?.inputs?.["files"] as Record<string, string>;
  const refused = (more: object, says: RegExp) =>
    start(program(more), async (stack) => {
      const { errors } = await stack.up({ expect: "failure" });
      assert.match(errors.join("\n"), says);
    });

  it("is one release, the same bytes every time, and tells what the hosts run", () =>
    start(program(), async (stack) => {
      assert.deepEqual((await stack.preview()).changes, { buildcache: "create", "buildcache-release": "create" });
      await stack.up();
      const { unit, activeRelease } = await stack.outputs();
      assert.equal(unit?.value, UNIT);
      assert.match(String(activeRelease?.value), /^[0-9a-f]{16}$/);
      assert.deepEqual((await stack.up()).changes, {});
    }));

  it("tells a Prometheus and a Grafana how to look after it, once it says what its metrics are", () =>
    start(program(), async (stack) => {
      await stack.up();
      assert.equal((await stack.outputs())["monitoring"], undefined);
      stack.program = program({ metrics: { listen: ":7070" }, limits: { memory: "1 GiB" } });
      await stack.up();
      const { scrapeConfig, alertRules, dashboard } = (await stack.outputs())["monitoring"]?.value as Record<
        string,
        string
      >;
      assert.match(scrapeConfig ?? "", /^ +- \S+:7070$/m);
      assert.match(alertRules ?? "", /http_requests_total\{component="gofleet-test-buildcache"\}/);
      assert.match(alertRules ?? "", /process_resident_memory_bytes\S+ > 1020054732$/m);
      assert.match(dashboard ?? "", /"Go service"/);
      stack.program = program({
        metrics: { listen: ":7070", errorRate: { above: 0.01 } },
        limits: { memory: "1 GiB" },
      });
      const before = await files(stack);
      await stack.up();
      assert.deepEqual(await files(stack), before);
      assert.match(String(JSON.stringify((await stack.outputs())["monitoring"])), /> 0\.01 and/);
    }));

  it("shows a changed variable as one line, also where it became known while it ran", () =>
    start(program({ env: { LOG_LEVEL: output("info") } }), async (stack) => {
      await stack.up();
      assert.match((await files(stack))[`${SETTINGS}/environment`] ?? "", /^LOG_LEVEL="info"$/m);
      stack.program = program({ env: { LOG_LEVEL: "debug" } });
      const text = await stack.previewText();
      assert.match(text, /- *LOG_LEVEL="info"/);
      assert.match(text, /\+ *LOG_LEVEL="debug"/);
    }));

  it("keeps secrets out of everything but the hosts", () =>
    start(program({ secrets: { token: secret("a-token-that-nobody-may-see") } }), async (stack) => {
      await stack.up();
      assert.deepEqual(await stack.leaksOf("a-token-that-nobody-may-see"), []);
    }));

  it("takes no secret for a variable or a file, which everybody can read, and does not show it", () =>
    start(
      program({ env: { TOKEN: secret("hunter2hunter2") }, files: { key: secret("hunter2hunter2") } }),
      async (stack) => {
        const { errors } = await stack.up({ expect: "failure" });
        assert.match(errors.join("\n"), /env: given a secret \(not shown\), wanted a plain value/);
        assert.match(errors.join("\n"), /files\.key: given a secret \(not shown\)/);
        assert.deepEqual(await stack.leaksOf("hunter2hunter2"), []);
      },
    ));

  it("finds what is wrong with a value once it is known", () =>
    refused({ env: { GODEBUG: output("gctracer=1") } }, /env\.GODEBUG.*did you mean "gctrace"/s));

  it("is refused as a whole, with everything that is wrong", () =>
    refused({ exec: ["a b"], limits: { memory: "1 MB" } }, /exec\[0\].*limits\.memory.*"MiB" instead/s));

  it("is shown in the preview of examples/service-with-canary, with its gates and without the token", () => {
    const blob = (data: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, data.length]), data]);
    const key = Buffer.concat([blob(Buffer.from("ssh-ed25519")), blob(Buffer.alloc(32, 7))]).toString("base64");
    const hostKeys = (count: number): string =>
      JSON.stringify(Object.fromEntries(addresses(count).map((address) => [address, `ssh-ed25519 ${key}`])));
    const token = "planted-token-5d1f";
    const config = {
      version: "1.8.2",
      hostKeys: hostKeys(4),
      sha256: JSON.stringify({ "linux-amd64": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }),
      maxEntries: "1000",
      prometheus: "https://prometheus.corp.example",
      prometheusToken: { secret: token },
      alerts: "https://alerts.corp.example/gofleet",
    };
    return withStack(example("service-with-canary"), { env: hosts.env, config }, async (stack) => {
      const text = await stack.previewText();
      assert.match(text, /"error-rate"/);
      assert.match(text, /"?maxEntries"?:? *1000|maxEntries\\":1000/);
      assert.doesNotMatch(text, new RegExp(token));
      for (const count of [1, 3, 7, 12]) {
        await stack.automation.setConfig("hostKeys", { value: hostKeys(count) });
        await stack.preview();
      }
    });
  });
});
