import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { pathProfile } from "../../src/render/profile";
import { assertGolden } from "../support/golden";
import { skip } from "../support/skip";

const DIRECTORY = "/etc/gofleet/go/goroot/bin";
const SCRIPT = pathProfile(DIRECTORY);

describe("login shells' script", () => {
  it("is as written down", () => assertGolden("profile/go.sh", SCRIPT));

  it("is clean sh", function () {
    if (spawnSync("shellcheck", ["--version"]).error) skip(this, "there is no shellcheck");
    const { status, stdout } = spawnSync("shellcheck", ["-s", "sh", "-"], { input: SCRIPT, encoding: "utf8" });
    assert.equal(status, 0, stdout);
  });

  for (const shell of ["sh", "bash", "busybox"]) {
    describe(shell, () => {
      before(function () {
        if (spawnSync(shell, ["--help"]).error) skip(this, `there is no ${shell}`);
      });

      const paths: Record<string, string> = {
        "/usr/bin:/bin": `${DIRECTORY}:/usr/bin:/bin`,
        [`/usr/bin:${DIRECTORY}:/bin`]: `${DIRECTORY}:/usr/bin:/bin`,
        [`${DIRECTORY}:${DIRECTORY}:/bin:${DIRECTORY}`]: `${DIRECTORY}:/bin`,
        [DIRECTORY]: DIRECTORY,
        "": DIRECTORY,
        "/a b:/c*": `${DIRECTORY}:/a b:/c*`,
        "/usr/bin::/bin": `${DIRECTORY}:/usr/bin::/bin`,
        [`${DIRECTORY}x:/x${DIRECTORY}`]: `${DIRECTORY}:${DIRECTORY}x:/x${DIRECTORY}`,
      };
      for (const [before, after] of Object.entries(paths)) {
        it(`makes ${JSON.stringify(before)} ${JSON.stringify(after)}, also when read twice`, () => {
          assert.equal(run(shell, `${SCRIPT}${SCRIPT}printf %s "$PATH"`, before), after);
        });
      }

      it("leaves no other variable, and bears set -eu", () => {
        const left = run(shell, `set -eu\n${SCRIPT}set | grep -c ^_gofleet_ || :`, "/usr/bin:/bin");
        assert.equal(left.trim(), "0");
      });
    });
  }
});

function run(shell: string, script: string, path: string): string {
  const args = shell === "busybox" ? ["sh", "-c", script] : ["-c", script];
  const program = execFileSync("sh", ["-c", `command -v ${shell}`], { encoding: "utf8" }).trim();
  // Without a terminal or file on stdin, bash takes itself for a remote shell and reads start files.
  return execFileSync(program, args, { encoding: "utf8", env: { PATH: path }, stdio: ["ignore", "pipe", "pipe"] });
}
