import assert from "node:assert/strict";
import { GoServiceUnit, type GoServiceUnitArgs, type WatchArgs } from "../../src/index";
import { stateReleases } from "../hosts/programs";
import { hosts, type Host } from "../hosts/support/hosts";
import { pause } from "../hosts/support/machine";
import { TestStack } from "../support/engine";
import { property, ServiceLab } from "./support/service-lab";

const PORTS = { store: 7071, api: 7072, web: 7073, aside: 7074 } as const;
type Name = keyof typeof PORTS;
const NAMES = Object.keys(PORTS) as Name[];
const unit = (name: Name) => `gofleet-${name}.service`;

/** Services of one host that know each other's versions: when one must go back, so must those that came with it. */
describe("services of a host that go back together", function () {
  this.timeout(240_000);
  let lab: ServiceLab;
  let host: Host;
  let stack: TestStack;

  before(async function () {
    lab = await ServiceLab.start(this);
    host = await hosts.boot("server");
    stack = await TestStack.create(run("v1", "v1"));
  });

  after(async () => {
    stack?.remove();
    await lab?.stop();
  });

  /** One after the other; `aside` is in nobody's group, whatever release it has. */
  const run = (version: string, ofStore: string) => async () => {
    const watch: WatchArgs = { every: "1 s", together: ["store", "web"] };
    const store = service("store", ofStore, { rollback: { watch: { every: "1 s" } } });
    const api = service("api", version, { rollback: { watch } }, store);
    const web = service("web", version, {}, api);
    service("aside", version, {}, web);
  };

  function service(
    name: Name,
    version: string,
    more: Partial<GoServiceUnitArgs> = {},
    after?: GoServiceUnit,
  ): GoServiceUnit {
    const address = `127.0.0.1:${PORTS[name]}` as const;
    const args: GoServiceUnitArgs = {
      ...lab.args(host),
      directory: name,
      release: lab.release(version),
      env: { SERVED_LISTEN: address },
      listen: [address],
      health: { get: `http://${address}/readyz`, within: "20 s" },
      ...more,
    };
    return new GoServiceUnit(name, args, after && { dependsOn: [after] });
  }

  const versions = async (): Promise<Record<string, string>> => {
    const answers = await host.exec(
      NAMES.map(
        (name) => `curl --silent --show-error --fail --max-time 5 http://127.0.0.1:${PORTS[name]}/version`,
      ).join(" && "),
    );
    const each = answers.trim().split("\n");
    return Object.fromEntries(NAMES.map((name, index) => [name, each[index]?.trim() ?? ""]));
  };

  /** As a panic of Go's runtime, told from outside: the stacks of all goroutines, and exit code 2. */
  async function panics(name: Name): Promise<string> {
    await host.exec(`systemctl kill --kill-whom=main --signal=ABRT ${unit(name)}`);
    const ended = `ls /var/lib/gofleet/${name}/runs/*-watch/exit 2>/dev/null || true`;
    for (let turn = 0; turn < 600; turn++) {
      const found = (await host.exec(ended)).trim();
      if (found !== "") return found.replace(/\/exit$/, "");
      await pause(200);
    }
    throw new Error(`${name} was not taken back:\n${await host.exec(`cat /var/lib/gofleet/${name}/findings; true`)}`);
  }

  it("take the release before in the opposite order when one of them must, and leave the others alone", async () => {
    await stack.up();
    stack.program = run("v2", "v2");
    await stack.up();
    assert.deepEqual(await versions(), { store: "v2", api: "v2", web: "v2", aside: "v2" });
    const aside = await property(host, "MainPID", unit("aside"));

    const back = await panics("api");
    assert.deepEqual(await versions(), { store: "v1", api: "v1", web: "v1", aside: "v2" });
    assert.equal(await property(host, "MainPID", unit("aside")), aside, "it was restarted");
    const events = (await host.exec(`cat ${back}/log`)).trim().split("\n");
    const order = events
      .map((line) => JSON.parse(line) as Record<string, string>)
      .flatMap(({ ev, component = "" }) => (ev === "reverting" ? [component] : []));
    assert.deepEqual(order, ["web", "api", "store"]);
    const started = (name: Name) => property(host, "ExecMainStartTimestampMonotonic", unit(name)).then(Number);
    assert.ok((await started("web")) < (await started("api")), "web before api");
    assert.ok((await started("api")) < (await started("store")), "api before store");
    assert.match(await host.exec("cat /var/lib/gofleet/api/decision"), /^cause .*exit code 2/m);
    for (const name of ["store", "web"]) {
      assert.match(
        await host.exec(`cat /var/lib/gofleet/${name}/decision`),
        /^cause together with api: .*exit code 2/m,
      );
    }
  });

  it("are reported by the next refresh, each with its reason, and the fixed release goes through", async () => {
    const refreshed = await stack.refresh();
    const told = refreshed.diagnostics.map(({ message }) => message).join("\n");
    assert.match(told, /went back by itself at .*: gofleet-api\.service ended with exit code 2/);
    assert.match(told, /went back by itself at .*: together with api: gofleet-api\.service ended with exit code 2/);
    const current = async (name: Name) => (await host.exec(`readlink /etc/gofleet/${name}/current`)).trim();
    for (const name of NAMES) {
      const [inState] = Object.values(await stateReleases(stack, `${name}-release`));
      assert.equal(`releases/${inState}`, await current(name));
    }
    const { changes } = await stack.preview();
    assert.deepEqual(Object.keys(changes), ["api-release", "store-release", "web-release"]);

    stack.program = run("v3", "v3");
    await stack.up();
    assert.deepEqual(await versions(), { store: "v3", api: "v3", web: "v3", aside: "v3" });
    assert.deepEqual((await stack.preview()).changes, {});
  });

  it("go back without one that took no release lately", async () => {
    // Ten minutes later.
    await host.exec(
      "cd /var/lib/gofleet/store/watching && sed -i 's/^left .*/left 0/' state && " +
        "for i in $(seq 600); do [ -d /var/lib/gofleet/store/watching ] || exit 0; sleep 0.1; done; exit 1",
      { timeout: 70_000 },
    );
    stack.program = run("v4", "v3");
    await stack.up();
    const store = await property(host, "MainPID", unit("store"));
    await host.exec("rm -rf /var/lib/gofleet/api/runs/*-watch");
    await panics("api");
    assert.deepEqual(await versions(), { store: "v3", api: "v3", web: "v3", aside: "v4" });
    assert.equal(await property(host, "MainPID", unit("store")), store, "it was restarted");
    await stack.up({ refresh: true });
    assert.deepEqual(await versions(), { store: "v3", api: "v4", web: "v4", aside: "v4" });
  });
});
