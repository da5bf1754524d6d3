import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe as describeIssues } from "../../../src/model/issues";
import { checkFront } from "../../../src/model/mirror/front-check";
import { resolveFront } from "../../../src/model/mirror/front-resolve";
import { TestAuthority } from "../../support/certificates";
import { temporaryDirectory } from "../../support/go";
import { program } from "../../support/nginx";
import { skip } from "../../support/skip";

const domain = "goproxy.corp.example";
const tls = { certificateFile: "/etc/ssl/mirror.pem", keyFile: "/etc/ssl/private/mirror.key" } as const;
const tiers = [
  { name: "near", url: "https://goproxy-b.corp.example" },
  { name: "far", url: "https://goproxy-c.corp.example:8443/go" },
];
const good = { domain, tls };

function said(args: unknown, options: Parameters<typeof checkFront>[2] = {}): string {
  return describeIssues(checkFront("", args, options));
}

describe("front args", () => {
  it("need a domain and a certificate, nothing else", () => {
    assert.equal(said(good), "");
    assert.match(said({}), /^domain: missing.*\ntls: missing/);
    assert.match(said("nginx"), /wanted an object/);
  });

  it("are taken in full", () => {
    const all = {
      ...{ domain, tls, addresses: ["192.0.2.1", "2001:db8::1"], port: 8443, statusPort: 9181, nginx: "1.26.3" },
      workers: 4,
      ...{ connections: 16384, limits: { requests: 500, burst: 5000, connections: 100 } },
      log: { requests: "all", file: "/var/log/mirror.log" },
      access: { users: { ci: "k3V9mZpQ7xTfLw2RbN8sHdYc" } },
      sumdb: { databases: ["sum.golang.org"], through: "https://goproxy-b.corp.example" },
      fallback: {
        tiers,
        regions: { asia: { ranges: ["10.8.0.0/16", "2001:db8::/32"], tiers: ["far"] } },
        after: "10 s",
        resolver: ["192.0.2.53"],
      },
      ...{ fresh: "5 min", cache: { size: "10 GiB", keep: "7 d" }, drain: "2 h" },
    };
    assert.equal(said(all), "");
  });

  const wrong: Record<string, [args: object, says: RegExp]> = {
    "a scheme in the domain": [{ domain: "https://goproxy.corp.example" }, /^domain: .*without scheme and port/],
    "upper case in the domain": [{ domain: "Goproxy.corp.example" }, /^domain: .*lower case/],
    "no listen address": [{ addresses: [] }, /^addresses: /],
    "a listen address twice": [{ addresses: ["::", "::"] }, /^addresses\[1\]: .*each once/],
    "a name to listen on": [{ addresses: ["localhost"] }, /^addresses\[0\]: /],
    "a port as text": [{ port: "443" }, /^port: given "443", wanted a whole number from 1 to 65535/],
    "the clients' port for metrics": [
      { port: 8443, statusPort: 8443 },
      /^statusPort: .*another port than the clients'/,
    ],
    "a port for metrics that needs root": [{ statusPort: 80 }, /^statusPort: .*from 1024/],
    "an old nginx": [{ nginx: "1.14" }, /^nginx: .*1\.18 or newer/],
    "too few connections": [{ connections: 768 }, /^connections: given 768, wanted a whole number from 1024/],
    "an unknown log": [{ log: { requests: "some" } }, /^log\.requests: .*one of all, notable, none/],
    "a log in no directory": [{ log: { file: "/access.log" } }, /^log\.file: .*directory for logs/],
    "access for nobody": [{ access: {} }, /^access: missing, wanted users/],
    "a user with a colon": [
      { access: { users: { "a:b": "k3V9mZpQ7xTfLw2RbN8sHdYc" } } },
      /^access\.users: given "a:b"/,
    ],
    "a client CA that is none": [{ access: { clientCa: "x" } }, /^access\.clientCa: missing, wanted CA certificates/],
    "a database by URL": [{ sumdb: { databases: ["https://sum.golang.org"] } }, /^sumdb\.databases\[0\]: /],
    "a database with a path": [{ sumdb: { databases: ["sum.golang.org/x"] } }, /^sumdb\.databases\[0\]: /],
    "no tiers": [{ fallback: { tiers: [] } }, /^fallback\.tiers: /],
    "a tier twice": [{ fallback: { tiers: [tiers[0], tiers[0]] } }, /^fallback\.tiers\[1\]\.name: .*name of its own/],
    "a tier without TLS": [
      { fallback: { tiers: [{ name: "b", url: "http://goproxy-b.corp.example" }] } },
      /tiers\[0\]\.url: .*https URL/,
    ],
    "a tier with a query": [{ fallback: { tiers: [{ name: "b", url: "https://b.example/?x=1" }] } }, /without query/],
    "a region without a tier of that name": [
      { fallback: { tiers, regions: { asia: { ranges: ["10.8.0.0/16"], tiers: ["farr"] } } } },
      /^fallback\.regions\.asia\.tiers\[0\]: given "farr", wanted no such tier; did you mean "far"\?/,
    ],
    "a network in two regions": [
      {
        fallback: {
          tiers,
          regions: { a: { ranges: ["10.0.0.0/8"], tiers: [] }, b: { ranges: ["10.0.0.0/8"], tiers: [] } },
        },
      },
      /^fallback\.regions\.b\.ranges\[0\]: .*one region only/,
    ],
    "a network that is none": [
      { fallback: { tiers, regions: { a: { ranges: ["10.0.0.0/33"], tiers: [] } } } },
      /ranges\[0\]: /,
    ],
    "a name as resolver": [{ fallback: { tiers, resolver: ["dns.example"] } }, /^fallback\.resolver\[0\]: /],
    "a part of a second": [{ fresh: "500 ms" }, /^fresh: .*whole seconds/],
    "a tiny cache": [{ cache: { size: "1 KiB" } }, /^cache\.size: /],
    "a key nobody knows": [{ fresch: "1 s" }, /^fresch: .*did you mean "fresh"/],
    "both kinds of certificate": [
      { tls: { ...tls, certificate: "x", key: "y" } },
      /^tls: missing, wanted \{ certificate, key \}/,
    ],
    "half of a pair of files": [{ tls: { certificateFile: "/etc/a.pem" } }, /^tls\.keyFile: missing/],
    "a relative file": [{ tls: { certificateFile: "a.pem", keyFile: "/b" } }, /^tls\.certificateFile: given "a\.pem"/],
  };
  for (const [name, [args, says]] of Object.entries(wrong)) {
    it(`are refused with ${name}`, () => assert.match(said({ ...good, ...args }), says));
  }

  it("are refused all at once", () => {
    const issues = checkFront("front", { domain: 7, tls: {}, port: 0, fresh: "soon" });
    assert.deepEqual(
      issues.map(({ path }) => path),
      ["front.domain", "front.tls", "front.port", "front.fresh"],
    );
  });

  it("are not looked into where they are unknown", () => {
    const unknown = Symbol("unknown");
    const isUnknown = (value: unknown) => value === unknown;
    assert.equal(said({ domain, tls: { certificate: unknown, key: unknown } }, { isUnknown }), "");
    assert.equal(
      said({ domain, tls: unknown, access: { users: { ci: unknown }, clientCa: unknown } }, { isUnknown }),
      "",
    );
    assert.match(
      said({ domain, tls: { certificate: unknown, key: 7 } }, { isUnknown }),
      /^tls\.key: missing, wanted PEM/,
    );
  });

  it("have their certificate looked at as far as it is known", function () {
    if (program("openssl") === undefined) return skip(this, "there is no openssl");
    const folder = temporaryDirectory();
    const ca = new TestAuthority(join(folder, "ca"));
    const leaf = ca.leaf(domain);
    rmSync(folder, { recursive: true });
    const pair = { certificate: ca.chain(leaf), key: leaf.key };
    assert.equal(said({ domain, tls: pair }, { now: new Date() }), "");
    assert.match(said({ domain: "other.example", tls: pair }), /^tls\.certificate: .*a certificate for other\.example/);
    assert.match(said({ domain, tls: pair }, { now: new Date("2999-01-01") }), /ended/);
    const unknown = { ...pair, key: 7 as unknown };
    const options = { isUnknown: (value: unknown) => value === 7 };
    assert.match(said({ domain: "other.example", tls: unknown }, options), /other\.example/);
  });

  it("show neither keys nor passwords, whatever is wrong with them", () => {
    const secret = "hunter2-hunter2";
    const spots = [
      { tls: { certificate: secret, key: secret } },
      { tls: secret },
      { tls: { ...tls, kye: secret } },
      { tls: { certificate: 7, key: secret } },
      { access: { users: { ci: secret } } },
      { access: { users: secret } },
      { access: { user: { ci: secret } } },
      { access: { users: { ci: [secret] } } },
      { fallback: { tiers: [{ name: "b", url: `https://ci:${secret}@b.example` }] } },
      { sumdb: { through: `https://${secret}@b.example` } },
    ];
    for (const spot of spots) {
      const text = said({ ...good, ...spot });
      assert.notEqual(text, "");
      assert.ok(!text.includes("hunter2"), text);
    }
  });
});

describe("a resolved front", () => {
  it("waits longer than Athens does", () => {
    assert.deepEqual(resolveFront(good).wait, { fetch: 920, list: 320, tier: 60 });
    assert.deepEqual(resolveFront(good, { stashTimeout: 1800, timeout: 600 }).wait, {
      fetch: 1820,
      list: 620,
      tier: 60,
    });
    assert.deepEqual(resolveFront({ ...good, fallback: { tiers, after: "3 s" } }).wait, { fetch: 3, list: 3, tier: 3 });
  });

  it("takes a tier's URL apart", () => {
    assert.deepEqual(resolveFront({ ...good, fallback: { tiers } }).tiers[1], {
      ...{ name: "far", scheme: "https", host: "goproxy-c.corp.example", port: 8443, prefix: "/go" },
    });
  });

  it("knows when nginx learnt `http2 on`", () => {
    const http2 = (nginx?: string) => resolveFront({ ...good, nginx }).http2Directive;
    assert.deepEqual([undefined, "1.18", "1.25.0", "1.25.1", "1.26", "2.0"].map(http2), [
      false,
      false,
      false,
      true,
      true,
      true,
    ]);
  });
});
