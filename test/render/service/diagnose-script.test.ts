import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { diagnoseScript } from "../../../src/render/service/diagnose-script";
import { shellcheck } from "../../plan/sandbox/host-tools";

const SCRIPT = diagnoseScript("gofleet-test-none.service", "test-none");

/** What it says, as anybody but root: nobody's service is touched. */
function said(...args: readonly string[]): string {
  const ids = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const { status, stderr } = spawnSync("sh", ["-c", SCRIPT, "diagnose", ...args], {
    encoding: "utf8",
    cwd: "/",
    ...ids,
  });
  assert.equal(status, 1, stderr);
  return stderr.trim();
}

const GOOD = "diagnose: only root may do this";

describe("the script that diagnoses a service", () => {
  it("has nothing that shellcheck finds", function () {
    assert.equal(shellcheck(this, SCRIPT), "");
  });

  const taken: Record<string, readonly string[]> = {
    "a trace of the scheduler": ["5min", "GODEBUG=schedtrace=1000,scheddetail=1"],
    "the longest time": ["60min", "A=1"],
    "a time in seconds": ["3600s", "A=1"],
    "several variables, also empty ones": ["1s", "A=", "_b2=x,y:z/[]@+%-."],
    "profiles on the loopback interface": ["5min", "PPROF_LISTEN=127.0.0.1:6060", "DEBUG_ADDR=[::1]:6061"],
    "profiles on a unix socket": ["5min", "PPROF_LISTEN=/run/gofleet-x/pprof.sock"],
    "a flag for profiles": ["5min", "PPROF=1"],
    "another address": ["5min", "METRICS_LISTEN=0.0.0.0:9100"],
    "an end": ["off"],
  };
  for (const [name, args] of Object.entries(taken)) {
    it(`takes ${name}`, () => assert.equal(said(...args), GOOD));
  }

  const refused: Record<string, [args: readonly string[], says: RegExp]> = {
    nothing: [[], /^diagnose: nothing is said; wanted: diagnose 5min/],
    "a time without a unit": [["5", "A=1"], /^diagnose: 5 is no time from 1s to 60min/],
    "no time": [["GODEBUG=x", "A=1"], /GODEBUG=x is no time/],
    "a time that is none": [["0min", "A=1"], /0min is no time/],
    "a time that is computed": [["1+1min", "A=1"], /is no time/],
    "too long a time": [["61min", "A=1"], /61min is no time/],
    "a time too long to reckon with": [["99999999999999999999s", "A=1"], /is no time/],
    "no variable": [["5min"], /no variable; wanted/],
    "a word": [["5min", "schedtrace"], /schedtrace is no NAME=VALUE/],
    "a name that is none": [["5min", "2X=1"], /2X is no variable/],
    "a quote in a value": [["5min", 'A="'], /^diagnose: A: only letters/],
    "a second line": [["5min", "A=1\nB=2"], /^diagnose: A: only letters/],
    "an expansion": [["5min", "A=$(id)"], /^diagnose: A: only letters/],
    "profiles for everybody": [
      ["5min", "PPROF_LISTEN=0.0.0.0:7000"],
      /PPROF_LISTEN: 0\.0\.0\.0:7000 is open to everybody/,
    ],
    "profiles on every address": [["5min", "pprof_addr=:7000"], /is open to everybody/],
    "the port of profiles": [["5min", "LISTEN=:6060"], /LISTEN: :6060 is open to everybody/],
    "one bad variable of two": [["5min", "A=1", "B"], /B is no NAME=VALUE/],
  };
  for (const [name, [args, says]] of Object.entries(refused)) {
    it(`refuses ${name}`, () => assert.match(said(...args), says));
  }
});
