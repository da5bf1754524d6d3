import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { egressRules, type EgressRules } from "../../../src/render/sandbox/egress-rules";
import { assertGolden } from "../../support/golden";
import { program } from "../../support/nginx";
import { skip } from "../../support/skip";

const RULES: EgressRules = {
  component: "ci",
  table: "gofleet_ci",
  users: ["gofleet-ci-1", "gofleet-ci-2"],
  moduleUser: "gofleet-ci-mod",
  addresses: [
    { host: "10.20.0.0/16", ports: [22, 443], modules: false },
    { host: "10.20.0.9", ports: [443], modules: true },
    { host: "2001:db8::/32", ports: [443], modules: false },
  ],
  resolver: "127.0.0.53",
};

describe("egress rules", () => {
  it("are one transaction", () => assertGolden("sandbox/egress.nft", egressRules(RULES)));

  it("are the same for the same args", () => assert.equal(egressRules(RULES), egressRules(structuredClone(RULES))));

  it("refuse metadata before anything is let through", () => {
    for (const name of ["jobs", "modules"]) {
      const text = egressRules(RULES);
      const chain = text.slice(text.lastIndexOf(`chain ${name} {`));
      assert.match(chain, /^chain \w+ \{\n( +ip6? daddr \{[^}]*} goto metadata_denied\n){2}/);
    }
  });

  it("let the module user reach only what modules come from", () => {
    const text = egressRules(RULES);
    const modules = text.slice(text.lastIndexOf("chain modules {"), text.lastIndexOf("chain metadata_denied"));
    assert.match(modules, /ip daddr 10\.20\.0\.9 tcp dport \{ 443 \} accept/);
    assert.doesNotMatch(modules, /10\.20\.0\.0|2001:db8|@names/);
  });

  it("ask no name server where there is none", () => {
    assert.doesNotMatch(egressRules({ ...RULES, resolver: undefined }), /dport 53 accept/);
  });

  const refused: Record<string, Partial<EgressRules>> = {
    "no slot at all": { users: [] },
    "a user's name that is none": { users: ['a" accept'] },
    "a name instead of an address": { addresses: [{ host: "corp.example", ports: [443], modules: false }] },
    "a resolver's name": { resolver: "dns" },
    "a table's name that is none": { table: "t; flush ruleset" },
  };
  for (const [name, change] of Object.entries(refused)) {
    it(`refuse ${name}`, () => assert.throws(() => egressRules({ ...RULES, ...change })));
  }

  describe("as nft reads them", () => {
    /** nft looks users up, so they stand for others that every Debian has. */
    const check = (rules: EgressRules, edit = (text: string) => text) =>
      spawnSync("unshare", ["-n", program("nft") ?? "nft", "-c", "-f", "-"], {
        input: edit(egressRules({ ...rules, users: ["daemon", "bin"], moduleUser: "games" })),
        encoding: "utf8",
      });

    before(function () {
      if (program("nft") === undefined || process.getuid?.() !== 0) skip(this, "nft and root are needed to ask nft");
    });

    const cases: Record<string, Partial<EgressRules>> = {
      "with networks": {},
      "with nothing allowed": { addresses: [], resolver: undefined },
      "with a name server by IPv6": { resolver: "2001:db8::53" },
    };
    for (const [name, change] of Object.entries(cases)) {
      it(`are good ${name}`, () => {
        const { status, stderr } = check({ ...RULES, ...change });
        assert.equal(stderr, "");
        assert.equal(status, 0);
      });
    }

    it("are refused with a mistake in them", () => {
      assert.notEqual(check(RULES, (text) => text.replace("meta skuid", "meta skuidd")).status, 0);
      const twice = check(RULES, (text) => text.replaceAll("goto jobs", "goto job"));
      assert.notEqual(twice.status, 0);
    });
  });
});
