import assert from "node:assert/strict";
import { checkAthens } from "../../../src/model/mirror/athens-check";
import { describe as text } from "../../../src/model/issues";
import { ATHENS_VARIABLES, reachOf, type AthensReach } from "../../../src/model/mirror/athens-variables";

const reaches: [string, AthensReach][] = Object.entries(ATHENS_VARIABLES);
const good = { storage: { kind: "memory", purpose: "trial" }, goEnv: { GOPROXY: "https://proxy.corp.example" } };
const check = (variables: unknown) => text(checkAthens("", { ...good, variables }, { hosts: 1 }));

describe("Athens' variables", () => {
  it("are all there: those tagged in its sources, ATHENS_TIMEOUT and PORT", () => {
    assert.equal(reaches.length, 100);
    assert.deepEqual(Object.keys(ATHENS_VARIABLES), Object.keys(ATHENS_VARIABLES).sort());
  });

  for (const [name, reach] of reaches) {
    if ("argument" in reach) {
      it(`${name} is reached by ${reach.argument}`, () => {
        const [first = ""] = reach.argument.split(".");
        // An argument that there is not would be refused as a key.
        assert.doesNotMatch(text(checkAthens("", { ...good, [first]: null }, { hosts: 1 })), /no such key/);
        assert.match(check({ [name]: "x" }), new RegExp(`${name}: .*${reach.argument}, its argument`));
      });
    } else if ("decided" in reach) {
      it(`${name} is decided`, () => assert.match(check({ [name]: "x" }), new RegExp(`${name}: .*nothing: `)));
    } else {
      it(`${name} is reached by name`, () => {
        const value = ["/etc/a", "https://a.example", "true"].find((each) => reach.variable.test(each));
        assert.equal(check({ [name]: value }), "");
        assert.match(check({ [name]: "\n" }), new RegExp(name));
      });
    }
  }

  it("are no others", () => {
    assert.equal(reachOf("ATHENS_AUTH_SECRET"), undefined);
    assert.equal(reachOf("toString"), undefined);
    assert.match(check({ ATHENS_FILTERFILE: "/x" }), /did you mean "ATHENS_FILTER_FILE"/);
  });
});
