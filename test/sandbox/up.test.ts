import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { difference, hosts, type Host, type Listing } from "../hosts/support/hosts";
import { TestStack } from "../support/engine";
import { PLANTED_TOKEN } from "../support/agents";
import { temporaryDirectory } from "../support/go";
import { until } from "../support/until";
import { GithubSurroundings } from "./support/github-runner";
import { CACHES, COMPONENT, job, PROXY_NAME, SandboxSurroundings } from "./support/sandbox-host";

const SLOTS = [1, 2].map((number) => `gofleet-${COMPONENT}@${number}.service`);
const SLICE = "gofleet-gofleet_test_ci.slice";
const MODULES = `${CACHES}/modules`;

/** What stays: the users, locked. */
const KEPT = /^[-+] \/etc\/(passwd|group|shadow|gshadow)-?: /;

/** A module with one dependency. */
const MODULE = `
cat >go.mod <<'EOF'
module example.com/app
go 1.26
require golang.org/x/text v0.14.0
EOF
cat >main.go <<'EOF'
package main
import "golang.org/x/text/language"
func main() { println(language.English.String()) }
EOF
cat >main_test.go <<'EOF'
package main
import ("net"; "testing")
func TestListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil { t.Fatal(err) }
	go net.Dial("tcp", l.Addr().String())
	if _, err := l.Accept(); err != nil { t.Fatal(err) }
}
EOF
go mod tidy
`;

/** Builds and tests it, says where its caches are, and leaves something behind. */
const BUILD = `${MODULE}
go build -o app .
./app
go test ./...
go env GOCACHE GOMODCACHE GOTMPDIR
echo left >"$HOME/left"; echo left >/tmp/left; echo left >/dev/shm/left
`;

/** One stack from its first up to its end: each test goes on from where the one before left it. */
describe("a build sandbox on a real host", function () {
  this.timeout(600_000);
  let around: SandboxSurroundings;
  let host: Host;
  let stack: TestStack;
  let folder: string;
  let forge: GithubSurroundings;
  let untouched: Listing;

  before(async function () {
    around = await SandboxSurroundings.start(this);
    host = await around.host("builder");
    // Packages stay when the component goes; they are here before, so that everything else can be compared.
    await host.exec("apt-get -qq update && apt-get -qq install --yes --no-install-recommends git >/dev/null");
    folder = temporaryDirectory();
    forge = await GithubSurroundings.start(await hosts.operatorAddress(), PLANTED_TOKEN, folder);
    await host.exec("cat >/etc/ssl/certs/test-forge.pem", { input: forge.github.ca });
    untouched = await host.listing();
    stack = await TestStack.create(around.program(host));
  });

  after(async () => {
    stack?.remove();
    if (folder) rmSync(folder, { recursive: true, force: true });
    await forge?.stop();
    await around?.stop();
  });

  it("comes on: slots with their agents, caches in memory, and a low exposure", async () => {
    await stack.up();
    const { units, caches, exposure } = await stack.outputs();
    assert.deepEqual(units?.value, SLOTS);
    assert.ok(Number(exposure?.value) <= 1.5, `exposure ${String(exposure?.value)}`);
    assert.equal((await host.exec(`systemctl is-active ${SLOTS.join(" ")}`)).trim(), "active\nactive");
    for (const [index, cache] of (caches?.value as string[]).entries()) {
      const facts = await host.exec(`findmnt -no FSTYPE,OPTIONS ${cache}; stat -c '%U %a' ${cache}`);
      assert.match(facts, /^tmpfs +rw,nosuid,nodev,noatime,size=524288k,mode=700/);
      assert.match(facts, new RegExp(`^gofleet-${COMPONENT}-${index + 1} 700$`, "m"));
    }
    assert.deepEqual((await stack.up()).changes, {});
  });

  it("has no unit that failed, and tells its metrics", async () => {
    const metrics = `/var/lib/gofleet-${COMPONENT}/metrics.prom`;
    await host.exec(
      `for i in $(seq 900); do grep -q egress_last_run ${metrics} && grep -q watch_last_run ${metrics} && exit 0; sleep 0.1; done
       journalctl -q -n 40 -u 'gofleet-${COMPONENT}-*' >&2; exit 1`,
    );
    assert.equal((await host.exec("systemctl list-units --failed --no-legend 'gofleet-*'")).trim(), "");
    const lines = (await host.exec(`grep -v '^#' ${metrics}`)).trim().split("\n");
    for (const line of lines) assert.match(line, new RegExp(`\\{component="${COMPONENT}"[,}]`));
  });

  it("runs a job in each slot at once, with caches of its own", async () => {
    const [first, second] = await Promise.all([job(host, 1, BUILD), job(host, 2, BUILD)]);
    for (const [index, { output, status }] of [first, second].entries()) {
      assert.equal(status, 0, output);
      assert.match(output, /^en$/m);
      assert.match(output, /^ok\s+example\.com\/app/m);
      assert.match(output, new RegExp(`^${CACHES}/slots/${index + 1}/build$`, "m"));
    }
  });

  it("has jobs look names up where it is told, whatever the host's own resolver is", async () => {
    const { address, asked } = around.names;
    const { output, status } = await job(
      host,
      1,
      `getent hosts ${PROXY_NAME}; grep -v '^#' /etc/resolv.conf; ls /run/dbus`,
    );
    assert.match(output, new RegExp(`^${address} +${PROXY_NAME}$`, "m"));
    assert.match(output, new RegExp(`^nameserver ${address}$`, "m"));
    assert.doesNotMatch(output, /127\.0\.0\.53|system_bus_socket/);
    assert.notEqual(status, 0, "a job can reach the message bus");
    assert.deepEqual([...new Set(asked)], [PROXY_NAME]);
    assert.match(await host.exec("cat /etc/resolv.conf"), /127\.0\.0\.53/);
  });

  it("gives the next job nothing of the one before but its build cache", async () => {
    const script = 'ls -A . "$HOME" /tmp /dev/shm "$GOMODCACHE"; find "$GOCACHE" -name "*-d" | wc -l';
    const { output, status } = await job(host, 1, script);
    assert.equal(status, 0, output);
    assert.doesNotMatch(output, /left|app|go\.mod/);
    assert.match(output, /^\d{3,}$/m);
  });

  it("fetches the modules of jobs for all of them, as a user that runs no job", async () => {
    await host.exec(
      `for i in $(seq 900); do [ ! -e ${MODULES}/golang.org/x/text@v0.14.0/go.mod ] || exit 0; sleep 0.1; done
       journalctl -q -u 'gofleet-${COMPONENT}-modules*' >&2; exit 1`,
      { timeout: 120_000 },
    );
    assert.equal((await host.exec(`stat -c %U ${MODULES}/golang.org`)).trim(), `gofleet-${COMPONENT}-mod`);
    const requests = around.upstream.requests.length;
    const { output, status } = await job(host, 2, `${BUILD}\n! touch ${MODULES}/mine`);
    assert.equal(status, 0, output);
    const fetched = around.upstream.requests.slice(requests).filter((path) => path.endsWith(".zip"));
    assert.deepEqual(fetched, []);
  });

  it("has checks for a job to run before it builds", async () => {
    const script = `${MODULE}
gofleet-sandbox check all -json || echo "exit status $?"
go mod edit -replace golang.org/x/text=../text
gofleet-sandbox check replace || echo "exit status $?"`;
    const { output, status } = await job(host, 1, script);
    assert.equal(status, 0, output);
    const { checks } = JSON.parse(/^\{$[^]*?^\}$/m.exec(output)?.[0] ?? "{}") as {
      checks: { name: string; status: string }[];
    };
    const others = checks.filter(({ status }) => status !== "pass").map(({ name, status }) => `${name}: ${status}`);
    assert.deepEqual(others, ["govulncheck: not-run"], output);
    assert.ok(checks.length > 1);
    assert.match(
      output,
      /^exit status 3$[^]*golang\.org\/x\/text is replaced by the local path \.\.\/text[^]*^exit status 1$/m,
    );
  });

  it("takes another limit of the whole without stopping a job", async () => {
    const before = await host.exec(`systemctl show -P MainPID ${SLOTS.join(" ")}`);
    stack.program = around.program(host, {
      limits: { memory: "3 GiB", cpus: 2, tasks: 2048, cpuWeight: 50 },
    });
    await stack.up();
    assert.equal((await host.exec(`systemctl show -P CPUWeight ${SLICE}`)).trim(), "50");
    assert.equal(await host.exec(`systemctl show -P MainPID ${SLOTS.join(" ")}`), before);
    assert.deepEqual((await stack.up()).changes, {});
  });

  it("loses a slot, with everything that was its own", async () => {
    stack.program = around.program(host, { slots: 1 });
    await stack.up();
    assert.equal((await host.exec(`systemctl is-active ${SLOTS.join(" ")} || true`)).trim(), "active\ninactive");
    assert.equal((await host.exec("findmnt -no TARGET -t tmpfs,overlay | grep -c slots/2 || true")).trim(), "0");
  });

  it("takes runners of a forge for its agents: those of a slot that goes are unknown, and all when it is destroyed", async () => {
    const { runners } = forge.github;
    const slots = async (count: number) => {
      const { hostname, port } = new URL(forge.github.url);
      const { network } = around.args(host);
      const allow = [...(network?.allow ?? []), { host: hostname, ports: [Number(port)] }];
      stack.program = around.program(host, { agent: forge.agent, slots: count, network: { ...network, allow } });
      await stack.up();
      await until(() => runners.size === count);
      assert.deepEqual(
        [1, 2].filter((slot) => forge.github.of(slot) !== undefined),
        [1, 2].slice(0, count),
      );
    };
    await slots(2);
    await slots(1);
    await stack.destroy();
    assert.equal(runners.size, 0);
  });

  it("goes away without a trace, but for its users", async () => {
    assert.equal((await host.exec("nft list tables")).trim(), "");
    assert.equal((await host.exec(`findmnt -no TARGET -t tmpfs,overlay | grep -c ${CACHES}/ || true`)).trim(), "0");
    const left = difference(untouched, await host.listing()).filter((line) => !KEPT.test(line));
    assert.deepEqual(left, []);
  });
});
