import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { difference, hosts, unavailable, type Host, type Listing } from "../hosts/support/hosts";
import { TestStack } from "../support/engine";
import { makeProject } from "../support/engine/project";
import { skip } from "../support/skip";
import { CACHES, COMPONENT, job, SandboxSurroundings } from "./support/sandbox-host";

const SLOTS = [1, 2].map((number) => `gofleet-${COMPONENT}@${number}.service`);
const SLICE = "gofleet-gofleet_test_ci.slice";
const MODULES = `${CACHES}/modules`;

/** What stays: the users, locked. */
const KEPT = /^[-+] \/etc\/(passwd|group|shadow|gshadow)-?: /;

/** Builds and tests a module with one dependency, says where its caches are, and leaves something behind. */
const BUILD = `
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
go build -o app .
./app
go test ./...
go env GOCACHE GOMODCACHE GOTMPDIR
echo left >"$HOME/left"; echo left >/tmp/left
`;

/** One stack from its first up to its end: each test goes on from where the one before left it. */
describe("a build sandbox on a real host", function () {
  this.timeout(600_000);
  let around: SandboxSurroundings;
  let host: Host;
  let stack: TestStack;
  let workDir: string;
  let untouched: Listing;

  before(async function () {
    const reason = unavailable();
    if (reason) skip(this, reason);
    around = await SandboxSurroundings.start();
    host = await around.host("builder");
    // Packages stay when the component goes; they are here before, so that everything else can be compared.
    await host.exec("apt-get -qq update && apt-get -qq install --yes --no-install-recommends git >/dev/null");
    untouched = await host.listing();
    workDir = makeProject();
    stack = await TestStack.open(around.program(host), workDir);
  });

  after(async () => {
    if (workDir) rmSync(workDir, { recursive: true, force: true });
    await around?.stop();
    await hosts.stopAll();
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

  it("gives the next job nothing of the one before but its build cache", async () => {
    const script = 'ls -A . "$HOME" /tmp "$GOMODCACHE"; find "$GOCACHE" -name "*-d" | wc -l';
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

  it("takes another limit of the whole without stopping a job", async () => {
    const before = await host.exec(`systemctl show -P MainPID ${SLOTS.join(" ")}`);
    stack.program = around.program(host, { limits: { memory: "3 GiB", cpus: 2, tasks: 2048, cpuWeight: 50 } });
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

  it("goes away without a trace, but for its users", async () => {
    await stack.destroy();
    assert.equal((await host.exec("nft list tables")).trim(), "");
    assert.equal((await host.exec(`findmnt -no TARGET -t tmpfs,overlay | grep -c ${CACHES}/ || true`)).trim(), "0");
    const left = difference(untouched, await host.listing()).filter((line) => !KEPT.test(line));
    assert.deepEqual(left, []);
  });
});
