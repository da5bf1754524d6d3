import assert from "node:assert/strict";
import fc from "fast-check";
import { resolveFront } from "../../../src/model/mirror/front-resolve";
import { frontConfigText } from "../../../src/plan/mirror/front";
import { mirrorPlace } from "../../../src/plan/mirror/place";
import { passwordFile } from "../../../src/render/mirror/nginx-passwords";
import { pattern, word } from "../../../src/render/mirror/nginx-text";
import { FRONT_CASES } from "../../support/front-cases";
import { hostile } from "../../support/hostile";

describe("nginx text", () => {
  it("quotes what a value may hold and refuses what nginx has no escape for", () => {
    assert.equal(word`a ${'b"c\\'} d`, '"a b\\"c\\\\ d"');
    assert.equal(word`${"/x"}/$gomod_m`, '"/x/$gomod_m"');
    for (const value of ["$uri", "a\nb", "a\0b", "\ud800", "x".repeat(3000)]) assert.throws(() => word`${value}`);
    assert.throws(() => pattern("a\nb"));
  });

  it("keeps every value in its quotes (10,000 strings, read by nginx's own rules)", () => {
    fc.assert(
      fc.property(hostile, (value) => {
        let made: string;
        try {
          made = word`${value}`;
        } catch {
          return;
        }
        assert.match(made, /^"(?:[^"\\]|\\["\\])*"$/);
        assert.equal(made.slice(1, -1).replace(/\\(["\\])/g, "$1"), value);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe("nginx.conf", () => {
  const place = mirrorPlace("goproxy");
  const { args, context } = FRONT_CASES.full ?? assert.fail();

  it("is the same whatever the order of args", () => {
    const reversed = Object.fromEntries(Object.entries(args).reverse()) as unknown as typeof args;
    const same = { ...context, privateModules: [...(context.privateModules ?? [])].reverse() };
    assert.equal(
      frontConfigText(resolveFront(reversed, same), place),
      frontConfigText(resolveFront(args, context), place),
    );
  });

  it("asks tiers by name while it runs where there is a resolver, and at the start where there is none", () => {
    const fallback = { ...args.fallback, tiers: args.fallback?.tiers ?? [], resolver: ["192.0.2.53", "2001:db8::53"] };
    const running = frontConfigText(resolveFront({ ...args, fallback }, context), place);
    assert.match(running, /^ {2}resolver "192\.0\.2\.53:53" "\[2001:db8::53\]:53" valid=30s;$/m);
    assert.ok(!running.includes("upstream tier-"));
    assert.ok(running.includes('"https://goproxy-c.corp.example:8443/go"'));
    assert.ok(frontConfigText(resolveFront(args, context), place).includes("upstream tier-far"));
  });
});

describe("the passwords' file", () => {
  it("has a line a user, in the form nginx reads, and is the same every time", () => {
    const file = passwordFile({ ops: "b".repeat(24), ci: "a".repeat(24) }, "goproxy");
    assert.match(file, /^ci:\{SSHA\}[A-Za-z0-9+/]{48}\nops:\{SSHA\}[A-Za-z0-9+/]{48}\n$/);
    assert.equal(passwordFile({ ci: "a".repeat(24), ops: "b".repeat(24) }, "goproxy"), file);
  });

  it("shows neither passwords nor who has the same one", () => {
    const [first = "", second = ""] = passwordFile({ a: "same", b: "same" }, "goproxy").split("\n");
    assert.ok(!first.includes("same"));
    assert.notEqual(first.slice(2), second.slice(2));
    assert.notEqual(passwordFile({ a: "same" }, "one"), passwordFile({ a: "same" }, "two"));
  });
});
