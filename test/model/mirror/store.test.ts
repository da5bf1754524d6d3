import assert from "node:assert/strict";
import { resolveStore } from "../../../src/model/mirror/store";
import { checkStore } from "../../../src/model/mirror/store-check";

const problems = (args: unknown) => checkStore("store", args).map(({ path, wanted }) => `${path}: ${wanted}`);

describe("a mirror's store", () => {
  it("has defaults for everything", () => {
    assert.deepEqual(resolveStore({}, { path: "/srv/athens" }), {
      path: "/srv/athens",
      maxBytes: 0,
      alertAt: 85,
      readOnlyAt: 95,
      watchEvery: 15,
      repairEvery: 600,
      readAllWithin: 30 * 86400,
      unusedFor: 0,
      keepNewerThan: 86400,
      keep: [],
      offline: false,
    });
    assert.deepEqual(problems(undefined), []);
    assert.deepEqual(problems({}), []);
  });

  it("takes what is given, and undefined for what is not", () => {
    const args = {
      alertAt: "70%",
      readOnlyAt: undefined,
      readAllWithin: "7 d",
      gc: { unusedFor: "90 d", keepNewerThan: undefined, keep: ["z.example/*", "a.example/*"] },
    } as const;
    assert.deepEqual(problems(args), []);
    const store = resolveStore(args, { path: "/srv/athens", max: "2 GiB" });
    assert.deepEqual(
      [store.maxBytes, store.alertAt, store.readOnlyAt, store.readAllWithin, store.unusedFor, store.keepNewerThan],
      [2 ** 31, 70, 95, 7 * 86400, 90 * 86400, 86400],
    );
    assert.deepEqual(store.keep, ["a.example/*", "z.example/*"]);
  });

  const wrong: Record<string, [args: unknown, says: RegExp]> = {
    "a scalar": ["85 %", /^store: an object/],
    "a share without a unit": [{ alertAt: 85 }, /^store\.alertAt: a share/],
    "a share of nothing": [{ alertAt: "0 %" }, /^store\.alertAt: a share from "1 %"/],
    "a share of all": [{ readOnlyAt: "100 %" }, /^store\.readOnlyAt: .*"99 %"/],
    "marks in the wrong order": [
      { alertAt: "90 %", readOnlyAt: "80 %" },
      /^store\.readOnlyAt: a share above alertAt \(90 %\)/,
    ],
    "a mark above the default of the other": [
      { alertAt: "97 %" },
      /^store\.readOnlyAt: a share above alertAt \(97 %\)/,
    ],
    "a watch too often": [{ watchEvery: "100 ms" }, /^store\.watchEvery: at least "1 s"/],
    "a repair too often": [{ repairEvery: "10 s" }, /^store\.repairEvery: at least "1 min"/],
    "a reading too soon": [{ readAllWithin: "10 min" }, /^store\.readAllWithin: at least "1 h"/],
    "an age below what is known": [{ gc: { unusedFor: "1 d" } }, /^store\.gc\.unusedFor: at least "2 d"/],
    "collecting what cannot come back": [
      { offline: true, gc: { unusedFor: "90 d" } },
      /^store\.gc\.unusedFor: nothing while offline is true/,
    ],
    "a pattern with a comma": [{ gc: { keep: ["a/*,b/*"] } }, /^store\.gc\.keep\[0\]: a pattern/],
    "one pattern for a list": [{ gc: { keep: "a/*" } }, /^store\.gc\.keep: a list/],
    "a word for a boolean": [{ offline: "yes" }, /^store\.offline: true or false/],
    "a key misspelt": [{ readonlyAt: "90 %" }, /^store\.readonlyAt: no such key; did you mean "readOnlyAt"/],
    "a key of gc misspelt": [{ gc: { unused: "90 d" } }, /^store\.gc\.unused: no such key/],
  };
  for (const [name, [args, says]] of Object.entries(wrong)) {
    it(`refuses ${name}`, () => {
      const found = problems(args);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", says);
    });
  }

  it("waits for what is not known yet", () => {
    const unknown = Symbol("later");
    const args = { alertAt: unknown, gc: unknown, offline: unknown, watchEvery: "1 ms" };
    const found = checkStore("store", args, { isUnknown: (value) => value === unknown });
    assert.deepEqual(
      found.map(({ path }) => path),
      ["store.watchEvery"],
    );
  });
});
