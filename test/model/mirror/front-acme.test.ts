import assert from "node:assert/strict";
import { describe as describeIssues } from "../../../src/model/issues";
import { checkFront } from "../../../src/model/mirror/front-check";
import { resolveFront } from "../../../src/model/mirror/front-resolve";

const acme = { acceptTerms: true } as const;
const PEM = "-----BEGIN CERTIFICATE-----\n";
const directory = "https://ca.corp.example/acme/acme/directory";
const good = { domain: "goproxy.example.org", tls: { acme } };

function said(args: object, options: Parameters<typeof checkFront>[2] = {}): string {
  return describeIssues(checkFront("", { ...good, ...args }, options));
}

const saidOf = (more: object) => said({ tls: { acme: { ...acme, ...more } } });

describe("a front's ACME args", () => {
  it("need the terms accepted, nothing else", () => {
    assert.equal(said({}), "");
    assert.match(said({ tls: { acme: {} } }), /^tls\.acme\.acceptTerms: missing, wanted true, once you have read/);
    assert.match(
      said({ tls: { acme: true } }),
      /^tls\.acme: missing, wanted an object such as \{ acceptTerms: true \}$/,
    );
  });

  it("are taken in full", () => {
    const all = {
      directory,
      email: "fleet+go@corp.example",
      challenge: "http-01",
      ca: PEM,
      keyType: "rsa",
      keep: true,
    };
    assert.equal(saidOf(all), "");
    assert.equal(said({ port: 8443, tls: { acme: { ...acme, ...all } } }), "");
  });

  const wrong: Record<string, [args: object, says: RegExp]> = {
    "terms that are not accepted": [{ acceptTerms: false }, /^tls\.acme\.acceptTerms: given false, wanted true/],
    "a directory without TLS": [
      { directory: "http://ca.corp.example/directory" },
      /^tls\.acme\.directory: given "http:.*wanted the https URL of an ACME directory/,
    ],
    "a directory on loopback without TLS": [
      { directory: "http://127.0.0.1/dir" },
      /^tls\.acme\.directory: given "http/,
    ],
    "a directory that is no URL": [{ directory: "letsencrypt" }, /^tls\.acme\.directory: given "letsencrypt"/],
    "two addresses": [{ email: "a@corp.example,b@corp.example" }, /^tls\.acme\.email: given .*one address/],
    "another challenge": [
      { challenge: "dns-01" },
      /^tls\.acme\.challenge: given "dns-01", wanted nothing or "http-01"/,
    ],
    "a CA that is none": [{ ca: "x" }, /^tls\.acme\.ca: missing, wanted .*CA certificates as PEM/],
    "an unknown type of key": [
      { keyType: "ed25519" },
      /^tls\.acme\.keyType: given "ed25519", wanted .*"ecdsa" or "rsa"/,
    ],
    "keep as text": [{ keep: "yes" }, /^tls\.acme\.keep: given "yes", wanted true or false/],
    "a key nobody knows": [{ mail: "a@corp.example" }, /^tls\.acme\.mail: .*"email"/],
  };
  for (const [name, [more, says]] of Object.entries(wrong)) {
    it(`are refused with ${name}`, () => assert.match(saidOf(more), says));
  }

  it("exclude every other source of a certificate", () => {
    for (const other of [{ certificate: PEM, key: "k" }, { key: "k" }, { certificateFile: "/a", keyFile: "/b" }]) {
      const text = said({ tls: { acme, ...other } });
      assert.match(text, /^tls: given \["acme",".*\], wanted only one of \{ certificate, key \} as PEM/);
      assert.ok(!text.includes('"k"'));
    }
    assert.match(said({ tls: { acme, ca: PEM } }), /^tls\.ca: given "\(not shown\)", wanted ca inside acme/);
    assert.match(said({ tls: { acme, kee: "secret" } }), /^tls\.kee: given "\(not shown\)"/);
  });

  it("need a name that a public ACME server can look up, or a server of one's own", () => {
    const names = ["goproxy", "goproxy.corp", "goproxy.internal", "goproxy.home.arpa", "goproxy.corp.example"];
    for (const domain of [...names, "go_proxy.example.org"]) {
      assert.match(
        said({ domain }),
        /^domain: given .*wanted a name of the public DNS; .*tls\.acme\.directory/,
        domain,
      );
      assert.equal(said({ domain, tls: { acme: { ...acme, directory } } }), "", domain);
    }
    for (const domain of ["goproxy.example.org", "internal.example.org", "example.co.uk"]) {
      assert.equal(said({ domain }), "", domain);
    }
  });

  it("need one name: no wildcard, no address", () => {
    const own = { tls: { acme: { ...acme, directory } } };
    assert.match(
      said({ ...own, domain: "*.corp.example" }),
      /^domain: given "\*\.corp\.example", wanted one name: http-01/,
    );
    assert.match(
      said({ ...own, domain: "192.0.2.10" }),
      /^domain: given "192\.0\.2\.10", wanted a name, not an address/,
    );
    assert.match(said({ ...own, domain: "Goproxy.corp.example" }), /^domain: .*lower case/);
  });

  it("need port 80 for themselves", () => {
    assert.match(said({ port: 80 }), /^port: given 80, wanted another port: ACME's challenges are answered on port 80/);
    assert.equal(said({ port: 80, tls: { certificateFile: "/a", keyFile: "/b" } }), "");
  });

  it("are not looked into where they are unknown", () => {
    const unknown = Symbol("unknown");
    assert.equal(said({ tls: { acme: { ...acme, ca: unknown } } }, { isUnknown: (value) => value === unknown }), "");
  });

  it("show no credentials", () => {
    for (const url of ["https://ci:hunter2@ca.corp.example/d", "http://ci:hunter2@ca.corp.example/d"]) {
      const text = saidOf({ directory: url });
      assert.match(text, /^tls\.acme\.directory: /);
      assert.ok(!text.includes("hunter2"), text);
    }
  });
});

describe("a resolved front with ACME", () => {
  it("is Let's Encrypt's, with ECDSA, and goes with the mirror", () => {
    assert.deepEqual(resolveFront({ domain: "goproxy.example.org", tls: { acme } }).tls, {
      kind: "acme",
      acme: {
        directory: "https://acme-v02.api.letsencrypt.org/directory",
        email: undefined,
        keyType: "ecdsa",
        ca: false,
        keep: false,
      },
    });
  });

  it("knows of its CA only that there is one", () => {
    const { tls } = resolveFront({ domain: "goproxy.corp.example", tls: { acme: { ...acme, directory, ca: PEM } } });
    assert.equal(tls.kind === "acme" && tls.acme.ca, true);
    assert.ok(!JSON.stringify(tls).includes("CERTIFICATE"));
  });
});
