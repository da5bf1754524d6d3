import assert from "node:assert/strict";
import { GoProxyMirror, GoToolchainHost, type GoProxyMirrorArgs } from "../../src/index";
import { release, said, target } from "../hosts/programs";
import { difference, type Host, type Listing } from "../hosts/support/hosts";
import { TestStack } from "../support/engine";
import { DOMAIN, STORE, Surroundings } from "./support/mirror-host";

const COMPONENT = "gofleet-test-goproxy";
const ATHENS = `gofleet-${COMPONENT}-athens`;
const NGINX = `gofleet-${COMPONENT}-nginx`;

/** What stays: the users (locked), and the modules. */
const KEPT = new RegExp(`^[-+] (/etc/(passwd|group|shadow|gshadow)-?|${STORE}(/.*)?): `);

/** One stack from its first up to its end: each test goes on from where the one before left it. */
describe("a module mirror on a real host", function () {
  this.timeout(600_000);
  let around: Surroundings;
  let server: Host;
  let client: Host;
  let stack: TestStack;
  let untouched: Listing;

  const both =
    (more: Parameters<Surroundings["args"]>[1] = {}) =>
    async () => {
      const mirror = new GoProxyMirror("goproxy", around.args(server, more));
      const go = new GoToolchainHost("go", {
        target: target(client),
        go: release("1.26.7"),
        source: { kind: "module", proxy: around.upstream.url },
        mirror,
      });
      return { goEnv: mirror.goEnv, origin: mirror.origin, goVersion: go.goVersion };
    };
  const status = async (path: string, options = ""): Promise<string> =>
    (await client.exec(`curl -s -o /dev/null -w '%{http_code}' ${options} 'https://${DOMAIN}${path}'`)).trim();

  before(async function () {
    around = await Surroundings.start(this);
    server = await around.host("mirror");
    client = await around.host("builder", server);
    await server.exec("apt-get -qq update && apt-get -qq install --yes --no-install-recommends git nginx >/dev/null");
    await server.exec("systemctl disable --now nginx");
    untouched = await server.listing();
    stack = await TestStack.create(both());
  });

  after(async () => {
    stack?.remove();
    await around?.stop();
  });

  it("comes on, and its client with it", async () => {
    await stack.up();
    const { goEnv, origin } = await stack.outputs();
    assert.equal(origin?.value, `https://${DOMAIN}`);
    assert.deepEqual(goEnv?.value, { GOPROXY: `https://${DOMAIN}` });
    assert.equal((await server.exec(`systemctl is-active ${ATHENS} ${NGINX}`)).trim(), "active\nactive");
    assert.equal((await client.exec("go env GOPROXY")).trim(), `https://${DOMAIN}`);
    assert.deepEqual((await stack.up()).changes, {});
  });

  it("gives a client modules that the checksum database confirms", async () => {
    const printed = await client.exec(
      `mkdir -p /tmp/app && cd /tmp/app && cat >go.mod <<'EOF'
module example.com/app
go 1.26
require golang.org/x/text v0.14.0
EOF
printf 'package main\\nimport "golang.org/x/text/language"\\nfunc main() { println(language.English.String()) }\\n' >main.go
go mod tidy 2>&1 && go build -o app . && ./app 2>&1`,
    );
    assert.match(printed, /en\n$/);
    await server.exec(`test -f ${STORE}/golang.org/x/text/v0.14.0/source.zip`);
    assert.equal(await status("/golang.org/x/text/@v/v0.14.0.zip"), "200");
    for (const closed of ["/catalog", "/index", "/metrics", "/readyz"]) {
      assert.match(await status(closed), /^40[34]$/, closed);
    }
  });

  it("serves what it has while Athens is dead", async () => {
    await server.exec(`systemctl stop ${ATHENS}`);
    for (const file of ["info", "mod", "zip"]) {
      assert.equal(await status(`/golang.org/x/text/@v/v0.14.0.${file}`), "200", file);
    }
    assert.equal(await status("/golang.org/x/sys/@v/v0.14.0.mod"), "502");
    await server.exec(`systemctl start ${ATHENS}`);
    assert.equal(await status("/golang.org/x/sys/@v/v0.14.0.mod"), "200");
  });

  it("has another mirror beside it, on ports of its own", async () => {
    const other = (ports: Partial<GoProxyMirrorArgs>) => async () => {
      const storage = { kind: "disk", path: "/srv/other", max: "1 GiB" } as const;
      new GoProxyMirror("other", around.args(server, { storage, ...ports }));
      return both()();
    };
    stack.program = other({ port: 8443 });
    const taken = said(await stack.up({ expect: "failure" }));
    assert.match(taken, /9180.*gofleet-gofleet-test-goproxy-nginx/s);
    stack.program = other({ port: 8443, statusPort: 9181 });
    await stack.up();
    for (const port of [9180, 9181]) {
      assert.match(await server.exec(`curl -sf http://127.0.0.1:${port}/metrics/store`), /^# HELP/);
    }
    stack.program = both();
    await stack.up();
    await server.exec("rm -r /srv/other");
  });

  it("goes away without a trace, but for its users and modules", async () => {
    await stack.destroy();
    const left = difference(untouched, await server.listing()).filter((line) => !KEPT.test(line));
    assert.deepEqual(left, []);
    await server.exec(`test -f ${STORE}/golang.org/x/text/v0.14.0/source.zip`);
  });
});
