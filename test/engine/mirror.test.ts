import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { output, secret } from "@pulumi/pulumi";
import { GoProxyMirror, GoToolchainHost, local, lock, type GoProxyMirrorArgs } from "../../src/index";
import { TestAuthority, type Issued } from "../support/certificates";
import { withStack, type TestStack } from "../support/engine";
import { FakeHosts, LOCK, pool } from "./pool-program";

const DOMAIN = "goproxy.corp.example";
const PLANTED = "planted-3c1f";

describe("a module mirror in a program", function () {
  this.timeout(600_000);
  let hosts: FakeHosts;
  let folder: string;
  let authority: TestAuthority;
  let leaf: Issued;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "gofleet-mirror-"));
    authority = new TestAuthority(folder);
    leaf = authority.leaf(DOMAIN);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => (hosts = new FakeHosts()));
  afterEach(() => hosts.remove());

  const args = (more: Partial<GoProxyMirrorArgs> = {}): GoProxyMirrorArgs => ({
    target: pool(1),
    domain: DOMAIN,
    tls: { certificate: authority.chain(leaf), key: secret(leaf.key), ca: authority.root.certificate },
    storage: { kind: "disk", path: "/srv/athens", max: "200 GiB" },
    privateModules: ["git.corp.example/*", "github.com/Acme/*"],
    go: lock("1.26.7", LOCK),
    upstream: ["https://modules.corp.example", "direct"],
    ...more,
  });
  const program =
    (more: Partial<GoProxyMirrorArgs> = {}) =>
    async () => {
      const mirror = new GoProxyMirror("goproxy", args(more));
      return { mirror: mirror.ref, goEnv: mirror.goEnv, monitoring: mirror.monitoring };
    };
  const start = (program: Parameters<typeof withStack>[0], body: (stack: TestStack) => Promise<void>) =>
    withStack(program, { env: hosts.env }, body);
  const refused = (more: Record<string, unknown>, says: RegExp) =>
    start(program(more as Partial<GoProxyMirrorArgs>), async (stack) => {
      const { errors } = await stack.preview({ expect: "failure" });
      assert.match(errors.join("\n"), says);
    });
  const files = async (stack: TestStack): Promise<Record<string, string>> =>
    (await stack.resource("goproxy-release"))?.inputs?.["files"] as Record<string, string>;

  it("is one release, the same bytes every time, and gives its clients their settings", () =>
    start(program(), async (stack) => {
      assert.deepEqual((await stack.preview()).changes, { goproxy: "create", "goproxy-release": "create" });
      await stack.up();
      const { goEnv, mirror, monitoring } = await stack.outputs();
      assert.deepEqual(goEnv?.value, {
        GOPROXY: `https://${DOMAIN}`,
        GOPRIVATE: "git.corp.example/*,github.com/Acme/*",
        GONOSUMDB: "git.corp.example/*,github.com/Acme/*",
        GONOPROXY: "none",
      });
      assert.equal((mirror?.value as { ca: string }).ca, authority.root.certificate);
      const { scrapeConfig, alertRules, dashboard } = monitoring?.value as Record<string, string>;
      assert.match(scrapeConfig ?? "", /^ +- 127\.0\.0\.1:9180$/m);
      assert.match(alertRules ?? "", /gofleet_store_usage_ratio\{component="gofleet-test-goproxy"\}/);
      assert.match(dashboard ?? "", /"Go module mirror"/);
      assert.deepEqual((await stack.up()).changes, {});
    }));

  it("needs neither an upstream nor a finished Athens", () =>
    start(program({ upstream: undefined, privateModules: undefined } as Partial<GoProxyMirrorArgs>), async (stack) => {
      await stack.up();
      const { inputs } = (await stack.resource("goproxy-release")) ?? assert.fail("no mirror");
      const { downloads } = inputs?.["plan"] as { downloads: Record<string, { advice?: string }> };
      const [, athens] = Object.entries(downloads).find(([name]) => name.startsWith("athens-")) ?? assert.fail();
      assert.match(JSON.stringify(athens), /goproxy:github\.com\/gomods\/athens@v/);
      assert.match(athens.advice ?? "", /upstream/);
    }));

  it("shows a change of its settings as lines of the files they are in", () =>
    start(program(), async (stack) => {
      await stack.up();
      stack.program = program({ athens: { workers: { fetch: 4 } } });
      const text = await stack.previewText();
      assert.match(text, /- *GoGetWorkers = 10/);
      assert.match(text, /\+ *GoGetWorkers = 4/);
    }));

  it("is used by a toolchain of the same program, which waits for it", () =>
    start(
      async () => {
        const mirror = new GoProxyMirror("goproxy", args());
        new GoToolchainHost("go", { target: pool(1), go: lock("1.26.7", LOCK), mirror });
      },
      async (stack) => {
        await stack.up();
        const { inputs } = (await stack.resource("go-release")) ?? assert.fail("no toolchain");
        const texts = inputs?.["files"] as Record<string, string>;
        assert.match(texts["/etc/gofleet/gofleet-test-go/go.env"] ?? "", /^GOPROXY=https:\/\/goproxy\.corp\.example$/m);
        assert.ok(Object.values(texts).some((text) => text.includes(authority.root.certificate.trim())));
      },
    ));

  it("keeps every secret out of files, previews and the state", () => {
    const secrets = {
      tls: { certificate: authority.chain(leaf), key: secret(leaf.key) },
      access: { users: { ci: secret(`${PLANTED}-password-of-some-length`) } },
      storage: {
        kind: "s3",
        region: "eu-central-1",
        bucket: output("modules"),
        credentials: { kind: "static", accessKeyId: `${PLANTED}-id`, secretAccessKey: secret(`${PLANTED}-key`) },
      },
      athens: { private: { netrc: secret(`machine git.corp.example login ci password ${PLANTED}`) } },
    } as unknown as Partial<GoProxyMirrorArgs>;
    return start(program(secrets), async (stack) => {
      await stack.previewText();
      await stack.up();
      const texts = await files(stack);
      assert.match(texts["/etc/gofleet/gofleet-test-goproxy/athens.toml"] ?? "", /Bucket = "modules"/);
      assert.deepEqual(await stack.leaksOf(PLANTED), []);
      assert.deepEqual(await stack.leaksOf(leaf.key.slice(100, 160)), []);
    });
  });

  it("refuses a certificate that clients would refuse, at preview", async () => {
    const other = authority.leaf("other.corp.example");
    const key = secret(other.key);
    await refused({ tls: { certificate: authority.chain(other), key } }, /tls\.certificate.*goproxy\.corp\.example/);
    await refused({ tls: { certificate: leaf.certificate, key: secret(leaf.key) } }, /tls\.certificate/);
    await refused({ tls: { certificate: authority.chain(leaf), key } }, /tls\.key/);
  });

  describe("with a certificate by ACME", () => {
    const tls = (more: object = {}) => ({
      tls: {
        acme: {
          acceptTerms: true,
          directory: "https://ca.corp.example/acme/acme/directory",
          ca: output(authority.root.certificate),
          ...more,
        },
      } as GoProxyMirrorArgs["tls"],
    });
    const kept = async (stack: TestStack) =>
      ((await stack.resource("goproxy-release"))?.inputs?.["policy"] as { keepData?: string[] }).keepData;

    it("gives its clients the ACME server's CA, and the host no key", () =>
      start(program(tls()), async (stack) => {
        await stack.up();
        const { mirror } = await stack.outputs();
        assert.equal((mirror?.value as { ca: string }).ca, authority.root.certificate);
        const texts = await files(stack);
        const ca = texts["/etc/gofleet/gofleet-test-goproxy/acme-ca.pem"];
        assert.equal(ca, authority.root.certificate);
        assert.ok(texts["/etc/systemd/system/gofleet-gofleet-test-goproxy-acme.timer"]);
        assert.ok(!Object.keys(texts).some((path) => path.endsWith("tls-chain.pem")));
        assert.deepEqual(await kept(stack), ["/srv/athens"]);
        assert.deepEqual((await stack.up()).changes, {});
      }));

    it("leaves account and certificate on the host at destroy if it is told to", () =>
      start(program({ ...tls({ keep: true }), keepStore: false }), async (stack) => {
        await stack.up();
        const [state = "", ...more] = (await kept(stack)) ?? [];
        assert.match(state, /^\/var\/lib\/gofleet-.*-www$/);
        assert.deepEqual(more, []);
      }));

    it("refuses what no certificate can come of, at preview", async () => {
      await refused({ ...tls({ directory: undefined }) }, /domain.*wanted a name of the public DNS/);
      await refused({ ...tls(), target: pool(2) }, /target.*one host where tls\.acme is used/);
      const pair = { certificate: authority.chain(leaf), key: secret(leaf.key) };
      await refused({ tls: { ...tls().tls, ...pair } }, /tls.*only one of/);
    });

    it("refuses a CA that turns out to be none", () =>
      start(program(tls({ ca: output("none") })), async (stack) => {
        const { errors } = await stack.up({ expect: "failure" });
        assert.match(errors.join("\n"), /tls\.acme\.ca.*CA certificates as PEM/);
      }));
  });

  it("refuses what would be silently wrong, all at once", () =>
    refused(
      {
        target: pool(2),
        upstream: ["direct", "https://modules.corp.example"],
        privateModules: ["https://git.corp.example"],
        client: { fallback: [{ to: "https://other.example", on: "any-error" }] },
        athens: { pathPrefix: "/go" },
        store: { readOnlyAt: "50 %" },
        keepStore: "yes",
        domian: "x",
      },
      /upstream\[0\][^]*privateModules\[0\][^]*client\.fallback[^]*storage[^]*athens\.pathPrefix[^]*store[^]*keepStore/,
    ));

  it("refuses a Go that cannot build Athens", () =>
    refused({ go: lock("1.25.10", LOCK) }, /athens.*1\.26\.2|1\.26\.2.*Athens/));

  it("refuses a directory that only stands for a host", () =>
    refused({ target: local({ root: "here" }) }, /target: given "local here", wanted a machine/));

  it("refuses a secret where everybody on the host could read it", () =>
    refused({ athens: { validatorHook: secret("https://hook.corp.example/") } }, /a secret \(not shown\)/));
});
