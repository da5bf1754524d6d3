import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  checkPrivateModules,
  escapeModulePath,
  noSumPatterns,
  parsePrivatePattern,
  privatePathExpression,
} from "../../../src/model/mirror/private-modules";
import { needsGo } from "../../support/go";

const matches = (pattern: string, path: string): boolean =>
  new RegExp(`^/${privatePathExpression(pattern)}`, "i").test(`/${path}`);

describe("private modules", () => {
  it("covers a path and everything below it, and nothing beside it", () => {
    for (const path of ["git.corp.example/a", "git.corp.example/a/b/c", "git.corp.example/a@v1.0.0"]) {
      assert.ok(matches("git.corp.example/*", path), path);
    }
    for (const path of ["git.corp.example", "git.corp.example.evil/a", "xgit.corp.example/a", "gitxcorp.example/a"]) {
      assert.ok(!matches("git.corp.example/*", path), path);
    }
    assert.ok(matches("git.corp.example", "git.corp.example@v1.0.0"));
    assert.ok(matches("github.com/Acme/*", "github.com/!acme/tool@v1.0.0"));
    assert.ok(matches("github.com/Acme/*", "github.com/acme/tool@v1.0.0"), "the same place by another spelling");
    assert.ok(matches("*.corp.example", "a.corp.example/x"));
    assert.ok(!matches("*.corp.example", "corp.example/x"));
  });

  it("agrees with the go command's own matching, and Athens' patterns with Athens' way of matching", function () {
    needsGo(this);
    const element = fc.stringMatching(/^[aB*.-]{0,3}[aB]$/).filter((text) => !text.startsWith("."));
    const pattern = fc
      .array(element, { minLength: 1, maxLength: 3 })
      .map((elements) => elements.join("/"))
      .filter((text) => parsePrivatePattern("", text).issue === undefined);
    const plain = fc.stringMatching(/^[aB.-]{0,2}[aB]$/).filter((text) => !text.startsWith("."));
    const path = fc.array(plain, { minLength: 1, maxLength: 4 }).map((elements) => elements.join("/"));
    const cases = fc.sample(fc.tuple(pattern, path), { numRuns: 4000, seed: 7 });
    const asked = cases.map(([pattern, path]) => ({
      pattern,
      path,
      noSum: noSumPatterns([pattern]),
      lookup: `${escapeModulePath(path)}@v1.0.0`,
    }));
    const answers = goAnswers(asked);
    let inside = 0;
    for (const [index, [pattern, path]] of cases.entries()) {
      const { go, goFolded, athens } = answers[index] ?? assert.fail("an answer for each case");
      const ours = matches(pattern, `${escapeModulePath(path)}@v1.0.0`);
      if (go) inside++;
      assert.ok(!go || ours, `${pattern} must cover ${path}`);
      assert.ok(!ours || goFolded, `${pattern} must not cover ${path}`);
      assert.ok(!go || athens, `Athens must know ${path} as private by ${noSumPatterns([pattern]).join(" ")}`);
    }
    assert.ok(inside > 100, `${inside} cases were inside`);
  });

  it("refuses what the readers of patterns would read differently", () => {
    const wrong = [
      "",
      "https://git.corp.example/x",
      "a.example/[ab]",
      "a.example\\x",
      "a.example/x?",
      "*",
      "a//b",
      "/a",
      "a/",
      "a/../b",
      "a,b",
      "a b",
    ];
    for (const pattern of wrong) {
      assert.ok(parsePrivatePattern("privateModules[0]", pattern).issue, JSON.stringify(pattern));
    }
    assert.deepEqual(
      checkPrivateModules("privateModules", ["a.example/*", "a.example/*"]).map(({ path }) => path),
      ["privateModules[1]"],
    );
    assert.equal(checkPrivateModules("privateModules", "a.example")[0]?.path, "privateModules");
  });
});

interface Answer {
  readonly go: boolean;
  readonly goFolded: boolean;
  readonly athens: boolean;
}

/** What Go's own path.Match says, as the go command and Athens use it. */
function goAnswers(asked: unknown): Answer[] {
  const directory = mkdtempSync(join(tmpdir(), "gofleet-patterns-"));
  try {
    writeFileSync(join(directory, "main.go"), PROGRAM);
    const output = execFileSync("go", ["run", join(directory, "main.go")], {
      input: JSON.stringify(asked),
      env: { ...process.env, GO111MODULE: "off", GOFLAGS: "" },
      maxBuffer: 1 << 26,
    });
    return JSON.parse(output.toString()) as Answer[];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const PROGRAM = `package main

import (
	"encoding/json"
	"os"
	"path"
	"strings"
)

// What "go help private" says: each element of the pattern matches an element at the beginning of the path.
func covers(pattern, name string) bool {
	elements := strings.Split(name, "/")
	n := strings.Count(pattern, "/") + 1
	if len(elements) < n {
		return false
	}
	ok, err := path.Match(pattern, strings.Join(elements[:n], "/"))
	return ok && err == nil
}

func main() {
	var cases []struct {
		Pattern, Path, Lookup string
		NoSum                 []string
	}
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	type answer struct {
		Go       bool \`json:"go"\`
		GoFolded bool \`json:"goFolded"\`
		Athens   bool \`json:"athens"\`
	}
	var answers []answer
	for _, c := range cases {
		var a answer
		a.Go = covers(c.Pattern, c.Path)
		a.GoFolded = covers(strings.ToLower(c.Pattern), strings.ToLower(c.Path))
		for _, pattern := range c.NoSum {
			if ok, err := path.Match(pattern, c.Lookup); ok && err == nil {
				a.Athens = true
			}
		}
		answers = append(answers, a)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
`;
