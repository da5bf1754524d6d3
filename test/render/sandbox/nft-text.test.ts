import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { nftAddress, nftName, nftPort, nftSet, nftString } from "../../../src/render/sandbox/nft-text";
import { hostile } from "../../support/hostile";
import { program } from "../../support/nginx";
import { skip } from "../../support/skip";

describe("text of nftables rules", () => {
  const refused: Record<string, () => unknown> = {
    "a string that ends": () => nftString('a" counter'),
    "a second line": () => nftString("a\nb"),
    "an empty string": () => nftString(""),
    "a name with a brace": () => nftName("a{"),
    "a name that begins with a digit": () => nftName("1a"),
    "a host's name": () => nftAddress("corp.example"),
    "a network that is too narrow": () => nftAddress("10.0.0.0/33"),
    "a network that is no number": () => nftAddress("10.0.0.0/8a"),
    "two lengths": () => nftAddress("10.0.0.0/8/8"),
    "an address of an interface": () => nftAddress("fe80::1%lo"),
    "port 0": () => nftPort(0),
    "port 65536": () => nftPort(65_536),
    "half a port": () => nftPort(1.5),
  };
  for (const [name, make] of Object.entries(refused)) it(`refuses ${name}`, () => assert.throws(make));

  it("knows the families", () => {
    assert.deepEqual(nftAddress("10.0.0.0/8"), { family: "ip", text: "10.0.0.0/8" });
    assert.deepEqual(nftAddress("2001:db8::/32"), { family: "ip6", text: "2001:db8::/32" });
    assert.equal(nftSet([nftPort(22), nftPort(443)]), "{ 22, 443 }");
  });

  it("is taken by nft as one word, whatever was given, or refused", function () {
    const nft = program("nft");
    if (nft === undefined || process.getuid?.() !== 0) skip(this, "nft and root are needed to ask nft");
    fc.assert(
      fc.property(hostile, (given) => {
        const made = attempt(() => nftString(given));
        if (made === undefined) return;
        const rules = `table inet t { chain c { log prefix ${made} comment ${made}; }; }`;
        const { status, stderr } = spawnSync("unshare", ["-n", nft, "-c", "-f", "-"], {
          input: rules,
          encoding: "utf8",
        });
        assert.equal(status, 0, `${rules}\n${stderr}`);
      }),
      { numRuns: 60 },
    );
  });
});

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
