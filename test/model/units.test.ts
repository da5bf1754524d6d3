import assert from "node:assert/strict";
import fc from "fast-check";
import { describe as text } from "../../src/model/issues";
import {
  formatDuration,
  formatSize,
  parseDuration,
  parsePercent,
  parseSize,
  type Duration,
  type Size,
} from "../../src/model/units";

describe("units", () => {
  const sizes: Record<string, number> = {
    "24 GiB": 24 * 2 ** 30,
    "24GiB": 24 * 2 ** 30,
    "512 MiB": 512 * 2 ** 20,
    "1KiB": 1024,
    "0 B": 0,
  };
  for (const [given, bytes] of Object.entries(sizes)) {
    it(`reads the size ${given}`, () => assert.deepEqual(parseSize("size", given), { value: bytes }));
  }

  const durations: Record<string, number> = {
    "30 s": 30,
    "30s": 30,
    "5 min": 300,
    "5m": 300,
    "250ms": 0.25,
    "1 d": 86400,
  };
  for (const [given, seconds] of Object.entries(durations)) {
    it(`reads the duration ${given}`, () => assert.deepEqual(parseDuration("after", given), { value: seconds }));
  }

  it("reads a share", () => {
    assert.deepEqual(parsePercent("batch", "25 %"), { value: 25 });
    assert.deepEqual(parsePercent("batch", "100%"), { value: 100 });
  });

  const bad: [(path: string, given: unknown) => object, unknown, RegExp][] = [
    [parseSize, "24 GB", /"GiB" instead of "GB": sizes are binary here/],
    [parseSize, "24 kB", /"KiB" instead of "kB"/],
    [parseSize, "24G", /"GiB" instead of "G"/],
    [parseSize, "1.5 GiB", /whole number, in a smaller unit/],
    [parseSize, 1024, /given 1024, wanted a size such as "24 GiB"/],
    [parseSize, "-1 GiB", /a size such as/],
    [parseSize, "1e3 GiB", /a size such as/],
    [parseSize, "24  GiB", /a size such as/],
    [parseSize, "9999999999 TiB", /not as large/],
    [parseSize, "1 constructor", /a size such as/],
    [parseDuration, "1.5 minutes", /given "1.5 minutes", wanted a duration such as "30 s"/],
    [parseDuration, "1.5 min", /whole number/],
    [parseDuration, "5 M", /"min" for minutes/],
    [parseDuration, "30", /a duration such as/],
    [parseDuration, 30, /given 30, wanted a duration/],
    [parseDuration, "1h30m", /a duration such as/],
    [parseDuration, "", /a duration such as/],
    [parsePercent, "101 %", /from 0 to 100/],
    [parsePercent, "25", /a share such as/],
    [parsePercent, 0.25, /a share such as/],
    [parsePercent, "12.5 %", /a share such as/],
  ];
  for (const [parse, given, wanted] of bad) {
    it(`${parse.name} refuses ${JSON.stringify(given)}`, () => {
      const parsed = parse("limits.memory", given);
      assert.ok("issue" in parsed && parsed.issue, "it was accepted");
      assert.match(text([parsed.issue as never]), wanted);
      assert.match(text([parsed.issue as never]), /^limits\.memory: given /);
    });
  }

  it("writes what it reads", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 40 }), (bytes) => {
        assert.deepEqual(parseSize("", formatSize(bytes)), { value: bytes });
      }),
    );
    fc.assert(
      fc.property(fc.nat({ max: 10 ** 7 }), (seconds) => {
        assert.deepEqual(parseDuration("", formatDuration(seconds)), { value: seconds });
      }),
    );
    assert.equal(formatSize(24 * 2 ** 30), "24 GiB");
    assert.equal(formatDuration(0.25), "250 ms");
  });

  it("has types that admit what the parser takes", () => {
    const sizes: Size[] = ["24 GiB", "24GiB"];
    const spans: Duration[] = ["30 s", "30s", "5 min"];
    // @ts-expect-error decimal sizes are not in the type
    const decimal: Size = "24 GB";
    // @ts-expect-error a number has no unit
    const bare: Duration = 30;
    assert.equal([...sizes, ...spans, decimal, bare].length, 7);
  });
});
