import assert from "node:assert/strict";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { GoProxyMirror, GoToolchainHost } from "../../src/index";
import { hostRelease, release, said, target } from "../hosts/programs";
import { hosts, type Host } from "../hosts/support/hosts";
import { TestStack } from "../support/engine";
import { GitServer, LOGIN } from "./support/git-server";
import { DOMAIN, STORE, Surroundings } from "./support/mirror-host";

const COMPONENT = "gofleet-test-goproxy";
const ATHENS = `gofleet-${COMPONENT}-athens`;
const APP = join(__dirname, "app");
const SUMS = readFileSync(join(APP, "go.sum"), "utf8");
const GIT = "git.test.example";
const SECRET = `${GIT}/team/secret.git`;

/** A client that has nothing but the mirror: a whole application, its toolchain, and a private module. */
describe("a fleet behind a module mirror, on real hosts", function () {
  this.timeout(900_000);
  let around: Surroundings;
  let git: GitServer;
  let server: Host;
  let client: Host;
  let stack: TestStack;

  /** @param edit changes nginx's configuration on its way to the host */
  const program = (edit?: (config: string) => string) => async () => {
    const mirror = new GoProxyMirror(
      "goproxy",
      around.args(server, {
        // Not `/*`: the go command asks for every prefix of a module's path, the host's name too.
        privateModules: [GIT],
        athens: { private: { netrc: `machine ${GIT} login ${LOGIN.user} password ${LOGIN.password}\n` } },
      }),
      edit === undefined ? {} : { transforms: [edited(edit)] },
    );
    const go = new GoToolchainHost(
      "go",
      {
        target: target(client),
        go: release("1.26.7"),
        source: { kind: "module", proxy: `https://${DOMAIN}` },
        mirror,
      },
      { dependsOn: [mirror] },
    );
    return { goEnv: mirror.goEnv, goVersion: go.goVersion };
  };
  const onClient = (command: string) => client.exec(`cd /opt/app && ${command}`, { timeout: 600_000 });
  const sumsOfClient = () => readFileSync(join(client.rootDir, "opt/app/go.sum"), "utf8");

  before(async function () {
    around = await Surroundings.start(this);
    const { certificate, key } = around.authority.leaf(GIT);
    const address = await hosts.operatorAddress();
    git = await GitServer.start(address, { cert: around.authority.chain({ name: GIT, certificate, key }), key });
    git.module("team/secret.git", SECRET, "v1.2.3");
    server = await around.host("mirror");
    client = await around.host("builder", server);
    await server.exec(`echo '${address} ${GIT}' >>/etc/hosts`);
    cpSync(APP, join(client.rootDir, "opt/app"), { recursive: true });
    stack = await TestStack.create(program());
    await stack.up();
  });

  after(async () => {
    stack?.remove();
    await git?.stop();
    await around?.stop();
  });

  it("brings the client its toolchain", async () => {
    assert.equal((await stack.outputs())["goVersion"]?.value, "go1.26.7");
    assert.match(await client.exec("go version"), /go1\.26\.7/);
    assert.ok(around.upstream.requests.some((path) => path.includes("/toolchain/@v/")));
  });

  it("builds an application of more than 150 modules from a cold mirror, confirmed by the checksum database", async () => {
    await onClient("! getent hosts sum.golang.org && rm go.sum && go mod tidy");
    assert.equal(sumsOfClient(), SUMS);
    const zips = SUMS.trim()
      .split("\n")
      .filter((line) => !line.includes("/go.mod "));
    assert.ok(zips.length >= 150, `${zips.length} modules`);
    assert.ok(around.upstream.requests.some((path) => path.startsWith("/sumdb/sum.golang.org/lookup/")));
    assert.match(await onClient("go build -o app . && ./app"), /language: en/);
  });

  it("does so again from the store alone, with Athens down", async () => {
    await server.exec(`systemctl stop ${ATHENS}`);
    try {
      const asked = around.upstream.requests.length;
      await onClient("go clean -modcache && go mod download && go mod verify && go build -o app .");
      assert.deepEqual(around.upstream.requests.slice(asked), []);
    } finally {
      await server.exec(`systemctl start ${ATHENS}`);
    }
  });

  it("gives out a private module, whose name nobody upstream hears", async () => {
    const text = `package main\nimport secret "${SECRET}"\nfunc main() { println(secret.Word) }\n`;
    const found = await client.exec(
      `mkdir /opt/own && cd /opt/own && cat >main.go && go mod init example.com/own 2>/dev/null && go get ${SECRET}@v1.2.3 2>/dev/null && go run . 2>&1`,
      { input: text },
    );
    assert.equal(found, "42\n");
    await server.exec(`test -f ${STORE}/${SECRET}/v1.2.3/source.zip`);
    assert.match(await client.exec("go env GONOSUMDB"), new RegExp(GIT));
    // A client without the settings that the mirror gives asks for the sum; it is refused, and nothing goes out.
    const careless = await client.run(`cd /opt/own && rm go.sum && GONOSUMDB=none GOPRIVATE=none go mod download 2>&1`);
    assert.notEqual(careless.code, 0);
    assert.match(careless.stdout, /403/);
    assert.deepEqual(
      around.upstream.requests.filter((path) => path.includes(GIT) || path.includes("secret")),
      [],
    );
  });

  it("takes back a release whose nginx would let a private name out", async () => {
    const before = await hostRelease(server, COMPONENT);
    stack.program = program((config) =>
      config
        .replaceAll(/if \(\$gomod_private\) \{\s*return 403;\s*\}/g, "")
        // Another configuration has another digest.
        .replace(/(add_header X-Gomod-Config) "[0-9a-f]+"/, '$1 "feed"'),
    );
    const failed = await stack.up({ expect: "failure" });
    assert.match(said(failed), /a private name gets out: \/sumdb\/sum\.golang\.org\/lookup\/git\.test\.example/);
    assert.equal(await hostRelease(server, COMPONENT), before);
    const status = `curl -s -o /dev/null -w '%{http_code}' https://${DOMAIN}/sumdb/sum.golang.org/lookup/${SECRET}@v1.2.3`;
    assert.equal(await client.exec(status), "403");
    stack.program = program();
    await stack.up();
    assert.deepEqual((await stack.up()).changes, {});
  });
});

/** Changes the text of nginx.conf in the release that the program asks for. */
function edited(edit: (config: string) => string): pulumi.ResourceTransform {
  return ({ type, props, opts }) => {
    if (!type.endsWith("HostRelease")) return undefined;
    const files = pulumi
      .output(props["files"] as Record<string, string>)
      .apply((texts) =>
        Object.fromEntries(
          Object.entries(texts).map(([path, text]) => [path, path.endsWith("/nginx.conf") ? edit(text) : text]),
        ),
      );
    return { props: { ...props, files }, opts };
  };
}
