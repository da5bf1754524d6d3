import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CustomResource, secret, type Output } from "@pulumi/pulumi";
import { GoProxyMirror, lock, type GoProxyMirrorArgs } from "../../src/index";
import { TestAuthority } from "../support/certificates";
import { withStack, type TestStack } from "../support/engine";
import { FakeHosts, LOCK, pool } from "./pool-program";

const DOMAIN = "goproxy.corp.example";
const PLANTED = "planted-7d02";

/** A provider whose output is not known before its resource is made: a password out of some vault. */
const VAULT = `exports.handler=()=>({
  async diff(id, olds, news) { return { changes: olds.held !== news.held }; },
  async create({ held }) { return { id: "password", outs: { held, password: held } }; },
  async update(id, olds, { held }) { return { outs: { held, password: held } }; },
  async delete() {},
})`;

class Password extends CustomResource {
  declare readonly password: Output<string>;
  constructor(held: string) {
    const props = { __provider: VAULT, held: secret(held), password: undefined };
    super("pulumi-nodejs:test:Password", "vault", props, { additionalSecretOutputs: ["held", "password"] });
  }
}

describe("secrets of a module mirror that become known later", function () {
  this.timeout(600_000);
  let hosts: FakeHosts;
  let folder: string;
  let base: GoProxyMirrorArgs;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "gofleet-mirror-"));
    const authority = new TestAuthority(folder);
    const leaf = authority.leaf(DOMAIN);
    base = {
      target: pool(1),
      domain: DOMAIN,
      tls: { certificate: authority.chain(leaf), key: secret(leaf.key), ca: authority.root.certificate },
      storage: { kind: "disk", path: "/srv/athens", max: "200 GiB" },
      go: lock("1.26.7", LOCK),
      upstream: ["https://modules.corp.example"],
    };
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => (hosts = new FakeHosts()));
  afterEach(() => hosts.remove());

  const start = (more: () => Partial<GoProxyMirrorArgs>, body: (stack: TestStack) => Promise<void>) =>
    withStack(async () => void new GoProxyMirror("goproxy", { ...base, ...more() }), { env: hosts.env }, body);
  const s3 = (secretAccessKey: Output<string>): GoProxyMirrorArgs["storage"] => ({
    kind: "s3",
    region: "eu-central-1",
    bucket: "modules",
    credentials: { kind: "static", accessKeyId: secret("id"), secretAccessKey },
  });

  const wrong: Record<string, [more: () => Partial<GoProxyMirrorArgs>, says: RegExp]> = {
    "a password": [
      () => ({ access: { users: { ci: secret(PLANTED) } } }),
      /access\.users\.ci: .*24 or more random printable ASCII characters/,
    ],
    "a netrc": [() => ({ athens: { private: { netrc: secret(`${PLANTED}\0`) } } }), /athens\.private\.netrc: .*text/],
    "a token": [
      () => ({ athens: { private: { githubToken: secret(`${PLANTED} ${PLANTED}`) } } }),
      /athens\.private\.githubToken: .*a token, as one word/,
    ],
    "an SSH key": [
      () => ({
        athens: { private: { ssh: { key: secret(PLANTED), knownHosts: "git.corp.example ssh-ed25519 AAAA" } } },
      }),
      /athens\.private\.ssh\.key: .*OpenSSH private key/,
    ],
    "a proxy's URL": [
      () => ({ athens: { egress: { proxy: secret(`ftp://${PLANTED}@proxy.corp.example`) } } }),
      /athens\.egress\.proxy: .*a URL/,
    ],
    "a credential of the storage": [
      () => ({
        storage: s3(secret(`${PLANTED}\n`)),
        athens: { singleFlight: { kind: "etcd", endpoints: ["etcd:2379"] } },
      }),
      /storage\.credentials\.secretAccessKey: .*one line/,
    ],
    "a CA of clients": [() => ({ access: { clientCa: secret(PLANTED) } }), /access\.clientCa: .*PEM/],
  };
  for (const [name, [more, says]] of Object.entries(wrong)) {
    it(`are refused at preview where they are known by then, and not shown: ${name}`, () =>
      start(more, async (stack) => {
        const { errors } = await stack.preview({ expect: "failure" });
        const said = errors.join("\n");
        assert.match(said, says);
        assert.ok(!said.includes(PLANTED), said);
        assert.equal(said.match(new RegExp(says.source.split(":")[0] ?? "", "g"))?.length, 1, said);
      }));
  }

  it("are refused in the update before any host is touched, and pass once they are good", () => {
    let held = PLANTED;
    return start(
      () => ({ access: { users: { ci: new Password(held).password } } }),
      async (stack) => {
        await stack.preview();
        const said = (await stack.up({ expect: "failure" })).errors.join("\n");
        assert.match(said, /access\.users\.ci: .*24 or more random/);
        assert.ok(!said.includes(PLANTED), said);
        assert.deepEqual(await stack.leaksOf(PLANTED), []);
        assert.deepEqual(hosts.releases(["10.0.0.1"], "gofleet-test-goproxy"), [""]);
        held = "k3V9mZpQ7xTfLw2RbN8sHdYc";
        await stack.up();
        assert.notDeepEqual(hosts.releases(["10.0.0.1"], "gofleet-test-goproxy"), [""]);
      },
    );
  });

  it("may begin as what gofleet itself says of a refused value", () =>
    start(
      () => ({ athens: { private: { netrc: secret(`gofleet refuses ${PLANTED}`) } } }),
      async (stack) => void (await stack.preview()),
    ));
});
