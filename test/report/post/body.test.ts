import assert from "node:assert/strict";
import { compose, fromUntrusted, markStale, withoutCommands } from "../../../src/report/post/body";
import {
  compareRuns,
  formatMarker,
  markerKey,
  parseMarker,
  sameCommit,
  type Marker,
} from "../../../src/report/post/marker";

const MARKER: Marker = { key: markerKey("fleet/prod -->"), run: { number: 5, attempt: 2 }, commit: "a".repeat(40) };

describe("posting: a comment's text", () => {
  it("gives its marker back, in both styles", () => {
    for (const style of ["html", "reference"] as const) {
      assert.deepEqual(parseMarker(`${formatMarker(MARKER, style)}\n\ntext`), MARKER);
    }
  });

  it("has a marker of one line, whatever the report's name is", () => {
    assert.match(formatMarker(MARKER, "html"), /^<!-- [\w =.-]+ -->$/);
    assert.match(formatMarker(MARKER, "reference"), /^\[gofleet-report\]: # "[\w =.-]+"$/);
  });

  it("takes nothing else for a marker", () => {
    const marker = formatMarker(MARKER, "html");
    for (const body of [
      "",
      "text",
      `text\n${marker}`,
      `> ${marker}`,
      marker.replace("key=", "key=zz"),
      "<!-- gofleet-report -->",
    ]) {
      assert.equal(parseMarker(body), undefined, body);
    }
  });

  it("marks a report out of date once, and anew when there is a newer commit still", () => {
    const fresh = compose(MARKER, "first\n\nsecond", "html", undefined);
    const once = markStale(fresh, "b".repeat(40)) ?? "";
    assert.match(once, /-->\n\n> ⚠️ .*~~aaaaaaaaaaaa~~.*bbbbbbbbbbbb\.\n\nfirst\n\nsecond$/);
    assert.equal(markStale(once, "b".repeat(40)), undefined);
    const twice = markStale(once.replaceAll("\n", "\r\n"), "c".repeat(40)) ?? "";
    assert.equal(twice, once.replace("bbbbbbbbbbbb", "cccccccccccc"));
    assert.equal(markStale("no marker", "b".repeat(40)), undefined);
  });

  it("knows the same commit by its first digits, but not by too few", () => {
    assert.ok(sameCommit("abcdef0123456789", "ABCDEF012345"));
    assert.ok(!sameCommit("abcdef0123456789", "abcdef"));
    assert.ok(!sameCommit("abcdef0123456789", "abcdef9"));
  });

  it("orders runs by number, then by attempt", () => {
    assert.ok(compareRuns({ number: 9, attempt: 9 }, { number: 10, attempt: 1 }) < 0);
    assert.ok(compareRuns({ number: 10, attempt: 2 }, { number: 10, attempt: 1 }) > 0);
  });

  const HOSTILE: Readonly<Record<string, [given: string, never: RegExp]>> = {
    "a mention": ["ping @octocat and @corp/team", /@[\w-]/],
    "a picture": ["![x](https://elsewhere.example/track.png)", /!\[/],
    "a picture in HTML": ['< img src="https://elsewhere.example/x">', /<\s*img/i],
    "a drawing in HTML": ["<SVG onload=x>", /<svg/i],
    "text that runs backwards": ["a\u202Eb\u2066c", /[\u202A-\u202E\u2066-\u2069]/],
    "control characters": ["a\u001b[31mb\u0000", /[\u0000-\u0008\u001b]/],
  };
  for (const [name, [given, never]] of Object.entries(HOSTILE)) {
    it(`makes ${name} of an unreviewed report harmless`, () => {
      assert.match(given, never);
      const body = fromUntrusted(given);
      assert.doesNotMatch(body, never);
      assert.match(body, /^> Rendered by the pull request's own code/);
    });
  }

  it("keeps the rest of an unreviewed report", () => {
    const report = "| a | b |\n\t- `x < y`\n<details>text</details> ✓";
    assert.ok(fromUntrusted(report).endsWith(report));
  });

  it("makes commands of a forge plain text, and nothing else", () => {
    assert.doesNotMatch(withoutCommands("/merge\n\t/close\n /label ~x"), /^\s*\//m);
    const plain = "a /b\n// c\n/ d\n/1";
    assert.equal(withoutCommands(plain), plain);
  });
});
