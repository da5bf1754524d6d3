import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Secret } from "@pulumi/policy";
import { readInputs } from "../../src/policy/read/inputs";
import { UNKNOWN } from "../../src/policy/rule";

/** The analyzer host's own wrappers, which its types leave out. */
interface Wrappers {
  unknownCheckingProxy(props: object): Record<string, unknown>;
  secretsPreservingProxy(props: object): object;
  readonly unknownStringValue: string;
  readonly unknownNumberValue: string;
}
const sdk = createRequire(__filename);
const { unknownCheckingProxy, secretsPreservingProxy, unknownStringValue, unknownNumberValue } = {
  ...(sdk("@pulumi/policy/proxy") as object),
  ...(sdk("@pulumi/policy/secret") as object),
} as Wrappers;

/** The inputs as the analyzer host wraps them: to validate, and to remediate. */
const validating = (props: object) => readInputs(unknownCheckingProxy(props));
const remediating = (props: object) => readInputs(unknownCheckingProxy(secretsPreservingProxy(props)));

describe("policy: reading a resource's inputs", () => {
  it("gives plain data", () => {
    const props = { a: "x", b: [1, { c: true }], d: null, e: {} };
    assert.deepEqual(validating(props).props, props);
  });

  it("marks what is not known, and still reads what is beside it", () => {
    const { props } = validating({
      a: unknownStringValue,
      b: ["x", unknownNumberValue],
      c: { d: unknownStringValue, e: 1 },
    });
    assert.deepEqual(props, { a: UNKNOWN, b: ["x", UNKNOWN], c: { d: UNKNOWN, e: 1 } });
  });

  it("would throw without it", () => {
    assert.throws(() => unknownCheckingProxy({ a: unknownStringValue })["a"], /can't be known/);
  });

  it("names the secrets by their paths", () => {
    const { props, secrets } = remediating({ a: new Secret("x"), b: { c: [new Secret({ d: "y" })] }, e: "z" });
    assert.deepEqual([...secrets], ["a", "b.c[0]"]);
    assert.deepEqual(props, { a: "x", b: { c: [{ d: "y" }] }, e: "z" });
  });
});
