import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { checkCertificate, type ServerCertificate } from "../../../src/model/mirror/certificate";
import { describe as describeIssues } from "../../../src/model/issues";
import { ECDSA, RSA, TestAuthority, type Issued } from "../../support/certificates";
import { temporaryDirectory } from "../../support/go";
import { program } from "../../support/nginx";
import { skip } from "../../support/skip";

const DAY = 86_400_000;
const domain = "goproxy.corp.example";

describe("the server's certificate", () => {
  let folder: string;
  let ca: TestAuthority;
  let leaf: Issued;
  before(function () {
    if (program("openssl") === undefined) return skip(this, "there is no openssl");
    folder = temporaryDirectory();
    ca = new TestAuthority(join(folder, "ca"));
    leaf = ca.leaf(domain);
  });
  after(() => folder !== undefined && rmSync(folder, { recursive: true }));

  /** What is said of a certificate, with the good one's parts where nothing else is given. */
  function said(changes: Partial<ServerCertificate> = {}): string {
    const server = { certificate: ca.chain(leaf), key: leaf.key, domain, now: new Date(), ...changes };
    return describeIssues(checkCertificate("tls", server));
  }
  const chain = (...parts: readonly Issued[]) => parts.map(({ certificate }) => certificate).join("");
  /** A leaf of its own with its chain. */
  const other = (
    name: string,
    ...request: Parameters<TestAuthority["leaf"]> extends [string, ...infer Rest] ? Rest : []
  ) => {
    const made = ca.leaf(name, ...request);
    return { certificate: ca.chain(made), key: made.key };
  };

  it("is taken as it should be", () => {
    assert.equal(said(), "");
    assert.equal(said({ ca: ca.root.certificate }), "");
    assert.equal(said({ key: undefined, now: undefined }), "");
  });

  it("may be a wildcard's", () => {
    const wildcard = other("*.corp.example");
    assert.equal(said(wildcard), "");
    assert.match(
      said({ ...wildcard, domain: "a.goproxy.corp.example" }),
      /given "DNS:\*\.corp\.example", wanted a certificate for a\.goproxy/,
    );
    assert.match(said({ ...wildcard, domain: "corp.example" }), /wanted a certificate for corp\.example/);
  });

  it("may be for an address", () => {
    const address = other("address", { names: ["IP:192.0.2.7"] });
    assert.equal(said({ ...address, domain: "192.0.2.7" }), "");
    assert.match(said({ ...address, domain: "192.0.2.8" }), /a certificate for 192\.0\.2\.8/);
  });

  it("must be for the domain, by a subject alternative name", () => {
    assert.match(
      said({ domain: "elsewhere.example" }),
      /^tls\.certificate: given "DNS:goproxy.*wanted a certificate for elsewhere/,
    );
    const bare = other(domain, { names: [] });
    assert.match(said(bare), /no subject alternative name/);
  });

  it("must be valid now", () => {
    const ends = new Date(Date.now() + 91 * DAY);
    assert.match(said({ now: ends }), /certificate 1.*this one ended \d{4}-/);
    assert.match(said({ now: new Date(Date.now() - 2 * DAY) }), /certificate 1.*this one begins/);
    // The intermediate ends later than the leaf; past both, both are named.
    assert.match(said({ now: new Date(Date.now() + 2000 * DAY) }), /certificate 2.*this one ended/);
  });

  it("must have its key", () => {
    const said1 = said({ key: ca.leaf("other.example").key });
    assert.match(said1, /^tls\.key: missing, wanted the key of the certificate of .*another one/);
    assert.match(
      said({ key: "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----" }),
      /tls\.key: .*PEM without a passphrase/,
    );
  });

  it("must come with its intermediates", () => {
    assert.match(said({ certificate: leaf.certificate }), /the intermediate certificates after it \(.*CN=intermediate/);
    assert.match(
      said({ certificate: leaf.certificate, ca: ca.root.certificate }),
      /CN=intermediate signed this, and it is not in ca/,
    );
  });

  it("may be signed by the clients' CA directly", () => {
    const direct = ca.issue(domain, { names: [`DNS:${domain}`] }, ca.root);
    assert.equal(said({ certificate: direct.certificate, key: direct.key, ca: ca.root.certificate }), "");
    assert.match(said({ certificate: direct.certificate, key: direct.key }), /or name the CA in ca/);
  });

  it("must come in order", () => {
    assert.match(said({ certificate: chain(ca.intermediate, leaf) }), /the server's own certificate first/);
    const stranger = new TestAuthority(join(folder, "stranger")).intermediate;
    const between = chain(leaf, stranger, ca.intermediate);
    assert.match(said({ certificate: between }), /certificate 1.*directly followed by the one that signed it/);
    assert.match(said({ certificate: chain(leaf, stranger) }), /after it the certificate of .*CN=intermediate/);
  });

  it("must not come with the root", () => {
    assert.match(said({ certificate: chain(leaf, ca.intermediate, ca.root) }), /the chain without its root/);
  });

  it("must not sign itself", () => {
    const self = ca.issue("self", { names: [`DNS:${domain}`] });
    assert.match(said({ certificate: self.certificate, key: self.key }), /wanted a certificate that a CA has signed/);
    const root = { certificate: ca.root.certificate, key: ca.root.key };
    assert.match(said(root), /the first one is a CA's/);
  });

  it("must not be weak", () => {
    assert.match(said(other(domain, { key: RSA(1024) })), /RSA of 1024 bits", wanted ECDSA/);
    const curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"];
    assert.match(said(other(domain, { key: curve })), /ECDSA on secp256k1/);
    assert.match(said(other(domain, { digest: "sha1" })), /signed with sha1", wanted a signature with SHA-256/);
    const rsa = ca.issue("rsa-ca", { ca: true, key: RSA(2048) }, ca.root);
    const old = ca.issue(domain, { names: [`DNS:${domain}`], digest: "sha1" }, rsa);
    assert.match(said({ certificate: chain(old, rsa), key: old.key }), /certificate 1.*signed with sha1/);
    for (const key of [RSA(2048), ECDSA, ["-algorithm", "ED25519"]]) assert.equal(said(other(domain, { key })), "");
  });

  it("must be PEM", () => {
    assert.match(said({ certificate: "" }), /wanted PEM certificates/);
    assert.match(said({ certificate: leaf.certificate.replace(/\n.{20}/, "\nAAAA") }), /certificate 1.*cannot be read/);
  });

  it("never shows a key, wherever it was put", () => {
    const spots: Partial<ServerCertificate>[] = [
      { certificate: leaf.key },
      { certificate: ca.chain(leaf) + leaf.key },
      { key: `${leaf.key}x`.replace("BEGIN", "BEGINS") },
      { key: ca.root.key },
      { certificate: leaf.certificate, key: ca.root.key, domain: "x.example" },
    ];
    const bodies = [leaf, ca.root].map(({ key }) => key.split("\n")[1] ?? "");
    for (const spot of spots) {
      const text = said(spot);
      assert.notEqual(text, "");
      for (const body of bodies) assert.ok(!text.includes(body.slice(0, 20)), text);
    }
  });

  it("says everything at once", () => {
    const bad = other("x.example", { key: RSA(1024), digest: "sha1" });
    const text = said({
      certificate: bad.certificate.split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n",
      key: leaf.key,
      now: new Date(Date.now() + 4000 * DAY),
    });
    for (const part of [/for goproxy/, /ended/, /1024/, /sha1/, /intermediate certificates/, /tls\.key/])
      assert.match(text, part);
  });
});
