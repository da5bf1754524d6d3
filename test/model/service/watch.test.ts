import assert from "node:assert/strict";
import { describe as told } from "../../../src/model/issues";
import { checkWatch, resolveWatch } from "../../../src/model/service/watch";

const wrong = (given: unknown): string => told(checkWatch("watch", given));

describe("watch of a service", () => {
  it("has the defaults that docs/rollback.md names", () => {
    assert.deepEqual(resolveWatch(), {
      window: 600,
      every: 10,
      revert: true,
      together: [],
      exitCodes: {
        "1": "revert",
        "2": "revert",
        "126": "revert",
        "127": "revert",
        "143": "ignore",
        "203": "revert",
        other: "note",
      },
      restarts: 2,
      readinessFailures: 3,
      logs: [{ pattern: "timeout|deadlock|connection refused", count: 10, within: 60 }],
      any: ["exit", "failed", "oom", "watchdog", "restarts", "readiness"],
      all: [],
    });
    assert.equal(wrong({}), "");
  });

  it("takes what a program may well say", () => {
    const given = {
      window: "30 min",
      every: "5 s",
      revert: false,
      together: ["worker"],
      exitCodes: { "3": "revert", other: "ignore" },
      restarts: 0,
      readinessFailures: 1,
      logs: [],
      any: [],
      all: [["log", "restarts"]],
      score: { weights: { log: 0.5 }, threshold: 0.5 },
    };
    assert.equal(wrong(given), "");
    assert.deepEqual(resolveWatch({ exitCodes: { "1": "note" } }).exitCodes["1"], "note");
  });

  for (const [given, message] of [
    [{ windw: "1 h" }, /watch\.windw: .*did you mean "window"/],
    [{ window: "5 s" }, /watch\.window: given "5 s", wanted a duration from "1 min" to "24 h"/],
    [{ window: "1 min", every: "1 min" }, /watch\.every: .*less than the window, 60 s/],
    [{ every: "500 ms" }, /watch\.every: given "500 ms"/],
    [{ exitCodes: { "0": "revert" } }, /watch\.exitCodes\["0"\]: .*from 1 to 255/],
    [{ exitCodes: { "1": "rollback" } }, /watch\.exitCodes\["1"\]: .*one of "revert", "note", "ignore"/],
    [{ any: ["crash"] }, /watch\.any\[0\]: given "crash", wanted one of "exit"/],
    [{ all: [[]] }, /watch\.all\[0\]: /],
    [{ together: ["a/b"] }, /watch\.together\[0\]: /],
    [{ logs: [{ pattern: "(?i)timeout" }] }, /watch\.logs\[0\]\.pattern: .*POSIX syntax/],
    [{ logs: [{ count: 3 }] }, /watch\.logs\[0\]\.pattern: missing/],
    [{ score: { weights: { log: -1 }, threshold: 1 } }, /watch\.score\.weights\.log: /],
    [{ score: { weights: {} } }, /watch\.score\.threshold: missing/],
    [{ restarts: 1.5 }, /watch\.restarts: /],
    ["on", /watch: given "on", wanted an object with window/],
  ] as const) {
    it(`refuses ${JSON.stringify(given)}`, () => assert.match(wrong(given), message));
  }

  it("leaves what is not known yet for later", () => {
    const unknown = Symbol("unknown");
    assert.deepEqual(checkWatch("watch", { window: unknown }, { isUnknown: (value) => value === unknown }), []);
  });
});
