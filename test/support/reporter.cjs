// Mocha's spec reporter, plus the results as JSON at GOFLEET_TEST_REPORT, so that a run can add up its suites. A test
// that passes only when tried again is named, with what went wrong the first time: it would otherwise go unseen.
"use strict";
const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

module.exports = class Reporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const counts = { passed: 0, failed: [], skipped: [] };
    runner.on("pass", () => (counts.passed += 1));
    runner.on("fail", (test, error) => counts.failed.push(`${test.fullTitle()}: ${firstLine(error)}`));
    runner.on("pending", (test) => counts.skipped.push(test.fullTitle()));
    runner.on("retry", (test, error) => console.log(`RETRIED: ${test.fullTitle()}: ${error.stack ?? error.message}`));
    runner.on("end", () => {
      const path = process.env["GOFLEET_TEST_REPORT"];
      if (path !== undefined) writeFileSync(path, JSON.stringify(counts));
    });
  }
};

function firstLine(error) {
  return String(error?.message ?? error).split("\n")[0];
}
